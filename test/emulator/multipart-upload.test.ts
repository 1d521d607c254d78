import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createCrc64 } from '../../src/emulator/objects/crc64.ts';
import type { PresignInput } from '../../src/storage/oss/signing/presign.ts';
import {
  BUCKET,
  readXml,
  startTestEmulator,
  TEMPORARY,
  type TestEmulator,
} from '../support/test-emulator.ts';

const MIN_PART_BYTES = 102_400;
const KEY = 'mp/große datei+%.bin';

/** Sends a signed request of a multipart upload. */
async function call(
  emulator: TestEmulator,
  method: string,
  query: Readonly<Record<string, string>>,
  { body, headers = {}, ...change }: { body?: Buffer | string } & Partial<PresignInput> = {},
) {
  const url = emulator.presign({ method, key: KEY, query, headers, ...change });
  return fetch(url, { method, headers, ...(body !== undefined && { body }) });
}

async function initiate(emulator: TestEmulator, change: Partial<PresignInput> = {}): Promise<string> {
  const response = await call(emulator, 'POST', { uploads: '' }, change);
  expect(response.status).toBe(200);
  return readXml(await response.text()).UploadId ?? '';
}

const putPart = (
  emulator: TestEmulator,
  uploadId: string,
  partNumber: number,
  body: Buffer,
  change: Partial<PresignInput> = {},
) => call(emulator, 'PUT', { partNumber: String(partNumber), uploadId }, { ...change, body });

/** Sends parts with the numbers from 1, and returns the body of the call that completes them. */
async function putParts(emulator: TestEmulator, uploadId: string, parts: readonly Buffer[]): Promise<string> {
  const etags = await Promise.all(
    parts.map(async (part, index) => {
      const response = await putPart(emulator, uploadId, index + 1, part);
      expect(response.status).toBe(200);
      return response.headers.get('etag') ?? '';
    }),
  );
  return completeList(etags.map((etag, index) => [index + 1, etag]));
}

