import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createCallLimit } from '../../../src/storage/call-limit.ts';
import type {
  BucketClient,
  MultipartUpload,
  SigningCredentials,
} from '../../../src/storage/object-storage.ts';
import { prepareBucket } from '../../../src/storage/oss/bucket.ts';
import { readErrorResponse } from '../../../src/storage/oss/error-response.ts';
import { readPartsPage } from '../../../src/storage/oss/multipart-xml.ts';
import { fixedClock } from '../../support/fixed-clock.ts';
import { medianTurnMs } from '../../support/longest-turn.ts';
import {
  createRecordingClient as createClient,
  failureOf,
  REQUEST_ID,
} from '../../support/storage-client.ts';
import { BUCKET, REGION, startTestEmulator, TEMPORARY } from '../../support/test-emulator.ts';
import { startTestServer } from '../../support/test-server.ts';

const KEY = 'users/ä b+c.mp4';
const UPLOAD = { key: KEY, uploadId: '0004B9894A22E5B1888A1E29F8236E2D' };
const ETAG = '3349DC700140D7F86A0784842780AAAA';
const PARTS = [
  { partNumber: 1, etag: ETAG },
  { partNumber: 2, etag: ETAG },
];

type StubResponse = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};
type Received = Pick<IncomingMessage, 'method' | 'url' | 'headers'> & { readonly body: string };

/** A server that sends these responses in turn, and the last one from then on. */
async function startStorage(...responses: readonly StubResponse[]) {
  const received: Received[] = [];
  const server = await startTestServer((request, response) => {
    const { method, url, headers } = request;
    void text(request).then((body) => {
      const stub = responses[Math.min(received.length, responses.length - 1)];
      received.push({ method, url, headers, body });
      const { status = 200, headers: extra = {}, body: sent = '' } = stub ?? {};
      response.writeHead(status, { 'x-oss-request-id': REQUEST_ID, ...extra }).end(sent);
    });
  });
  return { ...server, received };
}

