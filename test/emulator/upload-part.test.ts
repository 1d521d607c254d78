import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { completeList, faultOf, MIN_PART_BYTES, multipartCalls } from '../support/multipart-upload.ts';
import { readXml, startTestEmulator } from '../support/test-emulator.ts';

async function start() {
  const emulator = await startTestEmulator();
  const calls = multipartCalls(emulator, 'a.bin');
  return { emulator, ...calls, uploadId: await calls.initiate() };
}

const md5Of = (bytes: Buffer) => createHash('md5').update(bytes).digest();

it('responds with the checksums of the part', async () => {
  const { emulator, uploadId, putPart } = await start();
  const response = await putPart(uploadId, 10_000, Buffer.from('123456789'));
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-length': '0',
    etag: '"25F9E794323B453885F5181F1B624D0B"',
    'x-oss-hash-crc64ecma': '11051210869376104954',
  });
  await vi.waitFor(() =>
    expect(emulator.events.at(-1)).toMatchObject({ method: 'PUT', status: 200, bytes: 9 }),
  );
});

it.each(['0', '10001', '-1', '1.5', '', 'one', '000001', '1e3'])(
  'rejects the number %j',
  async (partNumber) => {
    const { emulator, uploadId, call } = await start();
    const response = await call('PUT', { partNumber, uploadId }, { body: 'a' });
    const { Code, EC, Message, ArgumentName } = readXml(await response.text());
    expect([response.status, Code, EC, Message, ArgumentName]).toStrictEqual([
      400,
      'InvalidArgument',
      '0017-00000220',
      'Part number must be an integer between 1 and 10000, inclusive.',
      'PartNumber',
    ]);
    expect(emulator.files()).toStrictEqual([]);
  },
);

it('rejects an upload id without a number, and a number without an upload id', async () => {
  const { uploadId, call, emulator } = await start();
  for (const query of [{ uploadId }, { partNumber: '1' }]) {
    expect(await faultOf(await call('PUT', query, { body: 'a' }))).toStrictEqual([
      400,
      'InvalidArgument',
      '0017-00000219',
    ]);
  }
  expect(emulator.files()).toStrictEqual([]);
});

it('checks Content-MD5', async () => {
  const { emulator, uploadId, putPart } = await start();
  const body = randomBytes(1000);
  const headers = { 'content-md5': md5Of(body).toString('base64') };
  expect((await putPart(uploadId, 1, body, { headers })).status).toBe(200);
  expect(await faultOf(await putPart(uploadId, 2, randomBytes(1000), { headers }))).toStrictEqual([
    400,
    'InvalidDigest',
    '0017-00000503',
  ]);
  expect(emulator.files()).toHaveLength(1);
});

it.each([
  'x-oss-server-side-encryption',
  'x-oss-server-side-encryption-key-id',
  'x-oss-server-side-data-encryption',
])('rejects %s, which belongs to InitiateMultipartUpload', async (name) => {
  const { emulator, uploadId, putPart } = await start();
  const response = await putPart(uploadId, 1, Buffer.from('a'), { headers: { [name]: 'AES256' } });
  expect([response.status, readXml(await response.text())]).toMatchObject([
    400,
    { Code: 'InvalidArgument', ArgumentName: name },
  ]);
  expect(emulator.files()).toStrictEqual([]);
});

it('ignores the headers of objects', async () => {
  const { uploadId, putPart, complete, head } = await start();
  const headers = { 'content-type': 'text/plain', 'x-oss-meta-a': '1', 'cache-control': 'no-cache' };
  const part = await putPart(uploadId, 1, Buffer.from('a'), { headers });
  await complete(uploadId, completeList([[1, part.headers.get('etag') ?? '']]));
  const stored = await head();
  expect(
    ['content-type', 'x-oss-meta-a', 'cache-control'].map((name) => stored.headers.get(name)),
  ).toStrictEqual(['application/octet-stream', null, null]);
});

describe('x-oss-traffic-limit', () => {
  it.each([
    ['819200', 200],
    ['838860800', 200],
    ['819199', 400],
    ['838860801', 400],
    ['fast', 400],
  ])('of %s, in the query or in a header, gives %i', async (limit, status) => {
    const { uploadId, call } = await start();
    const query = { partNumber: '1', uploadId };
    const headers = { 'x-oss-traffic-limit': limit };
    const responses = [
      await call('PUT', { ...query, ...headers }, { body: 'a' }),
      await call('PUT', query, { body: 'a', headers }),
    ];
    const fault = status === 200 ? [undefined, undefined] : ['InvalidArgument', '0004-00000502'];
    for (const response of responses) expect(await faultOf(response)).toStrictEqual([status, ...fault]);
  });

  it('is rejected in both places at once', async () => {
    const { uploadId, call } = await start();
    const headers = { 'x-oss-traffic-limit': '819200' };
    const query = { partNumber: '1', uploadId, ...headers };
    expect(await faultOf(await call('PUT', query, { body: 'a', headers }))).toStrictEqual([
      400,
      'InvalidArgument',
      '0004-00000501',
    ]);
  });
});

it('rejects a copy of a part, and a copy of an object', async () => {
  const { uploadId, putPart } = await start();
  const headers = { 'x-oss-copy-source': '/acme-media/other' };
  expect(await faultOf(await putPart(uploadId, 1, Buffer.from(''), { headers }))).toStrictEqual([
    501,
    'NotImplemented',
    undefined,
  ]);
});

