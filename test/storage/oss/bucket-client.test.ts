import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createCallLimit } from '../../../src/storage/call-limit.ts';
import type { SigningCredentials } from '../../../src/storage/object-storage.ts';
import { fixedClock } from '../../support/fixed-clock.ts';
import {
  createRecordingClient as createClient,
  failureOf,
  REQUEST_ID,
} from '../../support/storage-client.ts';
import { LONG_LIVED, startTestEmulator, TEMPORARY } from '../../support/test-emulator.ts';
import { startTestServer } from '../../support/test-server.ts';

const STORED = {
  'content-length': '5',
  etag: '"5D41402ABC4B2A76B9719D911017C592"',
  'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
  'x-oss-request-id': REQUEST_ID,
};

/** An error of OSS to HEAD. */
function ossError(status: number, code: string, ec?: string): readonly [number, Record<string, string>] {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>${code}</Code>\n  <Message>secret</Message>\n</Error>`;
  return [
    status,
    {
      'x-oss-request-id': REQUEST_ID,
      'x-oss-err': Buffer.from(xml).toString('base64'),
      ...(ec !== undefined && { 'x-oss-ec': ec }),
    },
  ];
}

const NO_SUCH_KEY = ossError(404, 'NoSuchKey', '0026-00000001');

/** A server that sends these responses in turn, and the last one from then on. */
async function startStorage(...responses: readonly (readonly [number, Record<string, string>])[]) {
  const requests: IncomingMessage[] = [];
  const server = await startTestServer((request, response) => {
    const [status, headers] = responses[Math.min(requests.length, responses.length - 1)] ?? [200, {}];
    requests.push(request);
    response.writeHead(status, headers).end();
  });
  return { ...server, requests };
}

/** Sends HEAD to a port of this machine, under the host of the address. */
async function headAt(port: number, { host, pathname }: URL, headers: Record<string, string>) {
  const sent = request({
    port,
    host: '127.0.0.1',
    method: 'HEAD',
    path: pathname,
    headers: { ...headers, host },
  });
  const [response] = (await once(sent.end(), 'response')) as [IncomingMessage];
  return new Response(null, {
    status: response.statusCode ?? 0,
    headers: response.headers as Record<string, string>,
  });
}

describe('with the emulator', () => {
  it('describes what was uploaded', async () => {
    const emulator = await startTestEmulator();
    const headers = {
      'content-type': 'image/png',
      'cache-control': 'no-store',
      'content-disposition': 'inline',
      'x-oss-meta-Album': 'summer',
    };
    const put = await emulator.put('users/ä b/~c+d%2F.png', 'hello', {
      headers,
      additionalHeaders: ['cache-control', 'content-disposition'],
    });
    expect(put.status).toBe(200);
    const { headObject, outcomes } = createClient(emulator.url);
    expect(await headObject('users/ä b/~c+d%2F.png')).toStrictEqual({
      contentLength: 5,
      contentType: 'image/png',
      metadata: Object.assign(Object.create(null), { album: 'summer' }),
      cacheControl: 'no-store',
      contentDisposition: 'inline',
      contentEncoding: undefined,
      expires: undefined,
      contentMd5: 'XUFAKrxLKna5cZ2REBfFkg==',
      etag: '5D41402ABC4B2A76B9719D911017C592',
      crc64: put.headers.get('x-oss-hash-crc64ecma'),
      objectType: 'normal',
      isDownloadForced: false,
      versionId: undefined,
      lastModified: fixedClock(),
    });
    expect(outcomes).toStrictEqual(['HeadObject ok']);
  });

  it('signs with a security token', async () => {
    const emulator = await startTestEmulator();
    await emulator.put('a.txt', 'hello');
    const { headObject } = createClient(emulator.url, { credentials: async () => TEMPORARY });
    expect((await headObject('a.txt'))?.contentLength).toBe(5);
  });

  it.each([
    ['public', 'acme-media.oss-cn-hangzhou.aliyuncs.com'],
    ['internal', 'acme-media.oss-cn-hangzhou-internal.aliyuncs.com'],
    [{ url: 'https://upload.example.com', addressing: 'cname' }, 'upload.example.com'],
  ] as const)('signs for the address of the endpoint %j', async (serviceEndpoint, host) => {
    const emulator = await startTestEmulator();
    await emulator.put('a b/ü.txt', 'hello');
    const { headObject } = createClient('', {
      target: { serviceEndpoint },
      fetch: (input, init) => {
        const url = new URL(String(input));
        expect(url.origin).toBe(`https://${host}`);
        return headAt(emulator.port, url, init?.headers as Record<string, string>);
      },
    });
    expect((await headObject('a b/ü.txt'))?.contentLength).toBe(5);
  });

  it('returns undefined if there is no object', async () => {
    const emulator = await startTestEmulator();
    const { headObject, outcomes } = createClient(emulator.url);
    expect(await headObject('absent.txt')).toBeUndefined();
    expect(outcomes).toStrictEqual(['HeadObject absent']);
  });

  it.each([
    ['another bucket', { target: { bucket: 'other-media' } }, { status: 404, code: 'NoSuchBucket' }],
    ['another region', { target: { region: 'cn-beijing' } }, { status: 400, code: 'InvalidArgument' }],
    [
      'an unknown access key',
      { credentials: async () => ({ ...LONG_LIVED, accessKeyId: 'LTAI5tOther' }) },
      { status: 403, code: 'InvalidAccessKeyId' },
    ],
    [
      'a wrong secret',
      { credentials: async () => ({ ...LONG_LIVED, accessKeySecret: 'Other' }) },
      { status: 403, code: 'SignatureDoesNotMatch' },
    ],
    [
      'a clock that is an hour behind',
      { clock: () => new Date(fixedClock().getTime() - 3_600_000) },
      { status: 403, code: 'RequestTimeTooSkewed' },
    ],
  ] as const)('reports that OSS denies a call with %s', async (_, change, details) => {
    const emulator = await startTestEmulator();
    const { headObject, outcomes } = createClient(emulator.url, change);
    const error = await failureOf(headObject('a.txt'));
    expect(error.kind).toBe('denied');
    expect(error.details).toMatchObject({ ...details, requestId: expect.stringMatching(/^[0-9A-F]{24}$/) });
    expect(error.message).toMatch(
      new RegExp(`^127\\.0\\.0\\.1:\\d+ responded to HeadObject with ${details.status} ${details.code}`),
    );
    expect(outcomes).toStrictEqual(['HeadObject denied']);
  });
});

