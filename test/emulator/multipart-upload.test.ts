import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createCrc64 } from '../../src/emulator/objects/crc64.ts';
import { completeList, faultOf, MIN_PART_BYTES, multipartCalls } from '../support/multipart-upload.ts';
import { BUCKET, REGION, readXml, startTestEmulator, TEMPORARY } from '../support/test-emulator.ts';

const KEY = 'mp/große datei+%.bin';

async function start(options: Parameters<typeof startTestEmulator>[0] = {}) {
  const emulator = await startTestEmulator(options);
  return { emulator, ...multipartCalls(emulator, KEY) };
}

function crcOf(bytes: Buffer): string {
  const crc = createCrc64();
  crc.update(bytes);
  return crc.digest();
}

it('makes one object of parts', async () => {
  const { emulator, initiate, putParts, complete, head, read } = await start();
  const parts = [randomBytes(MIN_PART_BYTES), randomBytes(MIN_PART_BYTES + 7), randomBytes(3)];
  const whole = Buffer.concat(parts);
  const uploadId = await initiate({
    headers: { 'content-type': 'video/mp4', 'cache-control': 'no-cache', 'x-oss-meta-album': '42' },
  });
  expect(uploadId).toMatch(/^[0-9A-F]{32}$/);
  const list = await putParts(uploadId, parts);
  expect((await head()).status).toBe(404);

  const completed = await complete(uploadId, list);
  const etag = completed.headers.get('etag');
  expect(etag).toMatch(/^"[0-9A-F]{32}-3"$/);
  expect(completed.headers.get('x-oss-hash-crc64ecma')).toBe(crcOf(whole));
  expect(completed.headers.get('content-md5')).toBeNull();
  expect([completed.status, readXml(await completed.text())]).toStrictEqual([
    200,
    {
      Location: `${emulator.url}/${BUCKET}/mp/gro%C3%9Fe%20datei%2B%25.bin`,
      Bucket: BUCKET,
      Key: KEY,
      ETag: etag,
    },
  ]);
  expect((await read()).equals(whole)).toBe(true);
  const get = await fetch(emulator.presign({ method: 'GET', key: KEY }));
  for (const { headers } of [get, await head()]) {
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
  const listed = await fetch(emulator.presign({ method: 'GET', key: '', query: { prefix: 'mp/' } }));
  expect(readXml(await listed.text())).toMatchObject({ Key: KEY, Type: 'Multipart', ETag: etag });
});

it('gives two uploads of the same parts ETags of their own', async () => {
  const { initiate, putParts, complete } = await start();
  const etags: unknown[] = [];
  for (let upload = 0; upload < 2; upload++) {
    const uploadId = await initiate();
    const list = await putParts(uploadId, [Buffer.from('a')]);
    etags.push((await complete(uploadId, list)).headers.get('etag'));
  }
  expect(new Set(etags).size).toBe(2);
});

it('serves ranges across parts', async () => {
  const { initiate, putParts, complete, read } = await start();
  const sizes = [MIN_PART_BYTES, MIN_PART_BYTES + 1, 10];
  const parts = sizes.map((size) => randomBytes(size));
  const whole = Buffer.concat(parts);
  const uploadId = await initiate();
  await complete(uploadId, await putParts(uploadId, parts));
  const [a = 0, b = 0] = sizes;
  for (const [first, last] of [
    [0, 0],
    [a - 1, a],
    [a, a + b - 1],
    [a - 2, a + b + 1],
    [a + b, whole.length - 1],
    [whole.length - 1, whole.length - 1],
    [0, whole.length - 1],
  ] as const) {
    const range = await read({ range: `bytes=${first}-${last}` });
    expect(range.equals(whole.subarray(first, last + 1)), `${first}-${last}`).toBe(true);
  }
});

it('aborts an upload, and leaves nothing', async () => {
  const { emulator, initiate, putPart, abort } = await start();
  const uploadId = await initiate();
  await putPart(uploadId, 1, Buffer.from('a'));
  expect(emulator.files()).toHaveLength(1);
  const aborted = await abort(uploadId);
  expect([aborted.status, await aborted.text()]).toStrictEqual([204, '']);
  expect(emulator.files()).toStrictEqual([]);
});

it.each(['completed', 'aborted', 'unknown', "another key's", "another bucket's"])(
  'every call rejects an upload id that is %s',
  async (state) => {
    const other = 'other-bucket';
    const buckets = { [BUCKET]: { region: REGION }, [other]: { region: REGION } };
    const { emulator, ...calls } = await start({ buckets });
    let uploadId = '0004B9894A22E5B1888A1E29F8236E2D';
    let list = completeList([[1, '"25F9E794323B453885F5181F1B624D0B"']]);
    if (state === "another key's") uploadId = await calls.initiate({ key: 'other' });
    if (state === "another bucket's") uploadId = await calls.initiate({ bucket: other });
    if (state === 'completed' || state === 'aborted') uploadId = await calls.initiate();
    if (state === 'completed') list = await calls.putParts(uploadId, [Buffer.from('a')]);
    if (state === 'completed') await calls.complete(uploadId, list);
    if (state === 'aborted') await calls.abort(uploadId);

    const files = emulator.files();
    const responses = [
      await calls.putPart(uploadId, 1, Buffer.from('a')),
      await calls.listParts(uploadId),
      await calls.complete(uploadId, list),
      await calls.completeAll(uploadId),
      await calls.abort(uploadId),
    ];
    expect(await Promise.all(responses.map(faultOf))).toStrictEqual([
      [404, 'NoSuchUpload', '0042-00000104'],
      [404, 'NoSuchUpload', '0042-00000002'],
      [404, 'NoSuchUpload', '0017-00000244'],
      [404, 'NoSuchUpload', '0017-00000244'],
      [404, 'NoSuchUpload', '0042-00000002'],
    ]);
    expect(emulator.files()).toStrictEqual(files);
  },
);

it('names the upload id in NoSuchUpload', async () => {
  const { listParts } = await start();
  expect(readXml(await (await listParts('nope')).text())).toMatchObject({
    UploadId: 'nope',
    Message:
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  });
});

it('accepts each part with any access key of the account', async () => {
  const { initiate, putPart, complete } = await start();
  const uploadId = await initiate();
  const part = await putPart(uploadId, 1, Buffer.from('a'), { credentials: TEMPORARY });
  const list = completeList([[1, part.headers.get('etag') ?? '']]);
  expect([part.status, (await complete(uploadId, list)).status]).toStrictEqual([200, 200]);
});

it('needs a signature for every call', async () => {
  const { emulator, initiate, putParts } = await start();
  const uploadId = await initiate();
  const list = await putParts(uploadId, [Buffer.from('a')]);
  const url = `${emulator.url}/${BUCKET}/${encodeURIComponent(KEY)}`;
  const responses = await Promise.all([
    fetch(`${url}?uploads`, { method: 'POST' }),
    fetch(`${url}?uploadId=${uploadId}&partNumber=1`, { method: 'PUT', body: 'b' }),
    fetch(`${url}?uploadId=${uploadId}`),
    fetch(`${url}?uploadId=${uploadId}`, { method: 'POST', body: list }),
    fetch(`${url}?uploadId=${uploadId}`, { method: 'DELETE' }),
  ]);
  expect(responses.map(({ status }) => status)).toStrictEqual([403, 403, 403, 403, 403]);
  expect(emulator.files()).toHaveLength(1);
});

describe('InitiateMultipartUpload', () => {
  it.each(['uploads', 'uploads='])('accepts ?%s and an empty chunked body', async (parameter) => {
    const { emulator } = await start();
    const url = emulator.presign({ method: 'POST', key: KEY, query: { uploads: '' } });
    const sent = request(url.replace(/uploads=?(?=&|$)/, parameter), {
      method: 'POST',
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect(sent.path).toContain(`${parameter}&`);
    sent.end();
    const [response] = await once(sent, 'response');
    expect([response.statusCode, readXml(await text(response))]).toStrictEqual([
      200,
      { Bucket: BUCKET, Key: KEY, UploadId: expect.stringMatching(/^[0-9A-F]{32}$/) },
    ]);
  });

  it('encodes the key with encoding-type=url', async () => {
    const { call } = await start();
    const response = await call('POST', { uploads: '', 'encoding-type': 'url' });
    expect(readXml(await response.text())).toMatchObject({
      EncodingType: 'url',
      Key: 'mp%2Fgro%C3%9Fe%20datei%2B%25.bin',
    });
  });

  it('rejects a key that exists if overwriting is forbidden', async () => {
    const { emulator, call } = await start();
    const headers = { 'x-oss-forbid-overwrite': 'true' };
    expect((await call('POST', { uploads: '' }, { headers })).status).toBe(200);
    await emulator.put(KEY, 'before');
    expect(await faultOf(await call('POST', { uploads: '' }, { headers }))).toStrictEqual([
      409,
      'FileAlreadyExists',
      '0026-00000002',
    ]);
    expect((await call('POST', { uploads: '' })).status).toBe(200);
  });

  it.each<[Record<string, string>, string, string]>([
    [{ 'x-oss-storage-class': 'Gold' }, 'InvalidArgument', '0013-00000101'],
    [{ 'x-oss-server-side-encryption': 'ROT13' }, 'InvalidEncryptionAlgorithmError', '0005-00000003'],
    [{ 'x-oss-meta-a': 'x'.repeat(8192) }, 'MetadataTooLarge', '0011-00000002'],
    [{ 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }, 'InvalidDigest', '0017-00000503'],
  ])('rejects %j', async (headers, ...fault) => {
    const { call, emulator } = await start();
    expect(await faultOf(await call('POST', { uploads: '' }, { headers }))).toStrictEqual([400, ...fault]);
    expect(emulator.files()).toStrictEqual([]);
  });

  it('rejects a body', async () => {
    const { call } = await start();
    expect(await faultOf(await call('POST', { uploads: '' }, { body: 'a' }))).toStrictEqual([
      400,
      'MalformedXML',
      '0042-00000205',
    ]);
  });
});

describe('CompleteMultipartUpload', () => {
  it.each([
    ['escaped quotes (Go)', (etag: string) => completeList([[1, `&#34;${etag}&#34;`]])],
    ['named references', (etag: string) => completeList([[1, `&quot;${etag}&quot;`]])],
    ['quotes (Python)', (etag: string) => completeList([[1, `"${etag}"`]])],
    ['no quotes', (etag: string) => completeList([[1, etag]])],
    [
      'a declaration and line breaks (Node.js)',
      (etag: string) =>
        `<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUpload>\n<Part>\n<PartNumber>1</PartNumber>\n<ETag>"${etag}"</ETag>\n</Part>\n</CompleteMultipartUpload>`,
    ],
    [
      'a namespace, and the ETag first',
      (etag: string) =>
        `<CompleteMultipartUpload xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"><Part><ETag> "${etag}" </ETag><PartNumber> 1 </PartNumber></Part></CompleteMultipartUpload>`,
    ],
  ])('accepts a list with %s', async (_name, listOf) => {
    const { initiate, putPart, complete, read } = await start();
    const uploadId = await initiate();
    await putPart(uploadId, 1, Buffer.from('123456789'));
    const response = await complete(uploadId, listOf('25F9E794323B453885F5181F1B624D0B'));
    expect([response.status, String(await read())]).toStrictEqual([200, '123456789']);
  });

  const [A, B] = ['0CC175B9C0F1B6A831C399E269772661', '92EB5FFEE6AE2FEC3AD71C777531578F'];
  const malformed = [400, 'MalformedXML', '0042-00000205'];
  it.each<[string, string, readonly unknown[]]>([
    ['an empty body', '', malformed],
    ['a list without parts', completeList([]), malformed],
    ['no XML', 'PartNumber=1', malformed],
    ['XML that ends early', completeList([[1, A]]).slice(0, -1), malformed],
    ['another root', '<Complete><Part/></Complete>', malformed],
    ['a part without an ETag', completeList([[1, A]]).replace(/<ETag>.*<\/ETag>/, ''), malformed],
    ['a part with two ETags', completeList([[1, `${A}</ETag><ETag>${A}`]]), malformed],
    ['the number 0', completeList([[0, A]]), [400, 'InvalidArgument', '0017-00000220']],
    ['the number 10001', completeList([[10_001, A]]), [400, 'InvalidArgument', '0017-00000220']],
    [
      'descending numbers',
      completeList([
        [2, B],
        [1, A],
      ]),
      [400, 'InvalidPartOrder', '0042-00000209'],
    ],
    [
      'a number twice',
      completeList([
        [1, A],
        [1, A],
      ]),
      [400, 'InvalidPartOrder', '0042-00000209'],
    ],
    ['a missing part', completeList([[3, A]]), [400, 'InvalidPart', undefined]],
    ['the ETag of another part', completeList([[1, B]]), [400, 'InvalidPart', undefined]],
    [
      'a part that is too small and not the last',
      completeList([
        [1, A],
        [2, B],
      ]),
      [400, 'EntityTooSmall', '0042-00000213'],
    ],
  ])('rejects %s, and the upload can still be completed', async (_name, body, fault) => {
    const { initiate, putPart, complete, head, read } = await start();
    const uploadId = await initiate();
    await putPart(uploadId, 1, Buffer.from('a'));
    await putPart(uploadId, 2, Buffer.from('b'));
    expect(await faultOf(await complete(uploadId, body))).toStrictEqual(fault);
    expect((await head()).status).toBe(404);
    expect((await complete(uploadId, completeList([[2, B]]))).status).toBe(200);
    expect(String(await read())).toBe('b');
  });

  it.each([
    [MIN_PART_BYTES, 200],
    [MIN_PART_BYTES - 1, 400],
  ])('with a first part of %i bytes responds with %i', async (size, status) => {
    const { initiate, putParts, complete } = await start();
    const uploadId = await initiate();
    const list = await putParts(uploadId, [Buffer.alloc(size), Buffer.alloc(1)]);
    expect((await complete(uploadId, list)).status).toBe(status);
  });

  it('makes an empty object of an empty part', async () => {
    const { initiate, putParts, complete, head, read } = await start();
    const uploadId = await initiate();
    const list = await putParts(uploadId, [Buffer.alloc(0)]);
    expect((await complete(uploadId, list)).headers.get('x-oss-hash-crc64ecma')).toBe('0');
    expect([(await head()).headers.get('content-length'), (await read()).length]).toStrictEqual(['0', 0]);
  });

  it('leaves out the parts that are not listed, and removes them', async () => {
    const { emulator, initiate, putParts, complete, read } = await start();
    const uploadId = await initiate();
    const parts = ['a', 'b', 'c'].map((letter) => Buffer.alloc(MIN_PART_BYTES, letter));
    const list = await putParts(uploadId, parts);
    const listed = list.replace(/<Part><PartNumber>2.*?<\/Part>/, '');
    const response = await complete(uploadId, listed);
    expect(response.headers.get('etag')).toMatch(/-2"$/);
    expect(
      (await read()).equals(Buffer.concat([parts[0], parts[2]].map((part) => part ?? Buffer.of()))),
    ).toBe(true);
    // Two parts and the object.
    expect(emulator.files()).toHaveLength(3);
  });

  it('checks Content-MD5 of the list', async () => {
    const { initiate, putPart, complete } = await start();
    const uploadId = await initiate();
    await putPart(uploadId, 1, Buffer.from('a'));
    const headers = { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' };
    const list = completeList([[1, A]]);
    expect(await faultOf(await complete(uploadId, list, { headers }))).toStrictEqual([
      400,
      'InvalidDigest',
      '0017-00000503',
    ]);
  });

  it('rejects an object that exists if overwriting is forbidden, also since the upload began', async () => {
    const { emulator, initiate, putParts, complete, read } = await start();
    const headers = { 'x-oss-forbid-overwrite': 'true' };
    const uploadId = await initiate({ headers });
    const list = await putParts(uploadId, [Buffer.from('after')]);
    await emulator.put(KEY, 'before');
    expect(await faultOf(await complete(uploadId, list, { headers }))).toStrictEqual([
      409,
      'FileAlreadyExists',
      '0042-00000214',
    ]);
    expect(String(await read())).toBe('before');
    // The header of the first call alone does not count.
    expect((await complete(uploadId, list)).status).toBe(200);
    expect(String(await read())).toBe('after');
    expect(emulator.files()).toHaveLength(2);
  });

  it('ignores the condition in a bucket with versions, and gives the object a version id', async () => {
    const { emulator, initiate, putParts, complete, head } = await start({
      buckets: { [BUCKET]: { region: REGION, isVersioned: true } },
    });
    const headers = { 'x-oss-forbid-overwrite': 'true' };
    await emulator.put(KEY, 'before');
    const uploadId = await initiate({ headers });
    const list = await putParts(uploadId, [Buffer.from('after')]);
    const completed = await complete(uploadId, list, { headers });
    const versionId = completed.headers.get('x-oss-version-id');
    expect([completed.status, versionId]).toStrictEqual([200, expect.stringMatching(/^CAEQ/)]);
    expect((await head()).headers.get('x-oss-version-id')).toBe(versionId);
  });

  it('takes the ACL, which InitiateMultipartUpload does not', async () => {
    const { emulator, initiate, putParts, complete } = await start();
    const headers = { 'x-oss-object-acl': 'public-read' };
    const anonymous = `${emulator.url}/${BUCKET}/${KEY.split('/').map(encodeURIComponent).join('/')}`;
    const first = await initiate({ headers });
    await complete(first, await putParts(first, [Buffer.from('a')]));
    expect((await fetch(anonymous)).status).toBe(403);
    const second = await initiate();
    await complete(second, await putParts(second, [Buffer.from('b')]), { headers });
    expect(await (await fetch(anonymous)).text()).toBe('b');
  });

  it('takes no attributes of the object', async () => {
    const { initiate, putParts, complete, head } = await start();
    const uploadId = await initiate({ headers: { 'content-type': 'video/mp4' } });
    const list = await putParts(uploadId, [Buffer.from('a')]);
    const headers = { 'content-type': 'application/xml', 'x-oss-meta-a': '1', 'cache-control': 'no-cache' };
    expect((await complete(uploadId, list, { headers })).status).toBe(200);
    const stored = await head();
    expect(
      ['content-type', 'x-oss-meta-a', 'cache-control'].map((name) => stored.headers.get(name)),
    ).toStrictEqual(['video/mp4', null, null]);
  });

  it('encodes the key with encoding-type=url', async () => {
    const { initiate, putParts, call } = await start();
    const uploadId = await initiate();
    const body = await putParts(uploadId, [Buffer.from('a')]);
    const response = await call('POST', { uploadId, 'encoding-type': 'url' }, { body });
    expect(readXml(await response.text())).toMatchObject({
      EncodingType: 'url',
      Key: 'mp%2Fgro%C3%9Fe%20datei%2B%25.bin',
    });
  });
});

describe('x-oss-complete-all', () => {
  it('takes all parts by their numbers', async () => {
    const { initiate, putPart, completeAll, read } = await start();
    const uploadId = await initiate();
    const parts = new Map([
      [7, randomBytes(3)],
      [2, randomBytes(MIN_PART_BYTES)],
      [5, randomBytes(MIN_PART_BYTES)],
    ]);
    for (const [number, bytes] of parts) await putPart(uploadId, number, bytes);
    const completed = await completeAll(uploadId);
    const whole = Buffer.concat([2, 5, 7].map((number) => parts.get(number) ?? Buffer.of()));
    expect([completed.status, completed.headers.get('x-oss-hash-crc64ecma')]).toStrictEqual([
      200,
      crcOf(whole),
    ]);
    expect((await read()).equals(whole)).toBe(true);
  });

  it('rejects a body, too small parts, an upload without parts, and any value but yes', async () => {
    const { initiate, putPart, completeAll, head } = await start();
    const uploadId = await initiate();
    expect(await faultOf(await completeAll(uploadId))).toStrictEqual([400, 'InvalidPart', undefined]);
    await putPart(uploadId, 1, Buffer.from('a'));
    await putPart(uploadId, 2, Buffer.from('b'));
    expect(await faultOf(await completeAll(uploadId, { body: completeList([]) }))).toStrictEqual([
      400,
      'InvalidArgument',
      '0042-00000216',
    ]);
    expect(await faultOf(await completeAll(uploadId))).toStrictEqual([
      400,
      'EntityTooSmall',
      '0042-00000213',
    ]);
    const headers = { 'x-oss-complete-all': 'no' };
    expect(await faultOf(await completeAll(uploadId, { headers }))).toStrictEqual([
      400,
      'InvalidArgument',
      undefined,
    ]);
    expect((await head()).status).toBe(404);
  });
});
