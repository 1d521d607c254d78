import { expect, it } from 'vitest';
import { BUCKET, REGION, readXml, startTestEmulator } from '../support/test-emulator.ts';

const RULES = [
  {
    allowedOrigins: ['https://app.example.com'],
    allowedMethods: ['PUT', 'GET'],
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
    'access-control-allow-methods': 'PUT, GET',
    'access-control-allow-headers': 'content-type',
    'access-control-expose-headers': 'ETag, x-oss-request-id',
    'access-control-max-age': '600',
  });
});

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