it('sends one HEAD with a signature, no content type and no address of a page', async () => {
  const storage = await startStorage([200, STORED]);
  await createClient(storage.origin).headObject('users/ä b.png');
  expect(storage.requests).toHaveLength(1);
  const { method, url, headers } = storage.requests[0] as IncomingMessage;
  expect([method, url]).toStrictEqual(['HEAD', '/acme-media/users/%C3%A4%20b.png']);
  expect(headers).toMatchObject({
    'accept-encoding': 'identity',
    'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
    'x-oss-date': '20261123T100000Z',
    authorization: expect.stringMatching(
      /^OSS4-HMAC-SHA256 Credential=LTAI5tTestKey\/20261123\/cn-hangzhou\/oss\/aliyun_v4_request,Signature=[0-9a-f]{64}$/,
    ),
  });
  for (const absent of ['content-type', 'content-length', 'referer', 'origin', 'cookie'])
    expect(headers).not.toHaveProperty(absent);
});

it.each(['', '.', '..', 'a/../b', 'a/.', './a'])('sends nothing for the key %j', async (key) => {
  const { headObject, outcomes } = createClient('http://127.0.0.1:9', {
    fetch: () => Promise.reject(new Error('a request was sent')),
  });
  await expect(headObject(key)).rejects.toThrow(TypeError);
  expect(outcomes).toStrictEqual([]);
});

