import { parseXml, XmlElement } from '@rgrove/parse-xml';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readPartsPage, writePartList } from '../../../src/storage/oss/multipart-xml.ts';
import { propertyRuns } from '../../support/property-runs.ts';

const UPLOAD = { key: 'a b.mp4', uploadId: '0004B9894A22E5B1888A1E29F8236E2D' };

/** Nearly always a right value, because one fault is enough to reject a page. */
const mostly = (right: fc.Arbitrary<string>, ...others: readonly fc.Arbitrary<string>[]) =>
  fc.oneof({ arbitrary: right, weight: 30 }, ...others);

const hostileText = fc.constantFrom(
  '',
  ' 1',
  '-1',
  '1e3',
  '0x1',
  '99999999999999999999',
  '&a;',
  '<b/>',
  'NaN',
  '١',
);
const part = fc.record({
  gap: mostly(fc.integer({ min: 1, max: 20 }).map(String), fc.constantFrom('0', '-5', '10000')),
  number: mostly(fc.constant(''), hostileText),
  size: mostly(fc.nat().map(String), hostileText, fc.constant(String(5 * 1024 ** 3 + 1))),
  etag: mostly(fc.constantFrom('"3349DC700140D7F86A0784842780AAAA"', '&quot;a-1&quot;', 'b'), hostileText),
});
const page = fc.record({
  parts: fc.array(part, { maxLength: 30 }),
  key: mostly(fc.constantFrom('a%20b.mp4', 'a+b.mp4'), fc.constantFrom('a b.mp4.', '%', '')),
  uploadId: mostly(fc.constant(UPLOAD.uploadId), hostileText),
  isTruncated: mostly(fc.constantFrom('true', 'false'), hostileText),
  cut: mostly(fc.constant('0'), fc.nat({ max: 400 }).map(String)),
});

it('reads only pages whose parts are ascending and within the limits of OSS, and never throws', () => {
  let read = 0;
  fc.assert(
    fc.property(
      page,
      fc.integer({ min: 0, max: 50 }),
      ({ parts, key, uploadId, isTruncated, cut }, after) => {
        let last = after;
        const elements = parts.map(({ gap, number, size, etag }) => {
          last += Number(gap);
          return `<Part><PartNumber>${number || last}</PartNumber><ETag>${etag}</ETag><Size>${size}</Size></Part>`;
        });
        const xml = `<ListPartsResult><EncodingType>url</EncodingType><Key>${key}</Key><UploadId>${uploadId}</UploadId><IsTruncated>${isTruncated}</IsTruncated>${elements.join('')}</ListPartsResult>`;
        const result = readPartsPage(Buffer.from(xml.slice(0, xml.length - Number(cut))), UPLOAD, after);
        if (!result) return;
        read += 1;
        expect(result.isTruncated).toBe(isTruncated === 'true');
        expect(result.parts).toHaveLength(parts.length);
        let before = after;
        for (const { partNumber, contentLength, etag } of result.parts) {
          expect(Number.isInteger(partNumber) && partNumber > before && partNumber <= 10_000).toBe(true);
          expect(
            Number.isInteger(contentLength) && contentLength >= 0 && contentLength <= 5 * 1024 ** 3,
          ).toBe(true);
          expect(etag).toMatch(/^[\w.+/=-]{1,128}$/);
          before = partNumber;
        }
        if (result.parts.length > 0)
          expect(partsOf(writePartList(result.parts))).toStrictEqual(
            result.parts.map(({ partNumber, etag }) => [String(partNumber), `"${etag}"`]),
          );
      },
    ),
    { numRuns: propertyRuns(2_000) },
  );
  expect(read).toBeGreaterThan(20);
});

/** The numbers and ETags of a list, as OSS reads it. */
function partsOf(list: Uint8Array): readonly (readonly string[])[] {
  const { root } = parseXml(Buffer.from(list).toString());
  return (root?.children ?? []).map((child) =>
    (child as XmlElement).children.filter((one) => one instanceof XmlElement).map(({ text }) => text),
  );
}
