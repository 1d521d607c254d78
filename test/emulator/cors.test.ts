import { describe, expect, it } from 'vitest';
import { completeList, multipartCalls } from '../support/multipart-upload.ts';
import { postForm, signForm } from '../support/post-form.ts';
import { BUCKET, REGION, readXml, startTestEmulator } from '../support/test-emulator.ts';

const RULES = [
  {
    allowedOrigins: ['https://app.example.com'],
    allowedMethods: ['PUT', 'GET', 'POST'],
    allowedHeaders: ['content-type', 'x-oss-*'],
    exposeHeaders: ['ETag', 'x-oss-request-id'],
    maxAgeSeconds: 600,
  },
  {
    allowedOrigins: ['https://*.example.org'],
    allowedMethods: ['PUT'],
    allowedHeaders: ['*'],
    exposeHeaders: [],
  },
];

const start = () => startTestEmulator({ buckets: { [BUCKET]: { region: REGION, corsRules: RULES } } });

it.each([
  ['https://app.example.com', 'PUT', 'content-type,x-oss-meta-album', true],
  ['https://app.example.com', 'PUT', 'Content-Type, X-Oss-Forbid-Overwrite', true],
  ['https://app.example.com', 'PUT', '', true],
  ['https://app.example.com', 'PUT', 'content-type,cache-control', false],
  ['https://app.example.com', 'DELETE', '', false],
  ['https://other.example.com', 'PUT', '', false],
  ['http://app.example.com', 'PUT', '', false],
  ['https://a.example.org', 'PUT', 'cache-control', true],
  ['https://example.org', 'PUT', '', false],
])('a preflight from %s for %s with %j is allowed: %s', async (origin, method, headers, isAllowed) => {
  const emulator = await start();
  const response = await fetch(`${emulator.url}/${BUCKET}/a`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': headers },
  });
  const allowed = response.headers.get('access-control-allow-origin');
  expect([response.status, allowed]).toStrictEqual(isAllowed ? [200, origin] : [403, null]);
  if (!isAllowed) expect(readXml(await response.text()).Code).toBe('AccessForbidden');
});

it('a preflight gets what the rule allows', async () => {
  const emulator = await start();
  const response = await fetch(`${emulator.url}/${BUCKET}/a`, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example.com',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'content-type',
    },
  });
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'access-control-allow-methods': 'PUT, GET, POST',
    'access-control-allow-headers': 'content-type',
    'access-control-expose-headers': 'ETag, x-oss-request-id',
    'access-control-max-age': '600',
  });
});

it.each([
  ['https://app.example.com', 'POST', true],
  ['https://app.example.com', 'GET', true],
  ['https://app.example.com', 'HEAD', false],
  ['https://a.example.org', 'POST', false],
])('a preflight from %s for %s to the bucket itself is allowed: %s', async (origin, method, isAllowed) => {
  const emulator = await start();
  const headers = { origin, 'access-control-request-method': method };
  for (const path of [`/${BUCKET}/`, `/${BUCKET}`]) {
    const response = await fetch(`${emulator.url}${path}`, { method: 'OPTIONS', headers });
    const allowed = response.headers.get('access-control-allow-origin');
    expect([response.status, allowed]).toStrictEqual(isAllowed ? [200, origin] : [403, null]);
  }
});

