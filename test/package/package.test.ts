import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { mediaTarget, policyWith, testIssuerEntry } from '../support/policies.ts';
import { createTestIssuer, type TestIssuer } from '../support/tokens.ts';
import { type InstalledPackage, installPackage } from './install-package.ts';

const CREDENTIALS = { OSS_ACCESS_KEY_ID: 'TheKeyId', OSS_ACCESS_KEY_SECRET: 'TheKeySecret' };
const CLAIMS = { iss: 'https://login.test/', sub: 'alice', scope: 'uploads:write' };
const REQUEST = { key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 };
const NO_SUCH_KEY = {
  'x-oss-request-id': '51524FBF3C5D68394A371BEC',
  'x-oss-err': Buffer.from('<Error><Code>NoSuchKey</Code></Error>').toString('base64'),
};
const issuer: TestIssuer = createTestIssuer();
let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage();
  const jwks = JSON.stringify(issuer.jwks);
  // The issuer, and a bucket without objects.
  const server = createServer((request, response) => {
    if (request.method === 'HEAD') response.writeHead(404, NO_SUCH_KEY).end();
    else response.end(jwks);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const policy = policyWith({
    issuers: [testIssuerEntry({ jwksFile: undefined, jwksUrl: `${origin}/jwks` })],
    targets: { media: mediaTarget({ serviceEndpoint: origin }) },
  });
  write('policy.yaml', policy);
  write('claims.json', JSON.stringify(CLAIMS));
  write('request.json', JSON.stringify(REQUEST));
  return () => void server.close();
});
afterAll(() => installed.remove());

const write = (name: string, content: string) => writeFileSync(join(installed.folder, name), content);

