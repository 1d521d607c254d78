import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runDev, startDev } from '../../support/dev-server.ts';
import { policyWith } from '../../support/policies.ts';

type Grant = { readonly url: string; readonly headers: Record<string, string>; readonly key: string };

/** The body that the first command of the banner sends. */
const bodyOf = (banner: string) => /-d '(\{.*\})'/.exec(banner)?.[1] ?? '';

async function uploadAsTheBannerSays({ banner, serviceUrl }: { banner: string; serviceUrl: string }) {
  const token = await (await fetch(`${serviceUrl}/token?sub=alice`)).text();
  const response = await fetch(`${serviceUrl}/v1/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: bodyOf(banner),
  });
  const grant = (await response.json()) as Grant;
  expect(response.status, JSON.stringify(grant)).toBe(201);
  const sent = await fetch(grant.url, { method: 'PUT', headers: grant.headers, body: 'hello' });
  expect(sent.status, await sent.text()).toBe(200);
  return grant;
}

it('npm run dev allows every page of this machine, states that, and prints commands that upload', async () => {
  const dev = await startDev(['--port', '0']);
  expect(dev.banner).toContain('any page of http://localhost or http://127.0.0.1, on any port');
  expect(dev.banner.match(/eyJ/g), 'a token of this run').toBeNull();
  expect(dev.banner.match(/^TOKEN=|^GRANT=|^curl .*-X PUT |^curl .*uploads\/complete/gm)).toHaveLength(4);
  for (const origin of ['http://localhost:5173', 'http://127.0.0.1:3000', 'http://localhost']) {
    const preflight = await fetch(`${dev.serviceUrl}/v1/uploads`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
  }
  expect((await uploadAsTheBannerSays(dev)).key).toMatch(/^users\/alice\//);
});

it('npm run dev -- --policy runs the rules of an unchanged policy on the servers of this machine', async () => {
  const dev = await startDev(['--port', '0', '--policy', 'policy.example.yaml']);
  expect(dev.banner).toContain('policy     policy.example.yaml');
  expect(dev.banner).toContain('The issuers and buckets that it names are replaced');
  const { url } = await uploadAsTheBannerSays(dev);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/acme-media\/users\/alice\//);
  const scoped = await (await fetch(`${dev.serviceUrl}/token?sub=bob&scope=exports:write`)).text();
  const payload = JSON.parse(Buffer.from(scoped.split('.')[1] ?? '', 'base64url').toString());
  expect(payload).toMatchObject({ iss: 'https://login.example.com/', sub: 'bob', scope: 'exports:write' });
});

it('npm run dev -- --policy shows the first rule with a PUT, and takes what differs per grant from the response', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dev-policy-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'policy.yaml');
  const rule = { who: { scope: 'a' }, target: 'media', prefix: 'users/{sub}/' };
  const rules = [
    { ...rule, name: 'read', actions: ['download'] },
    { ...rule, name: 'backend', actions: ['confirm'] },
    { ...rule, name: 'form', transfers: ['form'], contentTypes: ['image/png'], maxSize: '1MiB' },
    { ...rule, name: 'named', naming: 'client', contentTypes: ['text/plain'], maxSize: '1MiB' },
  ];
  const issuers = [
    { issuer: 'https://login.test/', audience: 'uploads', jwksUrl: 'https://login.test/jwks' },
  ];
  await writeFile(file, policyWith({ issuers, rules }));
  const dev = await startDev(['--port', '0', '--policy', file]);
  expect(JSON.parse(bodyOf(dev.banner))).toMatchObject({ key: 'users/alice/hello.txt' });
  expect(dev.banner).toMatch(/-H "x-oss-meta-upload-id: \$\(printf '%s' "\$GRANT" \| sed '/);
  expect(dev.banner).toMatch(/\/v1\/uploads\/complete' [\s\S]* -d "\{\\"id\\":\\"\$\(printf /);
  await uploadAsTheBannerSays(dev);
});

it.each([
  ['emulator', '--emulator-port', ['--port', '0']],
  ['service', '--port', ['--emulator-port', '0', '--issuer-port', '0']],
])(
  'npm run dev reports a port in use, its server and the option to change it: %s',
  async (server, option, others) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    expect(await runDev([...others, option, port])).toStrictEqual({
      code: 1,
      stderr: `npm run dev does not start:\n  - Port ${port} of the ${server} is taken by another process; choose another with ${option}.\n`,
      files: [],
    });
  },
);

it('npm run dev reports the faults of its policy and its arguments', async () => {
  const { code, stderr, files } = await runDev(['--port', '0', '--policy', 'nowhere.yaml']);
  expect([code, files, stderr]).toStrictEqual([
    1,
    [],
    expect.stringMatching(/^npm run dev does not start:\n {2}- POLICY_FILE .*nowhere\.yaml.*\n$/),
  ]);
});