it.each([
  ['without a length', '', 411, 'MissingContentLength'],
  ['of more than 5 GB', `Content-Length: ${5 * 1024 ** 3 + 1}\r\n`, 400, 'EntityTooLarge'],
])('rejects a part %s before it reads the body', async (_name, header, status, code) => {
  const { emulator, uploadId } = await start();
  const url = emulator.presign({ key: 'a.bin', query: { partNumber: '1', uploadId } });
  const socket = connect(emulator.port, '127.0.0.1');
  socket.write(
    `PUT ${url.slice(url.indexOf('/', 8))} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n${header}\r\n`,
  );
  const response = await text(socket);
  expect([Number(response.split(' ')[1]), readXml(response).Code]).toStrictEqual([status, code]);
  expect(emulator.files()).toStrictEqual([]);
});

it('replaces a part with the same number, and removes the earlier one', async () => {
  const { emulator, uploadId, putPart, complete, read } = await start();
  const first = await putPart(uploadId, 1, randomBytes(MIN_PART_BYTES));
  const second = await putPart(uploadId, 1, Buffer.from('second'));
  expect(emulator.files()).toHaveLength(1);
  const listOf = (response: Response) => completeList([[1, response.headers.get('etag') ?? '']]);
  expect(await faultOf(await complete(uploadId, listOf(first)))).toStrictEqual([
    400,
    'InvalidPart',
    undefined,
  ]);
  expect((await complete(uploadId, listOf(second))).status).toBe(200);
  expect(String(await read())).toBe('second');
  expect(emulator.files()).toHaveLength(2);
});

describe('ListParts', () => {
  it('describes each part, by the numbers', async () => {
    const emulator = await startTestEmulator();
    const { initiate, putPart, listParts } = multipartCalls(emulator, 'a/<b>.bin');
    const uploadId = await initiate({ headers: { 'x-oss-storage-class': 'IA' } });
    for (const number of [3, 10_000, 1]) await putPart(uploadId, number, Buffer.from('123456789'));
    const part = (number: number) => `  <Part>
    <PartNumber>${number}</PartNumber>
    <LastModified>2026-11-23T10:00:00.000Z</LastModified>
    <ETag>"25F9E794323B453885F5181F1B624D0B"</ETag>
    <HashCrc64ecma>11051210869376104954</HashCrc64ecma>
    <Size>9</Size>
  </Part>
`;
    expect(await (await listParts(uploadId)).text()).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<ListPartsResult>
  <Bucket>acme-media</Bucket>
  <Key>a/&lt;b&gt;.bin</Key>
  <UploadId>${uploadId}</UploadId>
  <StorageClass>IA</StorageClass>
  <PartNumberMarker>0</PartNumberMarker>
  <NextPartNumberMarker>10000</NextPartNumberMarker>
  <MaxParts>1000</MaxParts>
  <IsTruncated>false</IsTruncated>
${part(1)}${part(3)}${part(10_000)}</ListPartsResult>
`);
  });

  it('lists no parts of an upload that has none', async () => {
    const { uploadId, listParts } = await start();
    const list = await (await listParts(uploadId)).text();
    expect(list).not.toContain('<Part>');
    expect(readXml(list)).toMatchObject({ IsTruncated: 'false', NextPartNumberMarker: '0' });
  });

  it.each([
    [1, 5],
    [2, 3],
    [4, 2],
    [5, 1],
    [1000, 1],
  ])('lists everything once in pages of %i', async (maxParts, pageCount) => {
    const { uploadId, putPart, listParts } = await start();
    const numbers = [1, 2, 9, 10, 10_000];
    await Promise.all(numbers.map((number) => putPart(uploadId, number, Buffer.from('a'))));
    const pages: (readonly string[])[] = [];
    let marker = '';
    let isTruncated = true;
    while (isTruncated) {
      const query = { 'max-parts': String(maxParts), ...(marker && { 'part-number-marker': marker }) };
      const list = await (await listParts(uploadId, query)).text();
      const found = [...list.matchAll(/<PartNumber>(\d+)</g)].map(([, number]) => number ?? '');
      pages.push(found);
      isTruncated = readXml(list).IsTruncated === 'true';
      marker = readXml(list).NextPartNumberMarker ?? '';
      expect(marker).toBe(found.at(-1));
    }
    expect(pages.flat()).toStrictEqual(numbers.map(String));
    expect(pages).toHaveLength(pageCount);
  });

  it('encodes the key with encoding-type=url', async () => {
    const emulator = await startTestEmulator();
    const { initiate, listParts } = multipartCalls(emulator, 'a b/\u0001+图');
    const list = await listParts(await initiate(), { 'encoding-type': 'url' });
    expect(readXml(await list.text())).toMatchObject({
      EncodingType: 'url',
      Key: 'a%20b%2F%01%2B%E5%9B%BE',
    });
  });

  it.each([
    ['max-parts', '0'],
    ['max-parts', '1001'],
    ['max-parts', 'all'],
    ['part-number-marker', '-1'],
    ['part-number-marker', 'x'],
    ['encoding-type', 'base64'],
  ])('rejects %s=%s', async (name, value) => {
    const { uploadId, listParts } = await start();
    const response = await listParts(uploadId, { [name]: value });
    expect([response.status, readXml(await response.text())]).toMatchObject([
      400,
      { Code: 'InvalidArgument', ArgumentName: name },
    ]);
  });
});