describe.each(['https://app.example.com', 'https://a.example.org', 'https://evil.example'])(
  'a page of %s',
  (origin) => {
    const isAllowed = origin === 'https://app.example.com';
    const sharing = ({ headers }: Response) => [
      headers.get('access-control-allow-origin'),
      headers.get('access-control-expose-headers'),
      headers.get('vary'),
    ];
    const expected = isAllowed ? [origin, 'ETag, x-oss-request-id', 'Origin'] : [null, null, 'Origin'];

    it(`${isAllowed ? 'can' : 'cannot'} read the response to a form, also an error`, async () => {
      const emulator = await start();
      const form = { url: `${emulator.url}/${BUCKET}/`, fileField: 'file' };
      const signed = { key: 'a', ...signForm() };
      const stored = await postForm({ ...form, fields: signed }, { body: 'a' }, { origin });
      const rejected = await postForm(
        { ...form, fields: { ...signed, policy: 'e30=' } },
        { body: 'a' },
        { origin },
      );
      expect([stored.status, rejected.status]).toStrictEqual([204, 403]);
      expect([sharing(stored), sharing(rejected)]).toStrictEqual([expected, expected]);
    });

    it(`${isAllowed ? 'can' : 'cannot'} read an object, but not its headers by HEAD`, async () => {
      const emulator = await start();
      await emulator.put('a', 'hello');
      const get = await fetch(emulator.presign({ method: 'GET', key: 'a' }), { headers: { origin } });
      const head = await fetch(emulator.presign({ method: 'HEAD', key: 'a' }), {
        method: 'HEAD',
        headers: { origin },
      });
      expect([get.status, head.status]).toStrictEqual([200, 200]);
      expect([sharing(get), sharing(head)]).toStrictEqual([expected, [null, null, 'Origin']]);
    });
  },
);

it('a page can read a response or an error only if a rule matches', async () => {
  const emulator = await start();
  const read = async (origin: string, url: string) => {
    const response = await fetch(url, { method: 'PUT', body: Buffer.from('a'), headers: { origin } });
    return [response.status, response.headers.get('access-control-allow-origin')];
  };
  const rejected = emulator.presign().replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  expect(await read('https://app.example.com', emulator.presign())).toStrictEqual([
    200,
    'https://app.example.com',
  ]);
  expect(await read('https://app.example.com', rejected)).toStrictEqual([403, 'https://app.example.com']);
  expect(await read('https://evil.example', emulator.presign())).toStrictEqual([200, null]);
});

it('a bucket without rules allows no page', async () => {
  const emulator = await startTestEmulator();
  const response = await fetch(`${emulator.url}/${BUCKET}/a`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' },
  });
  expect([response.status, response.headers.get('access-control-allow-origin')]).toStrictEqual([403, null]);
});

describe('a page that sends a multipart upload', () => {
  const origin = 'https://app.example.com';
  const startWith = (allowedMethods: string[]) =>
    startTestEmulator({
      buckets: {
        [BUCKET]: {
          region: REGION,
          corsRules: [
            {
              allowedOrigins: [origin],
              allowedMethods,
              allowedHeaders: ['content-md5'],
              exposeHeaders: ['ETag'],
            },
          ],
        },
      },
    });

  it('can make every call that the rule allows, and read the ETag of a part', async () => {
    const emulator = await startWith(['GET', 'PUT', 'POST', 'DELETE']);
    const { initiate, call } = multipartCalls(emulator, 'a');
    const sharing = ({ status, headers }: Response) => [
      status,
      headers.get('access-control-allow-origin'),
      headers.get('access-control-expose-headers'),
    ];
    const uploadId = await initiate();
    const part = await call('PUT', { partNumber: '1', uploadId }, { body: 'a', unsignedHeaders: { origin } });
    const list = completeList([[1, part.headers.get('etag') ?? '']]);
    const responses = [
      part,
      await call('POST', { uploads: '' }, { unsignedHeaders: { origin } }),
      await call('GET', { uploadId }, { unsignedHeaders: { origin } }),
      await call('POST', { uploadId }, { body: list, unsignedHeaders: { origin } }),
      await call('DELETE', { uploadId: await initiate() }, { unsignedHeaders: { origin } }),
      await call('DELETE', { uploadId }, { unsignedHeaders: { origin } }),
    ];
    expect(responses.map(sharing)).toStrictEqual(
      [200, 200, 200, 200, 204, 404].map((status) => [status, origin, 'ETag']),
    );
  });

  it.each(['POST', 'DELETE'])('cannot send a %s that no rule allows', async (method) => {
    const emulator = await startWith(['PUT']);
    const headers = { origin, 'access-control-request-method': method };
    const url = `${emulator.url}/${BUCKET}/a?uploadId=x`;
    expect((await fetch(url, { method: 'OPTIONS', headers })).status).toBe(403);
    const put = { ...headers, 'access-control-request-method': 'PUT' };
    expect((await fetch(url, { method: 'OPTIONS', headers: put })).status).toBe(200);
  });
});