describe('the response', () => {
  const proxyPage = { 'content-type': 'text/html', 'content-length': '90' };
  const noKeyHeaders = NO_SUCH_KEY[1];
  const { 'x-oss-err': noKeyError = '' } = noKeyHeaders;

  it.each([
    ['NoSuchKey', NO_SUCH_KEY],
    ['NoSuchKey of a delete marker', [404, { ...noKeyHeaders, 'x-oss-delete-marker': 'true' }]],
    ['NoSuchKey without an EC', ossError(404, 'NoSuchKey')],
    [
      'the EC of NoSuchKey without x-oss-err',
      [404, { 'x-oss-request-id': REQUEST_ID, 'x-oss-ec': '0026-00000001' }],
    ],
  ] as const)('%s means that there is no object', async (_, response) => {
    const storage = await startStorage(response);
    expect(await createClient(storage.origin).headObject('a.txt')).toBeUndefined();
    expect(storage.requests).toHaveLength(1);
  });

  it.each([
    ['denied', 'a bucket that does not exist', ossError(404, 'NoSuchBucket', '0015-00000101')],
    ['denied', 'another 404 of OSS', ossError(404, 'SymlinkTargetNotExist')],
    ['denied', '403', ossError(403, 'AccessDenied', '0003-00000301')],
    ['denied', '403 without a code', [403, {}]],
    ['denied', '400', ossError(400, 'InvalidArgument', '0002-00000226')],
    ['denied', '405', ossError(405, 'MethodNotAllowed')],
    ['denied', '409', ossError(409, 'Conflict')],
    ['denied', '412', [412, {}]],
    ['busy', '429', [429, {}]],
    ['busy', '408', [408, {}]],
    ['invalid_response', '404 of a proxy', [404, proxyPage]],
    ['invalid_response', '404 with an empty x-oss-err', [404, { ...noKeyHeaders, 'x-oss-err': '' }]],
    [
      'invalid_response',
      '404 with an x-oss-err that is not base64',
      [404, { ...noKeyHeaders, 'x-oss-err': 'NoSuchKey' }],
    ],
    [
      'invalid_response',
      '404 with two of them',
      [404, { ...noKeyHeaders, 'x-oss-err': `${noKeyError}, ${noKeyError}` }],
    ],
    [
      'invalid_response',
      '404 with another EC and no x-oss-err',
      [404, { 'x-oss-request-id': REQUEST_ID, 'x-oss-ec': '0015-00000101' }],
    ],
    ['invalid_response', '404 with only a request id', [404, { 'x-oss-request-id': REQUEST_ID }]],
    ['invalid_response', '404 with only an EC', [404, { 'x-oss-ec': '0026-00000001' }]],
    ['invalid_response', '200 of a proxy', [200, proxyPage]],
    ['invalid_response', '200 of another storage', [200, { ...STORED, 'x-oss-request-id': 'tx00000c9f3f' }]],
    ['invalid_response', '200 without an ETag', [200, { ...STORED, etag: '' }]],
    ['invalid_response', '200 with a negative CRC-64', [200, { ...STORED, 'x-oss-hash-crc64ecma': '-1' }]],
    ['invalid_response', '201', [201, STORED]],
    ['invalid_response', '204', [204, { ...STORED, 'content-length': '0' }]],
    ['invalid_response', '206', [206, STORED]],
    ['invalid_response', '301', [301, { location: 'http://127.0.0.1:1/' }]],
    ['invalid_response', '302', [302, { location: '/elsewhere' }]],
    ['invalid_response', '304', [304, {}]],
    ['invalid_response', '307', [307, { location: 'https://acme-media.oss-cn-beijing.aliyuncs.com/a.txt' }]],
    ['invalid_response', '308', [308, { location: '/acme-media/b.txt' }]],
  ] as const)('is %s for %s, after one try', async (kind, _, response) => {
    const storage = await startStorage(response);
    const { headObject, outcomes } = createClient(storage.origin);
    const error = await failureOf(headObject('a.txt'));
    expect([error.kind, error.details.status]).toStrictEqual([kind, response[0]]);
    expect(outcomes).toStrictEqual([`HeadObject ${kind}`]);
    expect(storage.requests).toHaveLength(1);
  });

  it.each([17 * 1024, 1024 * 1024])(
    'describes an object that no grant has if its headers have %i bytes',
    async (bytes) => {
      const storage = await startStorage([200, { ...STORED, 'content-encoding': 'x'.repeat(bytes) }]);
      const object = await createClient(storage.origin).headObject('a.txt');
      expect(object).toMatchObject({ objectType: 'unknown', metadata: {}, contentType: undefined, etag: '' });
    },
  );

  it('may have all metadata that OSS stores', async () => {
    const storage = await startStorage([200, { ...STORED, 'x-oss-meta-a': 'x'.repeat(8192 - 12) }]);
    const object = await createClient(storage.origin).headObject('a.txt');
    expect(object?.metadata.a).toHaveLength(8180);
  });

  it('shows only the form of OSS’s codes, whatever a server repeats', async () => {
    const storage = await startTestServer((request, response) => {
      const repeated = String(request.headers.authorization);
      const xml = `<Error><Code>${repeated}</Code><RequestId>${repeated}</RequestId></Error>`;
      response
        .writeHead(403, {
          'x-oss-request-id': repeated.slice(-64),
          'x-oss-ec': repeated,
          'x-oss-err': Buffer.from(xml).toString('base64'),
        })
        .end();
    });
    const error = await failureOf(createClient(storage.origin).headObject('secret-key.txt'));
    expect({ message: error.message, details: error.details, cause: error.cause }).toStrictEqual({
      message: `127.0.0.1:${storage.port} responded to HeadObject with 403`,
      details: { status: 403, code: undefined, ec: undefined, requestId: undefined },
      cause: undefined,
    });
  });
});