const xml = (root: string, elements: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com">\n${elements}</${root}>`;
const encodedKey = `<EncodingType>url</EncodingType><Key>${encodeURIComponent(KEY)}</Key>`;
const initiated = (elements = `${encodedKey}<UploadId>${UPLOAD.uploadId}</UploadId>`): StubResponse => ({
  body: xml('InitiateMultipartUploadResult', `<Bucket>acme-media</Bucket>${elements}`),
});
const part = (number: number | string, size: number | string = 102_400, etag = `"${ETAG}"`) =>
  `<Part><PartNumber>${number}</PartNumber><LastModified>2012-02-23T07:01:34.000Z</LastModified><ETag>${etag}</ETag><HashCrc64ecma>18446744073709551615</HashCrc64ecma><Size>${size}</Size></Part>`;
const ofUpload = `${encodedKey}<UploadId>${UPLOAD.uploadId}</UploadId>`;
const page = (parts: string, isTruncated = false, about = ofUpload): StubResponse => ({
  body: xml('ListPartsResult', `${about}<IsTruncated>${isTruncated}</IsTruncated>${parts}`),
});
const pageOf = (from: number, to: number, isTruncated = false) =>
  page(Array.from({ length: to - from + 1 }, (_, index) => part(from + index)).join(''), isTruncated);
const completed: StubResponse = {
  body: xml('CompleteMultipartUploadResult', `${encodedKey}<ETag>"${ETAG}-2"</ETag>`),
};
const ossError = (status: number, code: string, ec?: string): StubResponse => ({
  status,
  headers: ec === undefined ? {} : { 'x-oss-ec': ec },
  body: xml('Error', `<Code>${code}</Code><Message>secret</Message><RequestId>${REQUEST_ID}</RequestId>`),
});
const NO_SUCH_UPLOAD = ossError(404, 'NoSuchUpload', '0042-00000002');

/** Each call, with a response that is its result. */
const CALLS: Readonly<
  Record<string, { readonly call: (client: BucketClient) => Promise<unknown>; readonly ok: StubResponse }>
> = {
  InitiateMultipartUpload: {
    call: (client) => client.initiateMultipartUpload(KEY, { 'Content-Type': 'video/mp4' }),
    ok: initiated(),
  },
  ListParts: { call: (client) => client.listParts(UPLOAD), ok: pageOf(1, 2) },
  CompleteMultipartUpload: {
    call: (client) => client.completeMultipartUpload(UPLOAD, PARTS, {}),
    ok: completed,
  },
  AbortMultipartUpload: { call: (client) => client.abortMultipartUpload(UPLOAD), ok: NO_SUCH_UPLOAD },
};
const EACH_CALL = Object.entries(CALLS).map(([operation, { call, ok }]) => ({ operation, call, ok }));
const REPEATABLE = EACH_CALL.filter(({ operation }) => operation !== 'CompleteMultipartUpload');

const OF_AN_UPLOAD = EACH_CALL.filter(({ operation }) => operation !== 'InitiateMultipartUpload');

describe('InitiateMultipartUpload', () => {
  it('sends the headers of the object, signed, and no body, and returns the multipart upload', async () => {
    const storage = await startStorage(initiated());
    const { initiateMultipartUpload, outcomes } = createClient(storage.origin);
    const headers = { 'Content-Type': 'video/mp4', 'x-oss-forbid-overwrite': 'true', Expires: 'x' };
    expect(await initiateMultipartUpload(KEY, headers)).toStrictEqual(UPLOAD);
    const [{ method, url, headers: sent, body } = expect.fail()] = storage.received;
    expect([method, url, body]).toStrictEqual([
      'POST',
      '/acme-media/users/%C3%A4%20b%2Bc.mp4?encoding-type=url&uploads',
      '',
    ]);
    expect(sent).toMatchObject({
      'content-type': 'video/mp4',
      'x-oss-forbid-overwrite': 'true',
      expires: 'x',
      'content-length': '0',
    });
    expect(outcomes).toStrictEqual(['InitiateMultipartUpload ok']);
  });

  it.each([
    ['32 hexadecimal digits', UPLOAD.uploadId],
    ['any printable ASCII', '~a&lt;b/+%41'],
    ['1,024 characters', 'a'.repeat(1024)],
  ])('accepts an id of %s', async (_, uploadId) => {
    const storage = await startStorage(initiated(`${encodedKey}<UploadId>${uploadId}</UploadId>`));
    const { initiateMultipartUpload } = createClient(storage.origin);
    expect(await initiateMultipartUpload(KEY, {})).toStrictEqual({
      key: KEY,
      uploadId: uploadId.replace('&lt;', '<'),
    });
  });

  it('reports that the object exists', async () => {
    const storage = await startStorage(ossError(409, 'FileAlreadyExists', '0026-00000002'));
    const { initiateMultipartUpload, outcomes } = createClient(storage.origin);
    expect(await initiateMultipartUpload(KEY, {})).toBe('object_exists');
    expect(outcomes).toStrictEqual(['InitiateMultipartUpload ok']);
  });

  it.each([
    ['of another key', `<Key>${KEY}.</Key><UploadId>a</UploadId>`],
    ['without a key', '<UploadId>a</UploadId>'],
    ['with two keys', `<Key>${KEY}</Key><Key>${KEY}</Key><UploadId>a</UploadId>`],
    [
      'with a key that is encoded but not marked',
      `<Key>${encodeURIComponent(KEY)}</Key><UploadId>a</UploadId>`,
    ],
    ['with a key that is not encoded', `<EncodingType>url</EncodingType><Key>%</Key><UploadId>a</UploadId>`],
    ['without an id', encodedKey],
    ['with an empty id', `${encodedKey}<UploadId/>`],
    ['with a blank in the id', `${encodedKey}<UploadId>a b</UploadId>`],
    ['with two ids', `${encodedKey}<UploadId>a</UploadId><UploadId>b</UploadId>`],
    ['with an id of 1,025 characters', `${encodedKey}<UploadId>${'a'.repeat(1025)}</UploadId>`],
    ['with an id in another element', `${encodedKey}<Upload><UploadId>a</UploadId></Upload>`],
  ])('rejects a response %s', async (_, elements) => {
    const storage = await startStorage(initiated(elements));
    const { kind } = await failureOf(createClient(storage.origin).initiateMultipartUpload(KEY, {}));
    expect(kind).toBe('invalid_response');
    expect(storage.received).toHaveLength(1);
  });

  it.each([
    ['percent-encoded', `<EncodingType>url</EncodingType><Key>${encodeURIComponent(KEY)}</Key>`],
    ['with "+" for a space', `<EncodingType>url</EncodingType><Key>users/%C3%A4+b%2Bc.mp4</Key>`],
    ['with "+" for itself', `<EncodingType>url</EncodingType><Key>users/%C3%A4%20b+c.mp4</Key>`],
    ['as it is', `<Key>${KEY}</Key>`],
  ])('recognizes the key %s', async (_, elements) => {
    const storage = await startStorage(initiated(`${elements}<UploadId>a</UploadId>`));
    const uploaded = await createClient(storage.origin).initiateMultipartUpload(KEY, {});
    expect(uploaded).toStrictEqual({ key: KEY, uploadId: 'a' });
  });
});

describe('ListParts', () => {
  it('asks for the largest page, and returns numbers, lengths and ETags', async () => {
    const storage = await startStorage(
      page(`${part(1)}${part(2, 0, `&quot;${ETAG}&#34;`)}${part(10_000, 5 * 1024 ** 3, ETAG)}`),
    );
    const { listParts, outcomes } = createClient(storage.origin);
    expect(await listParts(UPLOAD)).toStrictEqual([
      { partNumber: 1, contentLength: 102_400, etag: ETAG },
      { partNumber: 2, contentLength: 0, etag: ETAG },
      { partNumber: 10_000, contentLength: 5 * 1024 ** 3, etag: ETAG },
    ]);
    expect(storage.received.map(({ method, url }) => [method, url])).toStrictEqual([
      [
        'GET',
        `/acme-media/users/%C3%A4%20b%2Bc.mp4?encoding-type=url&max-parts=1000&uploadId=${UPLOAD.uploadId}`,
      ],
    ]);
    expect(outcomes).toStrictEqual(['ListParts ok']);
  });

  it('reads all pages', async () => {
    const pages = Array.from({ length: 10 }, (_, index) =>
      pageOf(index * 1000 + 1, (index + 1) * 1000, index < 9),
    );
    const storage = await startStorage(...pages);
    const { listParts, outcomes } = createClient(storage.origin);
    const parts = await listParts(UPLOAD);
    expect(parts?.map(({ partNumber }) => partNumber)).toStrictEqual(
      Array.from({ length: 10_000 }, (_, index) => index + 1),
    );
    expect(storage.received.map(({ url }) => /part-number-marker=(\d+)/.exec(url ?? '')?.[1])).toStrictEqual([
      undefined,
      ...Array.from({ length: 9 }, (_, index) => `${(index + 1) * 1000}`),
    ]);
    expect(outcomes).toHaveLength(10);
  });

  it('asks for each page with the credentials of its moment', async () => {
    const storage = await startStorage(pageOf(1, 1000, true), pageOf(1001, 1001));
    const current: SigningCredentials[] = [TEMPORARY, { ...TEMPORARY, securityToken: 'new' }];
    const { listParts } = createClient(storage.origin, {
      credentials: async () => current.shift() as SigningCredentials,
    });
    expect(await listParts(UPLOAD)).toHaveLength(1001);
    expect(storage.received.map(({ headers }) => headers['x-oss-security-token'])).toStrictEqual([
      TEMPORARY.securityToken,
      'new',
    ]);
  });

  it('returns no parts of an upload that has none', async () => {
    const storage = await startStorage(page(''));
    expect(await createClient(storage.origin).listParts(UPLOAD)).toStrictEqual([]);
  });

  it('reports an upload that is gone, also between two pages', async () => {
    const storage = await startStorage(pageOf(1, 1000, true), NO_SUCH_UPLOAD);
    const { listParts, outcomes } = createClient(storage.origin);
    expect(await listParts(UPLOAD)).toBeUndefined();
    expect(outcomes).toStrictEqual(['ListParts ok', 'ListParts absent']);
  });

  it.each([
    ['of another key', page('', false, `<Key>a</Key><UploadId>${UPLOAD.uploadId}</UploadId>`)],
    ['of another upload', page('', false, `${encodedKey}<UploadId>a</UploadId>`)],
    ['without an upload id', page('', false, encodedKey)],
    ['that does not state whether parts follow', { body: xml('ListPartsResult', ofUpload) }],
    [
      'that states it with another word',
      { body: xml('ListPartsResult', `${ofUpload}<IsTruncated>1</IsTruncated>`) },
    ],
    ['that is truncated without a part', page('', true)],
    ['with part 0', page(part(0))],
    ['with part 10001', page(part(10_001))],
    ['with part -1', page(part(-1))],
    ['with part 1.5', page(part('1.5'))],
    ['with part 1e3', page(part('1e3'))],
    ['with a part without a number', page(part(''))],
    ['with a part twice', page(part(1) + part(1))],
    ['with parts that are not ascending', page(part(2) + part(1))],
    ['with a negative size', page(part(1, -1))],
    ['with a size above 5 GiB', page(part(1, 5 * 1024 ** 3 + 1))],
    ['with a size beyond all numbers', page(part(1, '9'.repeat(400)))],
    ['with a size that is no number', page(part(1, 'NaN'))],
    ['with a hexadecimal size', page(part(1, '0x10'))],
    ['with a part without a size', page('<Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part>')],
    ['with two sizes', page(part(1).replace('<Size>', '<Size>1</Size><Size>'))],
    ['with a part without an ETag', page('<Part><PartNumber>1</PartNumber><Size>1</Size></Part>')],
    ['with an ETag that needs escapes', page(part(1, 1, '"a&lt;b"'))],
    ['with an ETag of 129 characters', page(part(1, 1, 'a'.repeat(129)))],
    [
      'with a declared entity',
      { body: `<!DOCTYPE ListPartsResult [<!ENTITY a "1">]>${page(part('&a;')).body}` },
    ],
  ])('rejects a page %s', async (_, stub) => {
    const storage = await startStorage(stub);
    const { listParts, outcomes } = createClient(storage.origin);
    expect((await failureOf(listParts(UPLOAD))).kind).toBe('invalid_response');
    expect(storage.received).toHaveLength(1);
    expect(outcomes).toStrictEqual(['ListParts invalid_response']);
  });

  it('rejects a list that does not advance', async () => {
    const storage = await startStorage(pageOf(1, 1000, true));
    expect((await failureOf(createClient(storage.origin).listParts(UPLOAD))).kind).toBe('invalid_response');
    expect(storage.received).toHaveLength(2);
  });

  it('rejects a list that has more than 12 pages', async () => {
    const storage = await startStorage(
      ...Array.from({ length: 30 }, (_, index) => page(part(index + 1), true)),
    );
    const { kind, message } = await failureOf(createClient(storage.origin).listParts(UPLOAD));
    expect([kind, message]).toStrictEqual([
      'invalid_response',
      `127.0.0.1:${storage.port} sent more than 12 pages to ListParts`,
    ]);
    expect(storage.received).toHaveLength(12);
  });
});

describe('CompleteMultipartUpload', () => {
  it('sends the list of parts with its MD5 and the headers', async () => {
    const storage = await startStorage(completed);
    const { completeMultipartUpload, outcomes } = createClient(storage.origin);
    const headers = { 'x-oss-forbid-overwrite': 'true' };
    expect(await completeMultipartUpload(UPLOAD, PARTS, headers)).toBe('completed');
    const [{ method, url, headers: sent, body } = expect.fail()] = storage.received;
    expect([method, url, body]).toStrictEqual([
      'POST',
      `/acme-media/users/%C3%A4%20b%2Bc.mp4?encoding-type=url&uploadId=${UPLOAD.uploadId}`,
      `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"${ETAG}"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>"${ETAG}"</ETag></Part></CompleteMultipartUpload>`,
    ]);
    expect(sent).toMatchObject({ 'x-oss-forbid-overwrite': 'true', 'content-length': `${body.length}` });
    expect(sent).not.toHaveProperty('content-type');
    expect(outcomes).toStrictEqual(['CompleteMultipartUpload ok']);
  });

  it.each([
    ['no_such_upload', 'absent', NO_SUCH_UPLOAD],
    ['no_such_upload', 'absent', ossError(200, 'NoSuchUpload')],
    ['object_exists', 'ok', ossError(409, 'FileAlreadyExists', '0042-00000214')],
    ['object_exists', 'ok', ossError(200, 'FileAlreadyExists')],
    ['parts_changed', 'ok', ossError(400, 'InvalidPart')],
    ['parts_changed', 'ok', ossError(200, 'InvalidPart')],
    ['parts_changed', 'ok', ossError(400, 'FilePartNotExist')],
    ['parts_changed', 'ok', ossError(400, 'FilePartStale')],
    ['parts_changed', 'ok', ossError(400, 'FilePartInterity')],
  ] as const)('returns %s, observed as %s: %j', async (result, outcome, stub) => {
    const storage = await startStorage(stub);
    const { completeMultipartUpload, outcomes } = createClient(storage.origin);
    expect(await completeMultipartUpload(UPLOAD, PARTS, {})).toBe(result);
    expect(outcomes).toStrictEqual([`CompleteMultipartUpload ${outcome}`]);
    expect(storage.received).toHaveLength(1);
  });

  it.each([
    ['busy', 'an internal error after 200', ossError(200, 'InternalError')],
    ['denied', 'another error after 200', ossError(200, 'AccessDenied')],
    ['busy', 'a request that took OSS too long to receive', ossError(400, 'RequestTimeout')],
    ['denied', 'a part that is too small', ossError(400, 'EntityTooSmall', '0042-00000213')],
    [
      'invalid_response',
      'a result of another key',
      { body: completed.body?.toString().replace('.mp4', '.mov') ?? '' },
    ],
    ['invalid_response', 'the JSON of a callback that was not asked for', { body: '{"Status":"OK"}' }],
    ['denied', 'a callback that failed and was not asked for', ossError(203, 'CallbackFailed')],
    ['invalid_response', 'an empty body', { body: '' }],
    ['invalid_response', 'half of a result', { body: completed.body?.slice(0, 90) ?? '' }],
    ['invalid_response', '204', { status: 204 }],
  ] as const)('is %s after %s', async (kind, _, stub) => {
    const storage = await startStorage(stub);
    const { completeMultipartUpload, outcomes } = createClient(storage.origin);
    expect((await failureOf(completeMultipartUpload(UPLOAD, PARTS, {}))).kind).toBe(kind);
    expect(outcomes).toStrictEqual([`CompleteMultipartUpload ${kind}`]);
    expect(storage.received).toHaveLength(1);
  });

  it.each([
    ['the response of its server', { body: '{"Status":"OK"}' }],
    ['an empty response of its server', { body: '' }],
    ['that it failed', ossError(203, 'CallbackFailed', '0007-00000203')],
    ['the result of OSS', completed],
  ] as const)('is completed if a callback was asked for, and the response is %s', async (_, stub) => {
    const storage = await startStorage(stub);
    const { completeMultipartUpload } = createClient(storage.origin);
    expect(await completeMultipartUpload(UPLOAD, PARTS, { 'X-Oss-Callback': 'e30=' })).toBe('completed');
  });

  it('is not completed if a callback was asked for, and the response is another error after 200', async () => {
    const storage = await startStorage(ossError(200, 'InternalError'));
    const { completeMultipartUpload } = createClient(storage.origin);
    const failed = completeMultipartUpload(UPLOAD, PARTS, { 'x-oss-callback': 'e30=' });
    expect((await failureOf(failed)).kind).toBe('busy');
  });

  it.each([
    ['NoSuchUpload', 'no_such_upload', ossError(404, 'NoSuchUpload')],
    ['InvalidPart after 200', 'parts_changed', ossError(200, 'InvalidPart')],
  ] as const)('reports %s also if a callback was asked for', async (_, result, stub) => {
    const storage = await startStorage(stub);
    const { completeMultipartUpload } = createClient(storage.origin);
    expect(await completeMultipartUpload(UPLOAD, PARTS, { 'x-oss-callback': 'e30=' })).toBe(result);
  });

  it.each([
    ['no part', []],
    ['a part twice', [PARTS[0], PARTS[0]]],
    ['parts that are not ascending', [PARTS[1], PARTS[0]]],
    ['part 0', [{ partNumber: 0, etag: ETAG }]],
    ['part 10001', [{ partNumber: 10_001, etag: ETAG }]],
    ['an ETag with markup', [{ partNumber: 1, etag: '</ETag>' }]],
    ['a quoted ETag', [{ partNumber: 1, etag: `"${ETAG}"` }]],
    ['an empty ETag', [{ partNumber: 1, etag: '' }]],
  ])('sends nothing for %s', async (_, parts) => {
    const { completeMultipartUpload, outcomes } = createClient('http://127.0.0.1:9');
    await expect(completeMultipartUpload(UPLOAD, parts as typeof PARTS, {})).rejects.toThrow(TypeError);
    expect(outcomes).toStrictEqual([]);
  });

  it('has 60 s, and one try, because OSS goes on if the response is lost', async () => {
    const limits: number[] = [];
    const timers = {
      timeout: (ms: number) => {
        limits.push(ms);
        return new AbortController().signal;
      },
      wait: async () => Promise.reject(new Error('the client waits')),
    };
    for (const stub of [ossError(500, 'InternalError'), ossError(503, 'SlowDown')]) {
      const storage = await startStorage(stub, completed);
      const client = createClient(storage.origin, { timers });
      expect((await failureOf(client.completeMultipartUpload(UPLOAD, PARTS, {}))).kind).toBe('busy');
      expect(storage.received).toHaveLength(1);
    }
    const reset = await startTestServer((request) => reset.reset(request));
    const client = createClient(reset.origin, { timers });
    expect((await failureOf(client.completeMultipartUpload(UPLOAD, PARTS, {}))).kind).toBe('unreachable');
    expect(reset.requests).toHaveLength(1);
    expect(limits).toStrictEqual([60_000, 60_000, 60_000]);
  });
});

describe('as an official SDK sends it', () => {
  type Vector = {
    readonly name: string;
    readonly input: {
      readonly bucket: string;
      readonly region: string;
      readonly key: string;
      readonly accessKeyId: string;
      readonly accessKeySecret: string;
      readonly securityToken?: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly query: Readonly<Record<string, string>>;
      readonly signTime: string;
    };
    readonly expected: { readonly authorization: string; readonly signedHeaders: Record<string, string> };
  };
  const vectors = (
    JSON.parse(readFileSync(new URL('signing/vectors/header-calls.json', import.meta.url), 'utf8')) as {
      readonly vectors: readonly Vector[];
    }
  ).vectors.filter(({ name }) => /^hdr-(?:go|py)-init|^hdr-py-complete(?:-sts)?$/.test(name));

  it('has the calls whose query and body are those of an SDK', () => {
    expect(vectors.map(({ name }) => name).sort()).toStrictEqual([
      ...['hdr-go-init', 'hdr-go-init-object-headers', 'hdr-py-complete', 'hdr-py-complete-sts'],
      ...['hdr-py-init', 'hdr-py-init-object-headers'],
    ]);
  });

  it.each(vectors)('$name', async ({ input, expected }) => {
    const { accessKeyId, accessKeySecret, securityToken, bucket, region, key, query, signTime } = input;
    const storage = await startStorage(NO_SUCH_UPLOAD);
    const client = createClient('', {
      target: { bucket, region, serviceEndpoint: { url: storage.origin, addressing: 'path' } },
      credentials: async () => ({
        accessKeyId,
        accessKeySecret,
        ...(securityToken !== undefined && { securityToken }),
      }),
      clock: () => new Date(signTime),
    });
    const { uploadId } = query;
    if (uploadId === undefined) await failureOf(client.initiateMultipartUpload(key, input.headers));
    else {
      const parts = [
        { partNumber: 1, etag: '3349DC700140D7F86A0784842780AAAA' },
        { partNumber: 2, etag: '8EFDA8BE206636A695359836FE0ABBBB' },
        { partNumber: 5, etag: '8C315065167132444177411FDA14CCCC' },
      ];
      const { 'content-md5': _, ...headers } = input.headers;
      const sent = securityToken === undefined ? parts : parts.slice(0, 1);
      await client.completeMultipartUpload({ key, uploadId }, sent, headers);
    }
    expect(storage.received[0]?.headers).toMatchObject({
      ...expected.signedHeaders,
      authorization: expected.authorization,
    });
  });
});

describe('AbortMultipartUpload', () => {
  it('is repeated until the upload is gone', async () => {
    const storage = await startStorage({ status: 204 }, NO_SUCH_UPLOAD);
    const { abortMultipartUpload, outcomes } = createClient(storage.origin);
    expect(await abortMultipartUpload(UPLOAD)).toBeUndefined();
    expect(storage.received.map(({ method, url, body }) => [method, url, body])).toStrictEqual(
      Array(2).fill(['DELETE', `/acme-media/users/%C3%A4%20b%2Bc.mp4?uploadId=${UPLOAD.uploadId}`, '']),
    );
    expect(outcomes).toStrictEqual(['AbortMultipartUpload ok', 'AbortMultipartUpload absent']);
  });

  it('is made three times at most', async () => {
    const storage = await startStorage({ status: 204 });
    await createClient(storage.origin).abortMultipartUpload(UPLOAD);
    expect(storage.received).toHaveLength(3);
  });

  it('succeeds if the upload is gone already', async () => {
    const storage = await startStorage(NO_SUCH_UPLOAD);
    await createClient(storage.origin).abortMultipartUpload(UPLOAD);
    expect(storage.received).toHaveLength(1);
  });

  it.each([
    ['200', { status: 200 }],
    ['204 of another server', { status: 204, headers: { 'x-oss-request-id': 'tx00' } }],
  ] as const)('rejects %s', async (_, stub) => {
    const storage = await startStorage(stub);
    const { kind } = await failureOf(createClient(storage.origin).abortMultipartUpload(UPLOAD));
    expect(kind).toBe('invalid_response');
  });

  it('reports a failure after the first time', async () => {
    const storage = await startStorage({ status: 204 }, ossError(403, 'AccessDenied'));
    const { kind } = await failureOf(createClient(storage.origin).abortMultipartUpload(UPLOAD));
    expect(kind).toBe('denied');
  });
});

describe.each(EACH_CALL)('$operation', ({ operation, call, ok }) => {
  const result = ok.status === undefined ? ok : {};

  it('follows the credentials: the second try has those that replaced the rejected ones', async () => {
    const storage = await startStorage(ossError(403, 'SecurityTokenExpired'), ok);
    const current: SigningCredentials[] = [TEMPORARY, { ...TEMPORARY, securityToken: 'new' }];
    const client = createClient(storage.origin, {
      credentials: async () => current.shift() as SigningCredentials,
    });
    await call(client);
    expect(storage.received.map(({ headers }) => headers['x-oss-security-token'])).toStrictEqual([
      TEMPORARY.securityToken,
      'new',
    ]);
    expect(client.waits).toStrictEqual([]);
  });

  it.each([
    ['denied', 'a bucket that does not exist', ossError(404, 'NoSuchBucket')],
    ['denied', '403', ossError(403, 'AccessDenied', '0003-00000301')],
    ['denied', '403 with an empty body', { status: 403 }],
    ['denied', 'another 409', ossError(409, 'FileImmutable')],
    ['busy', '429', { status: 429 }],
    ['invalid_response', '404 of a proxy', { status: 404, body: '<html><body>Not found</body></html>' }],
    ['invalid_response', 'a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }],
    [
      'invalid_response',
      'a redirect of OSS',
      { ...ossError(301, 'AccessDenied'), headers: { location: '/' } },
    ],
    ['invalid_response', '200 of a proxy', { body: '<html><body>Welcome</body></html>' }],
    ['invalid_response', '200 of another storage', { ...result, headers: { 'x-oss-request-id': 'tx0' } }],
    ['invalid_response', '206', { ...result, status: 206 }],
    ['invalid_response', 'the result of another call', { body: xml('Result', ofUpload) }],
    ['invalid_response', 'bytes that are not UTF-8', { body: Buffer.from('c328', 'hex') }],
    ['invalid_response', 'half of a document', { body: '<ListPartsResult><Key>' }],
    ['invalid_response', 'JSON', { body: '{"Key":"a"}' }],
    ['invalid_response', 'two root elements', { body: '<a/><b/>' }],
    ['invalid_response', 'a body of 600 KiB', { body: `<a>${'x'.repeat(600 * 1024)}</a>` }],
  ] as const)('is %s after %s, after one try', async (kind, _, stub) => {
    const storage = await startStorage(stub);
    const client = createClient(storage.origin);
    const error = await failureOf(call(client));
    expect(error.kind).toBe(kind);
    expect(client.outcomes).toStrictEqual([`${operation} ${kind}`]);
    expect(storage.received).toHaveLength(1);
    expect(`${error.message}${JSON.stringify(error.details)}`).not.toMatch(/secret|users|0004B9894A22/);
  });

  it('repeats nothing of what a server sends, except a code', async () => {
    const storage = await startTestServer((request, response) => {
      const repeated = `${request.headers.authorization} ${request.url}`;
      response
        .writeHead(403, { 'x-oss-request-id': REQUEST_ID })
        .end(`<Error><Code>${repeated.replaceAll('&', '')}</Code><Message>${repeated}</Message></Error>`);
    });
    const { message, details } = await failureOf(call(createClient(storage.origin)));
    expect({ message, details }).toStrictEqual({
      message: `127.0.0.1:${storage.port} responded to ${operation} with 403`,
      details: { status: 403, code: undefined, ec: undefined, requestId: REQUEST_ID },
    });
  });

  it.each(['', '.', 'a/../b'])('sends nothing for the key %j', async (key) => {
    const client = createClient('http://127.0.0.1:9');
    const calls = [
      client.initiateMultipartUpload(key, {}),
      client.listParts({ ...UPLOAD, key }),
      client.completeMultipartUpload({ ...UPLOAD, key }, PARTS, {}),
      client.abortMultipartUpload({ ...UPLOAD, key }),
    ];
    for (const sent of calls) await expect(sent).rejects.toThrow(TypeError);
    expect(client.outcomes).toStrictEqual([]);
  });

  it('ends when its time is over, also while the body arrives', async () => {
    const server = await startTestServer((_, response) => {
      response.writeHead(200, { 'x-oss-request-id': REQUEST_ID }).write('<');
    });
    const controller = new AbortController();
    const limits: number[] = [];
    const callLimit = createCallLimit(1);
    const client = createClient(server.origin, {
      callLimit,
      timers: {
        timeout: (ms) => {
          limits.push(ms);
          return controller.signal;
        },
        wait: async () => Promise.reject(new Error('the client waits')),
      },
    });
    const failed = failureOf(call(client));
    while (server.requests.length === 0) await setImmediate();
    expect(callLimit.enter('short')).toBeUndefined();
    controller.abort();
    const { kind, message } = await failed;
    expect([kind, message]).toStrictEqual([
      'unreachable',
      `127.0.0.1:${server.port} did not respond in time`,
    ]);
    expect(limits).toStrictEqual([operation === 'CompleteMultipartUpload' ? 60_000 : 5_000]);
    expect(server.requests).toHaveLength(1);
    expect(callLimit.enter('short')).toBeDefined();
  });

  it('is one of the calls in progress that are limited', async () => {
    const callLimit = createCallLimit(1);
    callLimit.enter('short');
    const client = createClient('http://127.0.0.1:9', { callLimit });
    const { kind, message } = await failureOf(call(client));
    const limit =
      operation === 'CompleteMultipartUpload'
        ? '1 calls to the storage, or 1 long ones,'
        : '1 calls to the storage';
    expect([kind, message]).toStrictEqual(['busy', `${limit} are in progress`]);
    expect(client.outcomes).toStrictEqual([`${operation} busy`]);
  });
});

describe.each(OF_AN_UPLOAD)('$operation', ({ operation, call }) => {
  it.each([
    ['NoSuchUpload', NO_SUCH_UPLOAD],
    ['NoSuchUpload without an EC', ossError(404, 'NoSuchUpload')],
    [
      'x-oss-err without a body',
      {
        status: 404,
        headers: { 'x-oss-err': Buffer.from(String(NO_SUCH_UPLOAD.body)).toString('base64') },
      },
    ],
    ['the EC without a code', { status: 404, headers: { 'x-oss-ec': '0042-00000104' } }],
  ])('finds no such upload: %s', async (_, stub) => {
    const storage = await startStorage(stub);
    const client = createClient(storage.origin);
    await call(client);
    expect(client.outcomes).toStrictEqual([`${operation} absent`]);
  });

  it('does not mistake another EC for that of NoSuchUpload', async () => {
    const storage = await startStorage({ status: 404, headers: { 'x-oss-ec': '0015-00000101' } });
    expect((await failureOf(call(createClient(storage.origin)))).kind).toBe('invalid_response');
  });

  it('does not mistake another code for NoSuchUpload because of the EC', async () => {
    const storage = await startStorage(ossError(404, 'NoSuchBucket', '0042-00000104'));
    expect((await failureOf(call(createClient(storage.origin)))).kind).toBe('denied');
  });
});

describe.each(REPEATABLE)('$operation', ({ call, ok }) => {
  it.each([
    ['500', ossError(500, 'InternalError')],
    ['503', ossError(503, 'ServiceUnavailable')],
    ['502 of a proxy', { status: 502, body: '<html></html>' }],
  ] as const)('has a second try after %s', async (_, stub) => {
    const storage = await startStorage(stub, ok);
    const client = createClient(storage.origin);
    await call(client);
    expect(storage.received).toHaveLength(2);
    expect(client.waits).toStrictEqual([200]);
  });

  it('has a second try after a reset connection, which is the last one', async () => {
    const server = await startTestServer((request) => server.reset(request));
    expect((await failureOf(call(createClient(server.origin)))).kind).toBe('unreachable');
    expect(server.requests).toHaveLength(2);
  });
});

describe('a deadline', () => {
  const now = fixedClock();
  const deadline = new Date(now.getTime() + 3_000);

  /** Records how long each call may take, on a clock that advances by a second with each. */
  function timed(origin: string) {
    const limits: number[] = [];
    let seconds = 0;
    const client = createClient(origin, {
      clock: () => new Date(now.getTime() + seconds * 1000),
      timers: {
        timeout: (ms) => {
          limits.push(ms);
          seconds += 1;
          return new AbortController().signal;
        },
        wait: async () => undefined,
      },
    });
    return { client, limits };
  }

  it('shortens the pages of a list, and ends it', async () => {
    const storage = await startStorage(
      ...Array.from({ length: 10 }, (_, index) => page(part(index + 1), true)),
    );
    const { client, limits } = timed(storage.origin);
    const { kind, message } = await failureOf(client.listParts(UPLOAD, deadline));
    expect([kind, message]).toStrictEqual([
      'unreachable',
      `no time was left for a call to 127.0.0.1:${storage.port}`,
    ]);
    expect(limits).toStrictEqual([3_000, 2_000, 1_000]);
    expect(storage.received).toHaveLength(3);
    expect(client.outcomes.at(-1)).toBe('ListParts unreachable');
  });

  it('shortens the call that completes, and does not lengthen it', async () => {
    const storage = await startStorage(completed);
    const { client, limits } = timed(storage.origin);
    await client.completeMultipartUpload(UPLOAD, PARTS, {}, deadline);
    await client.completeMultipartUpload(UPLOAD, PARTS, {}, new Date(now.getTime() + 600_000));
    expect(limits).toStrictEqual([3_000, 60_000]);
  });

  it('shortens the check of the object, does not lengthen it, and prevents a late one', async () => {
    const storage = await startStorage(completed);
    const { client, limits } = timed(storage.origin);
    const head = (until?: Date) => client.headObject(UPLOAD.key, until).catch(() => undefined);
    await head(deadline);
    await head(new Date(now.getTime() + 600_000));
    await head();
    const { kind } = await failureOf(client.headObject(UPLOAD.key, deadline));
    expect(kind).toBe('unreachable');
    expect(limits).toStrictEqual([3_000, 5_000, 5_000]);
    expect(storage.received.length).toBeGreaterThan(0);
  });
});

describe('with the emulator', () => {
  const FIRST = 'a'.repeat(102_400);
  const RULE = {
    'x-oss-storage-class': 'IA',
    'x-oss-traffic-limit': '819200',
    'x-oss-object-acl': 'private',
  };
  const DESCRIBED = { key: KEY, contentType: 'video/mp4', metadata: { album: '42' }, overwrite: false };

  async function start(options: Parameters<typeof startTestEmulator>[0] = {}) {
    const emulator = await startTestEmulator(options);
    const client = createClient(emulator.url);
    const uploads = prepareBucket({
      bucket: BUCKET,
      region: REGION,
      endpoint: { url: emulator.url, addressing: 'path' },
    }).prepareUploads(RULE);
    const begin = async (overwrite = false) => {
      const begun = await client.initiateMultipartUpload(
        KEY,
        uploads.initiateHeaders({ ...DESCRIBED, overwrite }),
      );
      return begun === 'object_exists' ? expect.fail() : begun;
    };
    const putPart = async (upload: MultipartUpload, partNumber: number, body: string, granted = body) => {
      const part = { ...upload, partNumber, contentLength: granted.length };
      const signing = { credentials: TEMPORARY, signedAt: fixedClock(), expiresInSeconds: 600 };
      const { method, url, headers } = uploads.presignPart(part, signing);
      // Bytes without a type: fetch adds no header that is not signed.
      const response = await fetch(url, { method, headers, body: Buffer.from(body) });
      await response.arrayBuffer();
      return response.status;
    };
    return { ...client, ...emulator, uploads, begin, putPart };
  }

  it('uploads an object in parts that arrive in any order, one of them twice', async () => {
    const { begin, putPart, listParts, completeMultipartUpload, headObject, uploads } = await start();
    const upload = await begin();
    expect(await listParts(upload)).toStrictEqual([]);
    expect(await putPart(upload, 2, 'bc')).toBe(200);
    expect(await putPart(upload, 1, FIRST)).toBe(200);
    expect(await putPart(upload, 2, 'de')).toBe(200);
    const parts = (await listParts(upload)) ?? expect.fail();
    expect(parts.map(({ partNumber, contentLength }) => [partNumber, contentLength])).toStrictEqual([
      [1, 102_400],
      [2, 2],
    ]);
    expect(await completeMultipartUpload(upload, parts, uploads.completeHeaders(false))).toBe('completed');
    expect(await headObject(KEY)).toMatchObject({
      contentLength: 102_402,
      contentType: 'video/mp4',
      metadata: { album: '42' },
      objectType: 'multipart',
      contentMd5: undefined,
    });
    expect(await completeMultipartUpload(upload, parts, {})).toBe('no_such_upload');
    expect(await listParts(upload)).toBeUndefined();
  });

  it('keeps an existing object at both ends, unless the upload replaces it', async () => {
    const { begin, putPart, put, initiateMultipartUpload, listParts, completeMultipartUpload, uploads } =
      await start();
    const upload = await begin();
    await putPart(upload, 1, 'new');
    await put(KEY, 'old');
    const parts = (await listParts(upload)) ?? expect.fail();
    expect(await initiateMultipartUpload(KEY, uploads.initiateHeaders(DESCRIBED))).toBe('object_exists');
    expect(await completeMultipartUpload(upload, parts, uploads.completeHeaders(false))).toBe(
      'object_exists',
    );
    expect(await completeMultipartUpload(upload, parts, uploads.completeHeaders(true))).toBe('completed');
  });

  it('reports parts that have been replaced, or are missing', async () => {
    const { begin, putPart, listParts, completeMultipartUpload } = await start();
    const upload = await begin();
    await putPart(upload, 1, 'one');
    const parts = (await listParts(upload)) ?? expect.fail();
    await putPart(upload, 1, 'two');
    expect(await completeMultipartUpload(upload, parts, {})).toBe('parts_changed');
    const absent = { partNumber: 2, etag: ETAG };
    const listed = (await listParts(upload)) ?? expect.fail();
    expect(await completeMultipartUpload(upload, [...listed, absent], {})).toBe('parts_changed');
    expect(await completeMultipartUpload(upload, listed, {})).toBe('completed');
  });

  it('accepts a part of the signed length only, as the signed number of the signed upload', async () => {
    const { begin, putPart, uploads } = await start();
    const upload = await begin();
    expect(await putPart(upload, 1, 'longer', 'short')).toBe(403);
    expect(await putPart(upload, 1, 'four', 'short')).toBe(403);
    const signing = { credentials: TEMPORARY, signedAt: fixedClock(), expiresInSeconds: 600 };
    const { url } = uploads.presignPart({ ...upload, partNumber: 1, contentLength: 5 }, signing);
    for (const [signed, changed] of [
      ['partNumber=1&', 'partNumber=2&'],
      [upload.uploadId, `${upload.uploadId}0`],
      ['traffic-limit=819200', 'traffic-limit=838860800'],
    ] as const) {
      expect(url).toContain(signed);
      const response = await fetch(url.replace(signed, changed), {
        method: 'PUT',
        body: Buffer.from('short'),
      });
      expect(response.status).toBe(403);
    }
  });

  it('aborts an upload, and again', async () => {
    const { begin, putPart, abortMultipartUpload, listParts, files } = await start();
    const upload = await begin();
    await putPart(upload, 1, 'one');
    await abortMultipartUpload(upload);
    expect(await listParts(upload)).toBeUndefined();
    expect(files()).toStrictEqual([]);
    await abortMultipartUpload(upload);
    expect(await putPart(upload, 1, 'one')).toBe(404);
  });

  it('finds no such upload under another key', async () => {
    const { begin, listParts } = await start();
    const { uploadId } = await begin();
    expect(await listParts({ key: 'other.mp4', uploadId })).toBeUndefined();
  });
});

describe('a hostile document', () => {
  const LENGTH = 500 * 1024;
  const filled = (text: string) => text.repeat(Math.floor(LENGTH / text.length));

  it.each([
    ['elements that are nested', filled('<a>')],
    ['elements that are empty', `<a>${filled('<b/>')}</a>`],
    ['references', `<a>${filled('&#34;')}</a>`],
    ['carriage returns', `<a>${filled('\r')}</a>`],
    ['line ends of Windows', `<a>${filled('\r\n')}</a>`],
    ['comments', `<a>${filled('<!---->')}</a>`],
    ['attributes', `<a ${Array.from({ length: 40_000 }, (_, index) => `b${index}=""`).join(' ')}/>`],
    ['one name', `<${filled('a')}/>`],
    ['a DTD that is open', `<!DOCTYPE a [${filled(']')}`],
    ['entities', `<!DOCTYPE a [${filled('<!ENTITY b "&a;&a;">')}]><a>&b;</a>`],
    ['a page of tiny parts', page(filled('<Part/>')).body as string],
  ])('of %s occupies the event loop for less than 50 ms', async (_, body) => {
    const document = Buffer.from(body);
    const tookMs = await medianTurnMs(50, async () => {
      expect(readPartsPage(document, UPLOAD, 0)).toBeUndefined();
      expect(readErrorResponse({ headers: new Headers(), body: document }).code).toBeUndefined();
    });
    expect(tookMs).toBeLessThan(50);
  });

  it('is not read if it has more than 30,000 tags and references', () => {
    const withElements = (count: number) =>
      readPartsPage(Buffer.from(String(page(`${part(1)}${'<X/>'.repeat(count)}`).body)), UPLOAD, 0);
    expect(withElements(29_900)?.parts).toHaveLength(1);
    expect(withElements(30_000)).toBeUndefined();
  });

  it('is as fast as the largest page that OSS sends', async () => {
    const document = Buffer.from(String(pageOf(1, 1000).body));
    const tookMs = await medianTurnMs(50, async () =>
      expect(readPartsPage(document, UPLOAD, 0)?.parts).toHaveLength(1000),
    );
    expect(tookMs).toBeLessThan(50);
  });
});

describe('a page of parts', () => {
  const TWO = [1, 2].map((partNumber) => ({ partNumber, contentLength: 102_400, etag: ETAG }));
  const indented = part(1).replaceAll('><', '>\r\n\t <');
  const read = (parts: string) => readPartsPage(Buffer.from(String(page(parts).body)), UPLOAD, 0)?.parts;

  it.each([
    ['one after the other', `${part(1)}${part(2)}`],
    ['indented', `\n  ${indented}\n  ${part(2)}\n`],
    [
      'with quotes as OSS escapes them',
      `${part(1, 102_400, `&quot;${ETAG}&quot;`)}${part(2, 102_400, `&#34;${ETAG}&#34;`)}`,
    ],
    ['with other references', `${part(1)}${part(2, '&#49;02400', `&#x22;${ETAG}&#x22;`)}`],
    ['with a section', `${part(1)}${part('<![CDATA[2]]>')}`],
    ['with a comment between them', `${part(1)}<!-- ${part(7)} -->${part(2)}`],
    ['with a comment before them', `<!-- ${part(7)} -->${part(1)}${part(2)}`],
    ['with an element between them', `${part(1)}<Owner><Part>7</Part></Owner>${part(2)}`],
    ['with parts of something else before them', `<Owner>${part(7)}</Owner>${part(1)}${part(2)}`],
    ['with an attribute', `${part(1).replace('<Part>', '<Part a="b">')}${part(2)}`],
    [
      'with a namespace',
      `${part(1)}${part(2)
        .replaceAll(/(<\/?)(?=\w)/g, '$1oss:')
        .replace('<oss:Part>', '<oss:Part xmlns:oss="x">')}`,
    ],
    ['with an element that is empty', `${part(1).replace('<Size>', '<Owner/><Size>')}${part(2)}`],
    ['with a text that is not ASCII', `${part(1).replace('<Size>', '<Owner>ä</Owner><Size>')}${part(2)}`],
  ])('is read with its parts %s', (_, parts) => {
    expect(read(parts)).toStrictEqual(TWO);
  });

  it.each([
    ['a part that is not closed', `${part(1)}<Part><PartNumber>2</PartNumber>`],
    ['two sizes of one part', part(1).replace('<Size>', '<Size>1</Size><Size>')],
    ['two sizes of one part, one nested', part(1).replace('<Size>', '<Size>1</Size><Size><a/>')],
    ['a part without a size', part(1).replaceAll('Size>', 'Length>')],
    [
      'a size that is nested',
      part(1).replace('<Size>', '<Owner><Size>').replace('</Size>', '</Size></Owner>'),
    ],
    ['a tag that another one closes', part(1).replace('</HashCrc64ecma>', '</Hash>')],
    ['a reference that nothing declares', part(1).replace('2012', '&year;')],
    ['a bare ampersand', part(1).replace('2012', '&')],
    ['an empty part', `${part(1)}<Part/>`],
  ])('is not read with %s', (_, parts) => {
    expect(read(parts)).toBeUndefined();
  });

  it('is read much faster as OSS writes it than with a comment, which needs the XML parser', async () => {
    const parts = Array.from({ length: 1000 }, (_, index) => part(index + 1)).join('');
    const [plain, other] = [parts, parts.replace('</Part>', '</Part><!-- -->')].map((text) =>
      Buffer.from(String(page(text).body)),
    );
    const turnMs = (document = Buffer.alloc(0)) =>
      medianTurnMs(0, async () => {
        for (let times = 0; times < 5; times += 1)
          expect(readPartsPage(document, UPLOAD, 0)?.parts).toHaveLength(1000);
      });
    await turnMs(plain);
    expect(await turnMs(plain)).toBeLessThan((await turnMs(other)) / 2);
  });
});

describe('while OSS assembles uploads for a minute', () => {
  it('these calls leave a quarter of the limit to all others', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const server = await startTestServer(({ method }, response) => {
      const isComplete = method === 'POST';
      const send = (status: number, body = '') =>
        response.writeHead(status, { 'x-oss-request-id': REQUEST_ID }).end(body);
      if (isComplete) void released.then(() => send(200, xml('CompleteMultipartUploadResult', encodedKey)));
      else send(404, xml('Error', '<Code>NoSuchUpload</Code>'));
    });
    const client = createClient(server.origin, { callLimit: createCallLimit(4) });
    const complete = () => client.completeMultipartUpload(UPLOAD, PARTS, {});
    const open = [complete(), complete(), complete()];
    while (server.requests.length < 3) await setImmediate();

    const { kind, message } = await failureOf(complete());
    expect([kind, message]).toStrictEqual([
      'busy',
      '4 calls to the storage, or 3 long ones, are in progress',
    ]);
    expect(await client.listParts(UPLOAD)).toBeUndefined();
    await client.abortMultipartUpload(UPLOAD);

    release();
    expect(await Promise.all(open)).toStrictEqual(['completed', 'completed', 'completed']);
    expect(await complete()).toBe('completed');
  });
});
