import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { parseUploadRequestBody, uploadRequestBody } from '../../../src/grants/upload/request.ts';

/** For each field, values on both sides of each bound, and one of another type. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  key: ['users/alice/a.png', '', null],
  filename: ['a.png', '', 'x'.repeat(1024), 'x'.repeat(1025), '😀', 7],
  contentType: [
    ...['image/png', 'IMAGE/PNG', 'text/plain; charset="utf-8"', `a/${'b'.repeat(253)}`],
    ...['image/*', 'image', 'image/png ', `a/${'b'.repeat(254)}`, 1],
  ],
  contentLength: [0, 1, -0, 2 ** 53 - 1, 2 ** 53, -1, 1.5, '1', null],
  contentMd5: ['1B2M2Y8AsgTpgAmY7PhCfg==', '1B2M2Y8AsgTpgAmY7PhCfh==', ''],
  cacheControl: ['no-cache', 'x'.repeat(1024), 'x'.repeat(1025), ' x', '', 'a\nb', true],
  contentDisposition: ['attachment; filename="a b"', 'é'],
  contentEncoding: ['gzip', ''],
  expiresIn: [1, 0, 1.5, 604_800, null],
  overwrite: [true, false, 'true', null],
  target: ['media', 'x'.repeat(64), 'x'.repeat(65), ''],
  surprise: [1],
};

const metadataName = fc.constantFrom('album', 'ALBUM', 'a-1', '7', 'constructor', 'a b', 'al_bum', '');
const metadataValue = fc.constantFrom<unknown>('x', ' x ', ' ', '', 'é', 'x'.repeat(4100), 7, null);
const metadata = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>({}, { album: ' x ' }, { Camera: 'x', 'a-1': '2' }) },
  fc.dictionary(metadataName, metadataValue, { maxKeys: 3, noNullPrototype: true }),
  fc.constantFrom<unknown>(null, 'x', ['x'], 1),
);

// Each field is mostly absent or good, so that many bodies have no fault and most of the others a single one.
const body = fc
  .record({
    isGood: fc.boolean(),
    fields: fc.record(
      {
        ...Object.fromEntries(
          Object.entries(VALUES).map(([field, values]) => [
            field,
            fc.oneof({ weight: 8, arbitrary: fc.constant(values[0]) }, fc.constantFrom(...values)),
          ]),
        ),
        metadata,
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ isGood, fields }): Readonly<Record<string, unknown>> => {
    if (!isGood) return fields;
    const { surprise: _, filename: __, ...others } = fields as Readonly<Record<string, unknown>>;
    return { key: 'users/alice/a.png', contentType: 'image/png', ...others };
  });

it('accepts exactly the bodies that the schema accepts, with either key or filename, and reads the same values', () => {
  let accepted = 0;
  let rejected = 0;
  fc.assert(
    fc.property(body, (sent) => {
      const bySchema = uploadRequestBody.safeParse(sent);
      const isNamedOnce = 'key' in sent !== 'filename' in sent;
      if (!bySchema.success || !isNamedOnce) {
        rejected++;
        expect(() => parseUploadRequestBody(sent)).toThrow(
          expect.objectContaining({ code: 'invalid_request' }),
        );
        return;
      }
      accepted++;
      const request = parseUploadRequestBody(sent);
      expect(request).toStrictEqual(bySchema.data);
      expect(JSON.stringify(request)).toBe(JSON.stringify(bySchema.data));
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(accepted, rejected)).toBeGreaterThan(300);
});

it('compiles the whole schema: otherwise zod would fall back to slow code without an error', () => {
  expect(() => z.compile(uploadRequestBody, { strict: true })).not.toThrow();
});

it('shares nothing between two requests', () => {
  const [one, other] = [1, 2].map(() => parseUploadRequestBody({ key: 'a', contentType: 'a/b' }));
  expect(one?.metadata).not.toBe(other?.metadata);
});