describe('a second try', () => {
  it.each([
    ['500', ossError(500, 'InternalError')],
    ['502 of a proxy', [502, {}]],
    ['503', ossError(503, 'SlowDown')],
    ['503 for an account', ossError(503, 'QpsLimitExceeded', '0004-00000302')],
  ] as const)('follows a pause after %s', async (_, response) => {
    const storage = await startStorage(response, [200, STORED]);
    const { headObject, outcomes, waits } = createClient(storage.origin);
    expect((await headObject('a.txt'))?.contentLength).toBe(5);
    expect(storage.requests).toHaveLength(2);
    expect(outcomes).toStrictEqual(['HeadObject ok']);
    expect(waits).toStrictEqual([200]);
  });

  it('is the last one', async () => {
    const storage = await startStorage(ossError(503, 'SlowDown'));
    const { headObject, outcomes } = createClient(storage.origin);
    const error = await failureOf(headObject('a.txt'));
    expect([error.kind, error.details.code]).toStrictEqual(['busy', 'SlowDown']);
    expect(storage.requests).toHaveLength(2);
    expect(outcomes).toStrictEqual(['HeadObject busy']);
  });

  it('follows a reset connection', async () => {
    const server = await startTestServer((request, response) => {
      if (server.requests.length === 1) server.reset(request);
      else response.writeHead(...NO_SUCH_KEY).end();
    });
    expect(await createClient(server.origin).headObject('a.txt')).toBeUndefined();
    expect(server.requests).toHaveLength(2);
  });

  it('does not help if nothing listens', async () => {
    const server = await startTestServer(() => undefined);
    await server.stop();
    const { headObject, outcomes } = createClient(server.origin);
    const error = await failureOf(headObject('a.txt'));
    expect([error.kind, error.message]).toStrictEqual([
      'unreachable',
      `127.0.0.1:${server.port} refused the connection (ECONNREFUSED)`,
    ]);
    expect(outcomes).toStrictEqual(['HeadObject unreachable']);
  });

  it('signs again with the credentials and the time of its moment', async () => {
    const storage = await startStorage(ossError(500, 'InternalError'), [200, STORED]);
    const current: SigningCredentials[] = [LONG_LIVED, TEMPORARY];
    const times = ['2026-11-23T23:59:59Z', '2026-11-24T00:00:00Z'];
    const { headObject } = createClient(storage.origin, {
      credentials: async () => current.shift() as SigningCredentials,
      clock: () => new Date(times.shift() ?? ''),
    });
    await headObject('a.txt');
    const [first, second] = storage.requests.map(({ headers }) => headers);
    expect(first?.authorization).toContain('Credential=LTAI5tTestKey/20261123/');
    expect(first).not.toHaveProperty('x-oss-security-token');
    expect(second?.authorization).toContain('Credential=STS.NUTestKey/20261124/');
    expect(second?.['x-oss-security-token']).toBe(TEMPORARY.securityToken);
  });

  it.each(['SecurityTokenExpired', 'InvalidAccessKeyId', 'InvalidSecurityToken'])(
    'uses the new credentials if those of the first one were replaced: %s',
    async (code) => {
      const storage = await startStorage(ossError(403, code), [200, STORED]);
      const current: SigningCredentials[] = [TEMPORARY, { ...TEMPORARY, securityToken: 'new' }];
      const { headObject, waits } = createClient(storage.origin, {
        credentials: async () => current.shift() as SigningCredentials,
      });
      expect((await headObject('a.txt'))?.contentLength).toBe(5);
      expect(storage.requests.map(({ headers }) => headers['x-oss-security-token'])).toStrictEqual([
        TEMPORARY.securityToken,
        'new',
      ]);
      expect(waits).toStrictEqual([]);
    },
  );

  it('is not made with the same credentials, nor for another 403', async () => {
    const same = await startStorage(ossError(403, 'SecurityTokenExpired'), [200, STORED]);
    const client = createClient(same.origin, { credentials: async () => ({ ...TEMPORARY }) });
    expect((await failureOf(client.headObject('a.txt'))).details.code).toBe('SecurityTokenExpired');
    expect(same.requests).toHaveLength(1);

    const denied = await startStorage(ossError(403, 'AccessDenied'), [200, STORED]);
    const current: SigningCredentials[] = [TEMPORARY, LONG_LIVED];
    const other = createClient(denied.origin, {
      credentials: async () => current.shift() as SigningCredentials,
    });
    expect((await failureOf(other.headObject('a.txt'))).details.code).toBe('AccessDenied');
    expect(denied.requests).toHaveLength(1);
  });

  it('is not made if there are no credentials any more; the first failure is reported', async () => {
    const storage = await startStorage(ossError(503, 'SlowDown'), [200, STORED]);
    const current: SigningCredentials[] = [TEMPORARY];
    const { headObject } = createClient(storage.origin, {
      credentials: async () => current.shift() ?? Promise.reject(new Error('no credentials')),
    });
    expect((await failureOf(headObject('a.txt'))).details.code).toBe('SlowDown');
    expect(storage.requests).toHaveLength(1);
  });
});

