import { statSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { putFile } from '../../src/demo/put-file.ts';
import type { PutGrant } from '../../src/grants/upload/response.ts';
import { findEngine } from './engine.ts';
import {
  buildImages,
  compose,
  containersOf,
  DEMO,
  DEMO_STACK,
  demoToken,
  SERVICE,
  startStack,
  stopStack,
} from './stack.ts';

const engine = findEngine();

beforeAll(async () => {
  await buildImages(engine);
  await startStack(engine, DEMO_STACK);
});
afterAll(() => stopStack(engine, DEMO_STACK));

it('is ready and has the keys of its issuer', async () => {
  await vi.waitFor(
    async () => {
      const text = await (await fetch(`${SERVICE}/readyz`)).text();
      expect(text).toContain('ok issuer keys\n');
    },
    { timeout: 20_000, interval: 200 },
  );
});

it('serves a page that may call the service from its own origin', async () => {
  const page = await fetch(DEMO);
  expect(await page.text()).toContain(`data-service="${SERVICE}"`);
  const preflight = await fetch(`${SERVICE}/v1/uploads`, {
    method: 'OPTIONS',
    headers: { origin: DEMO, 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-origin')).toBe(DEMO);
});

it('uploads a file to the bucket of the emulator with a demo token', async () => {
  const token = await demoToken('alice');
  const response = await fetch(`${SERVICE}/v1/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      filename: 'a.txt',
      contentType: 'text/plain',
      contentLength: statSync('package.json').size,
    }),
  });
  const grant = (await response.json()) as PutGrant;
  expect(response.status, JSON.stringify(grant)).toBe(201);
  expect(grant.url.startsWith('http://localhost:9000/demo-media/users/alice/')).toBe(true);
  const sent = await putFile({
    url: grant.url,
    headers: grant.headers,
    file: 'package.json',
    bytes: grant.contentLength ?? 0,
    onProgress: () => undefined,
  });
  expect(sent.status, sent.body).toBe(200);
});

it('rejects a request without a token', async () => {
  const response = await fetch(`${SERVICE}/v1/uploads`, { method: 'POST' });
  expect(response.status).toBe(401);
});

it('publishes its ports on the loopback address only', async () => {
  const published = await Promise.all(
    ['presign', 'demo'].map(async (service) => {
      const [container = ''] = await containersOf(engine, DEMO_STACK, service);
      return (await engine.run('port', container)).stdout.trim().split('\n').sort();
    }),
  );
  expect(published).toStrictEqual([
    ['8080/tcp -> 127.0.0.1:8080'],
    ['8090/tcp -> 127.0.0.1:8090', '9000/tcp -> 127.0.0.1:9000'],
  ]);
});

it.each([
  ['a policy', { OSS_ACCESS_KEY_ID: 'id', OSS_ACCESS_KEY_SECRET: 'secret' }, 'Set POLICY_FILE in .env'],
  [
    'access keys',
    { POLICY_FILE: 'policy.example.yaml' },
    'Set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET in .env',
  ],
  [
    'the secret',
    { POLICY_FILE: 'policy.example.yaml', OSS_ACCESS_KEY_ID: 'id' },
    'Set OSS_ACCESS_KEY_SECRET in .env',
  ],
])('docker-compose.yml does not start without %s of your own', async (_what, variables, message) => {
  const { code, output } = await readFiles(['docker-compose.yml'], variables);
  expect(code).not.toBe(0);
  expect(output).toContain(message);
});

it('service keys are a file that is added, and need the public address', async () => {
  const variables = {
    POLICY_FILE: 'policy.example.yaml',
    OSS_ACCESS_KEY_ID: 'id',
    OSS_ACCESS_KEY_SECRET: 's',
  };
  const files = ['docker-compose.yml', 'compose.service-keys.yaml'];
  const without = await readFiles(files, variables);
  expect(without.code).not.toBe(0);
  expect(without.output).toContain('Set PUBLIC_URL in .env');
  expect(await readFiles(files, { ...variables, PUBLIC_URL: 'https://a.test' })).toHaveProperty('code', 0);
  expect(await readFiles(['docker-compose.yml'], variables)).toHaveProperty('code', 0);
});

/** Has the engine read compose files with these variables only. */
async function readFiles(files: readonly string[], variables: Readonly<Record<string, string>>) {
  const stack = { project: 'oss-presign-incomplete', files };
  const { code, stdout, stderr } = await compose(
    findEngine({ ENV_FILE: '/dev/null', ...variables }),
    stack,
    'ps',
  );
  return { code, output: stdout + stderr };
}
