import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { policyWith } from '../../support/policies.ts';
import { serviceKeysFile, serviceKeysOf } from '../../support/service-keys.ts';
import { createTestApp } from '../../support/test-app.ts';
import { startTestService } from '../../support/test-service.ts';

const PATH = '/.well-known/jwks.json';

it('publishes the public keys without a token, and caches may keep them for 5 minutes', async () => {
  const keys = serviceKeysOf('new', 'old');
  const { http } = await createTestApp({ serviceKeys: { current: () => keys, isShared: true } });
  const response = await http.get(PATH);
  expect(response.status).toBe(200);
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(response.headers['cache-control']).toBe('public, max-age=300');
  expect(response.body).toStrictEqual(keys.jwks);
  const names = response.body.keys.flatMap((key: object) => Object.keys(key));
  expect([...new Set(names)].sort()).toStrictEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

it('verifies what the signing key signs', async () => {
  const keys = serviceKeysOf('new', 'old');
  const { http } = await createTestApp({ serviceKeys: { current: () => keys, isShared: true } });
  const published = createLocalJWKSet((await http.get(PATH)).body);
  const { kid, receiptKey } = keys.signing;
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(receiptKey);
  expect((await jwtVerify(token, published)).protectedHeader.kid).toBe('new');
});

it('supports HEAD, and lets only pages of the listed origins read it', async () => {
  const { http } = await createTestApp({ corsOrigins: ['https://app.example.com'] });
  expect((await http.head(PATH)).status).toBe(200);
  const listed = await http.get(PATH).set('origin', 'https://app.example.com');
  expect(listed.headers['access-control-allow-origin']).toBe('https://app.example.com');
  const other = await http.get(PATH).set('origin', 'https://other.example.com');
  expect(other.headers).not.toHaveProperty('access-control-allow-origin');
});

it('follows the file, and shows a rejected one in readiness, metrics and the log', async () => {
  const file = serviceKeysFile('first');
  let inFile = file;
  const service = await startTestService({
    policyYaml: policyWith(),
    env: { METRICS_PORT: '0', SERVICE_KEYS_FILE: 'keys.json', PUBLIC_URL: 'https://presign.example.com' },
    files: { 'keys.json': () => inFile },
  });
  const state = async () => {
    const [keys, readiness, metrics] = await Promise.all(
      [`${service.url}${PATH}`, `${service.operationsUrl}/readyz`, `${service.operationsUrl}/metrics`].map(
        async (url) => (await fetch(url)).text(),
      ),
    );
    return [
      JSON.parse(keys ?? '').keys.map(({ kid }: { readonly kid: string }) => kid),
      readiness?.split('\n').find((line) => line.includes('service keys')),
      metrics?.split('\n').filter((line) => /^oss_presign_service_keys(_file_rejected|_shared)? /.test(line)),
    ];
  };
  const metricsWith = (keys: number, rejected: number) => [
    `oss_presign_service_keys ${keys}`,
    'oss_presign_service_keys_shared 1',
    `oss_presign_service_keys_file_rejected ${rejected}`,
  ];
  expect(await state()).toStrictEqual([
    ['first'],
    'ok service keys: 1 key, signing with first',
    metricsWith(1, 0),
  ]);
  inFile = serviceKeysFile('second', 'first');
  service.reloadFiles();
  expect(await state()).toStrictEqual([
    ['second', 'first'],
    'ok service keys: 2 keys, signing with second',
    metricsWith(2, 0),
  ]);
  inFile = '{"keys": [{"d": "TheSecret"}]}';
  service.reloadFiles();
  expect(await state()).toStrictEqual([
    ['second', 'first'],
    'ok service keys: 2 keys, signing with second; the file now holds something that is rejected',
    metricsWith(2, 1),
  ]);
  const log = service.log.join('');
  expect(log).toContain('the new service keys file is rejected');
  expect(log).not.toMatch(/TheSecret|"d"/);
});

it('has one key per process without a file, which the log warns of', async () => {
  const [one, other] = await Promise.all([
    startTestService({ policyYaml: policyWith() }),
    startTestService({ policyYaml: policyWith() }),
  ]);
  const keysOf = async ({ url }: { readonly url: string }) => (await fetch(`${url}${PATH}`)).json();
  const [ofOne, ofOther] = await Promise.all([keysOf(one), keysOf(other)]);
  expect(ofOne).toMatchObject({ keys: [{ kid: expect.stringMatching(/^[\w-]{16}$/) }] });
  expect(ofOther).not.toStrictEqual(ofOne);
  expect(await keysOf(one)).toStrictEqual(ofOne);
  expect(one.log.join('')).toContain('SERVICE_KEYS_FILE is not set');
});