describe('the time of a call', () => {
  const silent: RequestListener = () => undefined;

  it('is 5 s, without a second try', async () => {
    const server = await startTestServer(silent);
    const controller = new AbortController();
    const limits: number[] = [];
    const { headObject, outcomes, waits } = createClient(server.origin, {
      timers: {
        timeout: (ms) => {
          limits.push(ms);
          return controller.signal;
        },
        wait: async () => Promise.reject(new Error('the client waits')),
      },
    });
    const failed = failureOf(headObject('a.txt'));
    while (server.requests.length === 0) await setImmediate();
    controller.abort();
    const { kind, message } = await failed;
    expect([kind, message]).toStrictEqual([
      'unreachable',
      `127.0.0.1:${server.port} did not respond in time`,
    ]);
    expect(limits).toStrictEqual([5000]);
    expect(server.requests).toHaveLength(1);
    expect([outcomes, waits]).toStrictEqual([['HeadObject unreachable'], []]);
  });

  it('includes the pause and the second try', async () => {
    const storage = await startStorage(ossError(503, 'SlowDown'), [200, STORED]);
    const controller = new AbortController();
    const { headObject } = createClient(storage.origin, {
      timers: { timeout: () => controller.signal, wait: async () => controller.abort() },
    });
    expect((await failureOf(headObject('a.txt'))).details.code).toBe('SlowDown');
    expect(storage.requests).toHaveLength(1);
  });
});