function completeList(parts: readonly (readonly [number, string])[]): string {
  const elements = parts.map(
    ([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
  );
  return `<CompleteMultipartUpload>${elements.join('')}</CompleteMultipartUpload>`;
}

const complete = (
  emulator: TestEmulator,
  uploadId: string,
  body: string,
  change: Partial<PresignInput> = {},
) => {
  // fetch adds this type to a text.
  const headers = { 'content-type': 'text/plain;charset=UTF-8', ...change.headers };
  return call(emulator, 'POST', { uploadId }, { ...change, headers, body });
};

const read = async (emulator: TestEmulator, headers: Readonly<Record<string, string>> = {}) => {
  const response = await fetch(emulator.presign({ method: 'GET', key: KEY }), { headers });
  return { response, body: Buffer.from(await response.arrayBuffer()) };
};

function crcOf(bytes: Buffer): string {
  const crc = createCrc64();
  crc.update(bytes);
  return crc.digest();
}

const faultOf = async (response: Response) => {
  const { Code, EC } = readXml(await response.text());
  return [response.status, Code, EC];
};

it('makes one object of parts', async () => {
  const emulator = await startTestEmulator();
  const parts = [randomBytes(MIN_PART_BYTES), randomBytes(MIN_PART_BYTES + 7), randomBytes(3)];
  const whole = Buffer.concat(parts);
  const uploadId = await initiate(emulator, {
    headers: { 'content-type': 'video/mp4', 'cache-control': 'no-cache', 'x-oss-meta-album': '42' },
  });
  expect(uploadId).toMatch(/^[0-9A-F]{32}$/);
  const list = await putParts(emulator, uploadId, parts);
  expect((await read(emulator)).response.status).toBe(404);

  const completed = await complete(emulator, uploadId, list);
  const etag = completed.headers.get('etag');
  expect(etag).toMatch(/^"[0-9A-F]{32}-3"$/);
  expect(completed.headers.get('x-oss-hash-crc64ecma')).toBe(crcOf(whole));
  expect([completed.status, readXml(await completed.text())]).toStrictEqual([
    200,
    {
      Location: `${emulator.url}/${BUCKET}/mp/gro%C3%9Fe%20datei%2B%25.bin`,
      Bucket: BUCKET,
      Key: KEY,
      ETag: etag,
    },
  ]);
  const { response, body } = await read(emulator);
  expect(body.equals(whole)).toBe(true);
  const head = await fetch(emulator.presign({ method: 'HEAD', key: KEY }), { method: 'HEAD' });
  for (const { headers } of [response, head]) {
    expect(Object.fromEntries(headers)).toMatchObject({
      etag,
      'content-length': String(whole.length),
      'content-type': 'video/mp4',
      'cache-control': 'no-cache',
      'x-oss-meta-album': '42',
      'x-oss-object-type': 'Multipart',
      'x-oss-hash-crc64ecma': crcOf(whole),
    });
    expect(headers.get('content-md5')).toBeNull();
  }
});

it('lists parts by their numbers', async () => {
  const emulator = await startTestEmulator();
  const uploadId = await initiate(emulator);
  for (const number of [3, 10_000, 1]) await putPart(emulator, uploadId, number, Buffer.from('123456789'));
  const response = await call(emulator, 'GET', { uploadId });
  const part = (number: number) => `  <Part>
    <PartNumber>${number}</PartNumber>
    <LastModified>2026-11-23T10:00:00.000Z</LastModified>
    <ETag>"25F9E794323B453885F5181F1B624D0B"</ETag>
    <HashCrc64ecma>11051210869376104954</HashCrc64ecma>
    <Size>9</Size>
  </Part>
`;
  expect(await response.text()).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<ListPartsResult>
  <Bucket>${BUCKET}</Bucket>
  <Key>${KEY}</Key>
  <UploadId>${uploadId}</UploadId>
  <StorageClass>Standard</StorageClass>
  <PartNumberMarker>0</PartNumberMarker>
  <NextPartNumberMarker>10000</NextPartNumberMarker>
  <MaxParts>1000</MaxParts>
  <IsTruncated>false</IsTruncated>
${part(1)}${part(3)}${part(10_000)}</ListPartsResult>
`);
});

it('aborts an upload, and leaves nothing', async () => {
  const emulator = await startTestEmulator();
  const uploadId = await initiate(emulator);
  await putPart(emulator, uploadId, 1, Buffer.from('a'));
  expect(emulator.files()).toHaveLength(1);
  const aborted = await call(emulator, 'DELETE', { uploadId });
  expect([aborted.status, await aborted.text()]).toStrictEqual([204, '']);
  expect(emulator.files()).toStrictEqual([]);
});

describe.each(['completed', 'aborted', 'unknown', "another key's"])('an upload id that is %s', (state) => {
  it('is rejected by every call', async () => {
    const emulator = await startTestEmulator();
    let uploadId = '0004B9894A22E5B1888A1E29F8236E2D';
    let list = completeList([[1, '"25F9E794323B453885F5181F1B624D0B"']]);
    if (state === "another key's") uploadId = await initiate(emulator, { key: 'other' });
    if (state === 'completed' || state === 'aborted') uploadId = await initiate(emulator);
    if (state === 'completed') list = await putParts(emulator, uploadId, [Buffer.from('a')]);
    if (state === 'completed') await complete(emulator, uploadId, list);
    if (state === 'aborted') await call(emulator, 'DELETE', { uploadId });

    const files = emulator.files();
    const responses = [
      await putPart(emulator, uploadId, 1, Buffer.from('a')),
      await call(emulator, 'GET', { uploadId }),
      await complete(emulator, uploadId, list),
      await call(emulator, 'DELETE', { uploadId }),
    ];
    expect(await Promise.all(responses.map(faultOf))).toStrictEqual([
      [404, 'NoSuchUpload', '0042-00000104'],
      [404, 'NoSuchUpload', '0042-00000002'],
      [404, 'NoSuchUpload', '0017-00000244'],
      [404, 'NoSuchUpload', '0042-00000002'],
    ]);
    expect(emulator.files()).toStrictEqual(files);
  });
});

it('accepts each part with any access key of the account', async () => {
  const emulator = await startTestEmulator();
  const uploadId = await initiate(emulator);
  const temporary = { credentials: TEMPORARY };
  const part = await putPart(emulator, uploadId, 1, Buffer.from('a'), temporary);
  const list = completeList([[1, part.headers.get('etag') ?? '']]);
  expect([part.status, (await complete(emulator, uploadId, list)).status]).toStrictEqual([200, 200]);
});