it('contains the built code, its documents and an example policy, and nothing for development', () => {
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
  console.log(
    `${installed.files.length} files, ${kilobytes(installed.tarballBytes)} packed, ${kilobytes(installed.unpackedBytes)} unpacked`,
  );
  const others = installed.files.filter((file) => !/^dist\/[a-z0-9/-]+\.js$/.test(file));
  expect(others).toStrictEqual([
    'LICENSE',
    'README.md',
    'openapi.yaml',
    'package.json',
    'policy.example.yaml',
    'policy.schema.json',
  ]);
  expect(installed.files.filter((file) => /^dist\/(emulator|demo)\//.test(file))).toStrictEqual([]);
  expect(installed.unpackedBytes).toBeLessThan(1_200_000);
});

it('exports its documents, and neither code nor another file', () => {
  const { resolve } = createRequire(join(installed.folder, 'package.json'));
  for (const [subpath, file] of Object.entries(packageJson.exports))
    expect(resolve(join('oss-presign', subpath))).toBe(
      join(installed.folder, 'node_modules/oss-presign', file),
    );
  for (const name of ['oss-presign', 'oss-presign/dist/main.js', 'oss-presign/README.md'])
    expect(() => resolve(name), name).toThrow(
      expect.objectContaining({ code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' }),
    );
});

it('installs its dependencies and no development tool', () => {
  const modules = join(installed.folder, 'node_modules');
  for (const name of Object.keys(packageJson.dependencies))
    expect(existsSync(join(modules, name)), name).toBe(true);
  // Some development tools are also needed by a dependency, in this or another version.
  const lock = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8');
  const needed = Object.entries<{ dev?: boolean }>(JSON.parse(lock).packages)
    .filter(([, { dev }]) => !dev)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
  const tools = Object.keys(packageJson.devDependencies).filter(
    (name) => !needed.includes(name) && existsSync(join(modules, name)),
  );
  expect(tools).toStrictEqual([]);
});

it('contains no secret and no path of the machine that packed it', () => {
  const folder = join(installed.folder, 'node_modules/oss-presign');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.length).toBe(installed.files.length);
  for (const file of files) {
    const content = readFileSync(join(file.parentPath, file.name), 'utf8');
    expect(content, file.name).not.toContain(process.cwd());
    expect(content, file.name).not.toMatch(
      /-----BEGIN [A-Z ]+-----\s*[A-Za-z0-9+/]|LTAI[A-Za-z0-9]{12,}|_authToken/,
    );
  }
});

it('npx oss-presign prints its help and its version', async () => {
  const help = await installed.npx(['--help']);
  expect([help.code, help.stdout]).toStrictEqual([0, expect.stringContaining('Usage: oss-presign COMMAND')]);
  expect((await installed.npx(['--version'])).stdout).toBe(`${packageJson.version}\n`);
});

it('npx oss-presign check fetches the keys, compares the clock, asks the bucket and finds no fault', async () => {
  const { code, stdout } = await installed.npx(['check'], CREDENTIALS);
  expect(stdout.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:PORT').split('\n')).toStrictEqual([
    'ok environment: complete',
    expect.stringMatching(/^WARNING environment: SERVICE_KEYS_FILE is not set/),
    'ok policy: policy.yaml, rules: own-files',
    'ok issuer keys: https://login.test/ loaded',
    'ok credentials: static',
    'ok limiter: in memory; set REDIS_URL for limits that hold across replicas',
    expect.stringMatching(/^ok clock: (0 s off, by|1 s (ahead of|behind)) http:\/\/127\.0\.0\.1:PORT$/),
    'ok storage: own-files: uploads to acme-media can be confirmed',
    '',
  ]);
  expect(code).toBe(0);
});

it('npx oss-presign check exits with 1 if something is missing', async () => {
  const { code, stdout } = await installed.npx(['check', '--policy', 'nowhere.yaml'], {
    OSS_ACCESS_KEY_ID: 'OnlyTheKeyId',
  });
  expect([code, stdout]).toStrictEqual([
    1,
    expect.stringMatching(/^FAILED environment: OSS_ACCESS_KEY_SECRET .*\nFAILED policy: POLICY_FILE /),
  ]);
});

it('npx oss-presign reads missing variables from .env and names them', async () => {
  write('.env', 'OSS_ACCESS_KEY_ID=TheKeyId\nOSS_ACCESS_KEY_SECRET=TheKeySecret\n');
  onTestFinished(() => rmSync(join(installed.folder, '.env')));
  const { stdout, stderr } = await installed.npx(['check']);
  expect(stdout).toContain('ok credentials: static\n');
  expect(stderr).toBe('note: read from .env: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET\n');
});

it('npx oss-presign decide prints the decision of the policy', async () => {
  const { code, stdout } = await installed.npx([
    'decide',
    '--claims',
    'claims.json',
    '--request',
    'request.json',
  ]);
  expect([code, JSON.parse(stdout)]).toStrictEqual([
    0,
    expect.objectContaining({ outcome: 'granted', rule: 'own-files', key: REQUEST.key }),
  ]);
});

it('npx oss-presign ram-policy and bucket-cors print the settings of the cloud side', async () => {
  const policy = await installed.npx(['ram-policy']);
  expect(JSON.parse(policy.stdout).Statement[0].Resource).toStrictEqual(['acs:oss:*:*:acme-media/users/*/*']);
  const cors = await installed.npx(['bucket-cors', '--origin', 'https://app.example.com']);
  expect(cors.stdout).toContain('<AllowedHeader>x-oss-meta-album</AllowedHeader>');
});

it('oss-presign start is ready, grants an upload, serves its documents, and exits with 0 on SIGTERM', async () => {
  const child = installed.start(['start'], { ...CREDENTIALS, PORT: '0' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = text(child.stderr);
  let address = '';
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line);
    if (entry.msg !== 'listening') continue;
    address = entry.address;
    break;
  }
  child.stdout.resume();
  await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(200);
  const granted = await fetch(`${address}/v1/uploads`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 })}`,
    },
    body: JSON.stringify(REQUEST),
  });
  expect(granted.status).toBe(201);
  expect(await (await fetch(`${address}/openapi.yaml`)).text()).toBe(
    readFileSync(join(installed.folder, 'node_modules/oss-presign/openapi.yaml'), 'utf8'),
  );
  for (const path of ['/docs', '/docs/page.js', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css']) {
    expect((await fetch(address + path)).status, path).toBe(200);
  }
  child.kill('SIGTERM');
  expect([await ended, await stderr]).toStrictEqual([0, '']);
});