describe('the number of calls', () => {
  it('is limited for all buckets together; a call beyond it sends nothing', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const server = await startTestServer((_, response) => {
      void released.then(() => response.writeHead(...NO_SUCH_KEY).end());
    });
    const callLimit = createCallLimit(2);
    const one = createClient(server.origin, { callLimit });
    const other = createClient(server.origin, { callLimit, target: { bucket: 'other-media' } });
    const open = [one.headObject('a.txt'), other.headObject('b.txt')];
    while (server.requests.length < 2) await setImmediate();
    const { kind, message, details } = await failureOf(one.headObject('c.txt'));
    expect({ kind, message, details }).toStrictEqual({
      kind: 'busy',
      message: '2 calls to the storage are in progress',
      details: {},
    });
    expect(one.outcomes).toStrictEqual(['HeadObject busy']);
    release();
    expect(await Promise.all(open)).toStrictEqual([undefined, undefined]);
    expect(await one.headObject('c.txt')).toBeUndefined();
    expect(server.requests).toHaveLength(3);
  });

  it.each([
    ['a failure', [500, {}] as const, 6],
    ['an absent object', NO_SUCH_KEY, 3],
    ['a response that is not valid', [200, {}] as const, 3],
  ])('counts a call no longer after %s', async (_, response, requests) => {
    const storage = await startStorage(response);
    const { headObject } = createClient(storage.origin, { callLimit: createCallLimit(1) });
    for (let calls = 0; calls < 3; calls++) await headObject('a.txt').catch(() => undefined);
    expect(storage.requests).toHaveLength(requests);
  });

  it('counts a call no longer if it cannot be signed', async () => {
    const storage = await startStorage(NO_SUCH_KEY);
    const current = [{ ...LONG_LIVED, accessKeyId: 'a\nb' }, LONG_LIVED];
    const { headObject } = createClient(storage.origin, {
      callLimit: createCallLimit(1),
      credentials: async () => current.shift() as SigningCredentials,
    });
    await expect(headObject('a.txt')).rejects.toThrow(TypeError);
    expect(await headObject('a.txt')).toBeUndefined();
  });
});

it('passes on that there are no credentials, and calls nothing', async () => {
  const missing = new Error('no credentials');
  const { headObject, outcomes } = createClient('http://127.0.0.1:9', {
    credentials: () => Promise.reject(missing),
    fetch: () => Promise.reject(new Error('a request was sent')),
  });
  await expect(headObject('a.txt')).rejects.toBe(missing);
  expect(outcomes).toStrictEqual([]);
});

it.each([
  [{ serviceEndpoint: 'internal' }, 'https://acme-media.oss-cn-hangzhou-internal.aliyuncs.com/a/b.txt'],
  [{ serviceEndpoint: 'dualstack' }, 'https://acme-media.cn-hangzhou.oss.aliyuncs.com/a/b.txt'],
  [
    { serviceEndpoint: { url: 'https://upload.example.com', addressing: 'cname' } },
    'https://upload.example.com/a/b.txt',
  ],
  [
    { serviceEndpoint: { url: 'http://[::1]:9000', addressing: 'path' } },
    'http://[::1]:9000/acme-media/a/b.txt',
  ],
] as const)('calls the address of the endpoint %j', async (target, address) => {
  const called: string[] = [];
  const { headObject } = createClient('', {
    target,
    fetch: async (input, init) => {
      called.push(`${init?.method} ${init?.redirect} ${input}`);
      return new Response(null, { status: 200, headers: STORED });
    },
  });
  await headObject('a/b.txt');
  expect(called).toStrictEqual([`HEAD manual ${address}`]);
});

it('reports a port to which fetch never connects', async () => {
  const { kind, message } = await failureOf(createClient('http://127.0.0.1:6000').headObject('a.txt'));
  expect(kind).toBe('unreachable');
  expect(message).toContain('the port of 127.0.0.1:6000 is reserved for another protocol');
});
