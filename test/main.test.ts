import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StandInHosts } from './credentials/redirect-hosts.ts';
import { oidcEnvironment, startStandInSts } from './credentials/stand-in-sts.ts';
import { replaceBySwap } from './support/mounted-volume.ts';
import { testPolicyYaml } from './support/test-app.ts';
import { createTestIssuer, type TestIssuer } from './support/tokens.ts';

const CREDENTIALS = {
  OSS_ACCESS_KEY_ID: 'TheKeyId',
  OSS_ACCESS_KEY_SECRET: 'TheKeySecret',
  SHUTDOWN_DELAY_SECONDS: '0',
};
const main = new URL('../src/main.ts', import.meta.url).pathname;

/** A folder with a good policy and its key set, removed when the test ends. */
function folderWithPolicy(issuer = createTestIssuer()): string {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'policy.yaml'), testPolicyYaml());
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(issuer.jwks));
  return folder;
}

function start(cwd: string, env: Record<string, string>): ChildProcessByStdio<null, Readable, Readable> {
  const child = spawn(process.execPath, [main], {
    cwd,
    env: { PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function run(cwd: string, env: Record<string, string>) {
  const child = start(cwd, env);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}

/** The first log line with this message. */
async function logLine(child: { stdout: Readable }, message: string): Promise<Record<string, unknown>> {
  for await (const line of createInterface(child.stdout)) {
    const entry = JSON.parse(line);
    if (entry.msg === message) return entry;
  }
  throw new Error(`the process ended without the log line "${message}"`);
}

it('starts with an access key for a user without a home directory', async () => {
  const noHome = `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
    os.homedir = () => { throw new Error('uv_os_homedir returned ENOENT'); }; syncBuiltinESMExports();`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(noHome)}`;
  const child = start(folderWithPolicy(), { ...CREDENTIALS, NODE_OPTIONS: preload });
  expect(await logLine(child, 'listening')).toHaveProperty('address');
});

it('says everything that is missing, ends 1, and shows no stack trace', async () => {
  const folder = folderWithPolicy();
  rmSync(join(folder, 'policy.yaml'));
  expect(await run(folder, { LOG_LEVEL: 'loud', OSS_SESSION_TOKEN: 'token' })).toStrictEqual({
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(
        [
          '^oss-presign does not start:',
          '  - LOG_LEVEL .*',
          '  - OSS_ACCESS_KEY_ID .*is not set.*',
          '  - OSS_ACCESS_KEY_SECRET .*is not set.*',
          '  - POLICY_FILE cannot be read \\(ENOENT\\): policy.yaml\\. .*',
          '$',
        ].join('\\n'),
      ),
    ),
    code: 1,
  });
});

it.each(['PORT', 'METRICS_PORT'])('says that %s is taken, and ends 1', async (variable) => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const { stderr, code } = await run(folderWithPolicy(), { ...CREDENTIALS, [variable]: port });
  expect({ stderr, code }).toStrictEqual({
    stderr: `oss-presign does not start:\n  - 127.0.0.1 port ${port} is taken by another process; set ${variable} or HOST to another.\n`,
    code: 1,
  });
});

it('serves, and on SIGTERM ends 0 with nothing on stderr', async () => {
  const child = start(folderWithPolicy(), { ...CREDENTIALS, METRICS_PORT: '0' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = text(child.stderr);
  const { metricsAddress, ...line } = await logLine(child, 'listening');
  expect(line).toStrictEqual({
    level: 'info',
    time: expect.any(String),
    version: JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version,
    nodeVersion: process.version,
    address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    policyVersion: expect.stringMatching(/^[0-9a-f]{12}$/),
    rules: 1,
    issuers: 1,
    credentialsSource: 'environment',
    limiterMode: 'memory',
    auditMode: 'lossy',
    corsOrigins: [],
    msg: 'listening',
  });
  const ready = await fetch(`${metricsAddress}/readyz`);
  expect([ready.status, (await ready.text()).replace(/\b[0-9a-f]{12}\b/, 'VERSION')]).toStrictEqual([
    200,
    'ok lifecycle\nok credentials: static\nok issuer keys: https://login.test/ loaded\nok policy: version VERSION, 1 rule\nok limiter: in memory\nok clock: within limits\nok log output: written\n',
  ]);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(await stderr).toBe('');
});

it.each([
  ['SIGTERM', 0],
  ['SIGINT', 0],
] as const)('on %s it ends with every line of its log written', async (signal, code) => {
  const child = start(folderWithPolicy(createTestIssuer()), { ...CREDENTIALS, SHUTDOWN_DELAY_SECONDS: '0' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
  const address = await vi.waitFor(
    () => {
      const listening = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'listening');
      expect(listening).toBeDefined();
      return listening.address;
    },
    { timeout: 15_000 },
  );
  await Promise.all(Array.from({ length: 50 }, () => fetch(`${address}/v1/policy`)));
  const drained = new Promise((resolve) => reader.once('close', resolve));
  child.kill(signal);
  expect(await ended).toBe(code);
  await drained;

  const messages = lines.map((line) => JSON.parse(line).msg);
  expect(messages.filter((message) => message === 'request completed')).toHaveLength(50);
  expect(messages.at(-1)).toBe('stopped');
});

it('on SIGTERM it is not ready, lets the open request end, and then ends 0', async () => {
  const issuer = createTestIssuer();
  const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_DELAY_SECONDS: '1' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  child.stdout.resume();
  // The process runs on the machine's clock, and so must the token.
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const body = JSON.stringify({ key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 });
  const open = request(`${address}/v1/uploads`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': body.length,
    },
  });
  const answered = new Promise<IncomingMessage>((resolve) => open.once('response', resolve));
  open.write(body.slice(0, 5));
  await vi.waitFor(async () => expect((await fetch(`${address}/readyz`)).status).toBe(200));

  child.kill('SIGTERM');
  const unready = await vi.waitFor(async () => {
    const answer = await fetch(`${address}/readyz`);
    expect(answer.status).toBe(503);
    return answer.text();
  });
  expect(unready).toContain('FAILED lifecycle\n');
  open.end(body.slice(5));
  const answer = await answered;
  expect([answer.resume().statusCode, answer.headers.connection]).toStrictEqual([201, 'close']);
  expect(await ended).toBe(0);
});

it('ends at once when its clients have gone, whatever they had asked', async () => {
  const issuer = createTestIssuer();
  const child = start(folderWithPolicy(issuer), CREDENTIALS);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  child.stdout.resume();
  const { port, hostname } = new URL(String(address));
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const ask = `GET /v1/policy HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      // Gone while the token is being verified.
      await new Promise((resolve) => socket.write(ask.repeat(5), resolve));
      socket.resetAndDestroy();
      await once(socket, 'close');
    }),
  );
  expect((await fetch(`${address}/livez`)).status).toBe(200);
  const startedAt = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

it('ends within the grace time even when a client never finishes its request', async () => {
  const child = start(folderWithPolicy(), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '1' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  const { port, hostname } = new URL(String(address));
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write('POST /v1/uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{');
  const startedAt = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

it('goes on answering, unready, for the delay after SIGTERM', async () => {
  const issuer = createTestIssuer();
  const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_DELAY_SECONDS: '2' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  child.stdout.resume();
  const startedAt = performance.now();
  child.kill('SIGTERM');
  await vi.waitFor(async () => expect((await fetch(`${address}/readyz`)).status).toBe(503));
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const answer = await fetch(`${address}/v1/policy`, { headers: { authorization: `Bearer ${token}` } });
  expect([answer.status, answer.headers.get('connection')]).toStrictEqual([200, 'close']);
  expect(await ended).toBe(0);
  expect(performance.now() - startedAt).toBeGreaterThan(1900);
});

describe('whatever becomes of its log', () => {
  const PHOTO = JSON.stringify({ key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 });
  const metricsOf = async (address: unknown) => (await fetch(`${address}/metrics`)).text();
  const askFor = async (address: unknown, issuer: TestIssuer) => {
    const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return (await fetch(`${address}/v1/uploads`, { method: 'POST', headers, body: PHOTO })).status;
  };

  it('goes on with a full disk, says so once on stderr and in a metric, and logs what was lost once there is room', async () => {
    const issuer = createTestIssuer();
    const folder = folderWithPolicy(issuer);
    const path = join(folder, 'log');
    const log = openSync(path, 'a');
    // A limit of 2 KiB on the size of files stands for the disk.
    const child = spawn('sh', ['-c', 'ulimit -f 4; exec "$0" "$1"', process.execPath, main], {
      cwd: folder,
      env: { PORT: '0', ...CREDENTIALS },
      stdio: ['ignore', log, 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    closeSync(log);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const stderr = text(child.stderr as Readable);
    const lines = () => readFileSync(path, 'utf8').split('\n');
    const address = await vi.waitFor(
      () => JSON.parse(lines().find((line) => line.includes('"msg":"listening"')) ?? '').address,
      { timeout: 15_000 },
    );
    await vi.waitFor(async () => {
      expect(await askFor(address, issuer)).toBe(201);
      expect(await metricsOf(address)).toMatch(/^oss_presign_log_lines_lost_total [1-9]\d*$/m);
    }, 10_000);
    expect(await metricsOf(address)).toContain('oss_presign_log_output_usable 0\n');
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect(await askFor(address, issuer)).toBe(201);

    truncateSync(path);
    await vi.waitFor(
      () =>
        expect(lines().find((line) => line.includes('log lines were lost'))).toMatch(
          /"lostLines":\d+,"since":/,
        ),
      10_000,
    );
    expect(await metricsOf(address)).toContain('oss_presign_log_output_usable 1\n');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(await stderr).toMatch(/^\{"level":"error",[^\n]*"reason":"EFBIG",[^\n]*\}\n$/);
  });

  it('goes on when the readers of stdout and stderr are gone, grants nothing with AUDIT_MODE=strict, and ends 0 on SIGTERM', async () => {
    const issuer = createTestIssuer();
    const child = start(folderWithPolicy(issuer), {
      ...CREDENTIALS,
      SHUTDOWN_GRACE_SECONDS: '30',
      AUDIT_MODE: 'strict',
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const { address } = await logLine(child, 'listening');
    expect(await askFor(address, issuer)).toBe(201);
    child.stdout.destroy();
    child.stderr.destroy();
    await vi.waitFor(async () => {
      expect(await askFor(address, issuer)).toBe(503);
      expect(await metricsOf(address)).toMatch(/^oss_presign_log_lines_lost_total [1-9]\d*$/m);
    }, 10_000);
    const startedAt = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('goes on while nothing reads it, and ends 0 on SIGTERM', async () => {
    const issuer = createTestIssuer();
    const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '30' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const { address } = await logLine(child, 'listening');
    child.stdout.pause();
    const { port, hostname } = new URL(String(address));
    const socket = connect(Number(port), hostname);
    const request = `GET /none HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${'x'.repeat(128)}\r\n\r\n`;
    socket.resume().end(request.repeat(2000));
    await once(socket, 'close');
    // More than the pipe takes; the service keeps the rest.
    await vi.waitFor(
      async () => expect(await metricsOf(address)).toContain('oss_presign_log_output_usable 0\n'),
      { timeout: 10_000, interval: 100 },
    );
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect(await askFor(address, issuer)).toBe(201);
    const startedAt = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

it('ends at once on a second signal, with its log written', async () => {
  const child = start(folderWithPolicy(), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '3600' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  const listening = once(reader, 'line');
  reader.on('line', (line) => lines.push(line));
  const { port, hostname } = new URL(JSON.parse((await listening)[0]).address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('POST /v1/uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{');
  // Repeated by hand: what follows at once counts as the same signal.
  await vi.waitFor(
    () => {
      child.kill('SIGTERM');
      expect(child.exitCode).toBe(0);
    },
    { timeout: 10_000, interval: 100 },
  );
  expect(await ended).toBe(0);
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('stopping');
});

it('takes a new policy when Kubernetes swaps the volume, refuses a bad one, and obeys SIGHUP', async () => {
  const issuer = createTestIssuer();
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const mount = (policyYaml: string) =>
    replaceBySwap(folder, { 'policy.yaml': policyYaml, 'jwks.json': JSON.stringify(issuer.jwks) });
  mount(testPolicyYaml());
  const child = start('/', { ...CREDENTIALS, POLICY_FILE: join(folder, 'policy.yaml'), METRICS_PORT: '0' });
  const { address, metricsAddress } = await logLine(child, 'listening');
  child.stdout.resume();
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const prefixes = async () => {
    const answer = await fetch(`${address}/v1/policy`, { headers: { authorization: `Bearer ${token}` } });
    const { rules } = (await answer.json()) as { rules: { prefix: string }[] };
    return rules.map(({ prefix }) => prefix);
  };
  const policyLine = async () =>
    (await (await fetch(`${metricsAddress}/readyz`)).text()).match(/^.* policy: .*$/m)?.[0];
  expect(await prefixes()).toStrictEqual(['users/alice/']);

  mount(testPolicyYaml().replace('users/{sub}/', 'people/{sub}/'));
  await vi.waitFor(async () => expect(await prefixes()).toStrictEqual(['people/alice/']), 5000);

  mount('rules: []');
  await vi.waitFor(
    async () => expect(await policyLine()).toMatch(/^ok policy: .*; the file now holds .* refused$/),
    5000,
  );
  expect(await prefixes()).toStrictEqual(['people/alice/']);

  mount(testPolicyYaml().replace('users/{sub}/', 'members/{sub}/'));
  child.kill('SIGHUP');
  await vi.waitFor(async () => expect(await prefixes()).toStrictEqual(['members/alice/']), 900);
});

describe('without credentials of its own', () => {
  const preload = new URL('credentials/redirect-preload.ts', import.meta.url).href;

  /** A process whose home is the folder, and whose every way out of the machine is refused or leads to a stand-in. */
  const alone = (folder: string, env: Record<string, string> = {}, hosts: StandInHosts = {}) => ({
    HOME: folder,
    NODE_OPTIONS: `--import ${preload}`,
    METRICS_PORT: '0',
    STAND_IN_HOSTS: JSON.stringify(hosts),
    ...env,
  });
  const credentialsLine = async (address: unknown) => {
    const answer = await fetch(`${address}/readyz`);
    return [answer.status, (await answer.text()).split('\n').find((line) => line.includes('credentials'))];
  };

  it('says what to set, and ends 1', async () => {
    const folder = folderWithPolicy();
    const { stdout, stderr, code } = await run(folder, alone(folder));
    expect({ stdout, stderr, code }).toStrictEqual({
      stdout: '',
      stderr: expect.stringMatching(
        /^oss-presign does not start:\n {2}- .*There are no cloud credentials: set OSS_ACCESS_KEY_ID .*\.\n$/,
      ),
      code: 1,
    });
  });

  it('starts while STS fails, is unready and says why, and becomes ready by itself', async () => {
    const folder = folderWithPolicy();
    writeFileSync(join(folder, 'token'), 'PrivateToken');
    const sts = await startStandInSts(() => new Date());
    sts.server.answering = () => ({ status: 403, body: '{"Code":"NoPermission","Message":"PrivateToken"}' });
    const child = start(folder, alone(folder, oidcEnvironment(join(folder, 'token')), sts.hosts));
    const stderr = text(child.stderr);
    const { metricsAddress } = await logLine(child, 'listening');
    child.stdout.resume();
    await vi.waitFor(
      async () =>
        expect(await credentialsLine(metricsAddress)).toStrictEqual([
          503,
          'FAILED credentials: oidc_role_arn: refused with NoPermission',
        ]),
      { timeout: 10_000 },
    );
    sts.server.answering = sts.assumeRole;
    await vi.waitFor(
      async () =>
        expect(await credentialsLine(metricsAddress)).toStrictEqual([
          200,
          expect.stringMatching(/^ok credentials: oidc_role_arn, valid for (?:59|60) min$/),
        ]),
      { timeout: 10_000, interval: 100 },
    );
    child.kill('SIGTERM');
    expect(await stderr).toBe('');
  });

  it.each<[string, (folder: string) => Record<string, string>, string]>([
    [
      'the CLI’s current profile',
      (folder) => {
        const profile = {
          name: 'prod',
          mode: 'OIDC',
          ram_role_arn: 'acs:ram::1:role/r',
          oidc_provider_arn: 'acs:ram::1:oidc-provider/p',
          oidc_token_file: join(folder, 'token'),
          sts_region: 'cn-hangzhou',
        };
        mkdirSync(join(folder, '.aliyun'));
        writeFileSync(
          join(folder, '.aliyun/config.json'),
          JSON.stringify({ current: 'prod', profiles: [profile] }),
        );
        return {};
      },
      'ok credentials: cli_profile, valid for (?:59|60) min',
    ],
    [
      'a profile file',
      (folder) => {
        writeFileSync(
          join(folder, 'profiles'),
          '[default]\ntype = access_key\naccess_key_id = LTAIprofile\naccess_key_secret = ProfileSecret\n',
        );
        return { ALIBABA_CLOUD_CREDENTIALS_FILE: join(folder, 'profiles') };
      },
      'ok credentials: profile, without a known end',
    ],
  ])('takes them from %s', async (_name, write, line) => {
    const folder = folderWithPolicy();
    writeFileSync(join(folder, 'token'), 'PrivateToken');
    const sts = await startStandInSts(() => new Date());
    const child = start(folder, alone(folder, write(folder), sts.hosts));
    const { metricsAddress } = await logLine(child, 'listening');
    child.stdout.resume();
    await vi.waitFor(
      async () =>
        expect(await credentialsLine(metricsAddress)).toStrictEqual([
          200,
          expect.stringMatching(new RegExp(`^${line}$`)),
        ]),
      { timeout: 10_000 },
    );
  });
});
