import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { findEngine } from './engine.ts';
import { type Load, type LoadReport, startLoad } from './load.ts';
import { containersOf, demoToken, REAL_STACK, SERVICE, startStack, stopStack } from './stack.ts';

const COPIES = 3;
const LIMIT = 100;
const REQUESTS_PER_SECOND = 200;
/** Requests per second where only the answers matter. */
const GENTLE = 20;
const PATIENCE = { timeout: 40_000, interval: 250 };

const folder = mkdtempSync(join(tmpdir(), 'oss-presign-scale-'));
const engine = findEngine({
  ENV_FILE: join(folder, 'env'),
  PRESIGN_REPLICAS: String(COPIES),
  POLICY_FILE: join(folder, 'policy.yaml'),
  OSS_ACCESS_KEY_ID: 'demo-access-key-id',
  OSS_ACCESS_KEY_SECRET: 'demo-access-key-secret',
  // All load comes from one address.
  PROXY_MAX_REQUESTS: '1000000',
});
let copies: readonly string[] = [];
let valkey = '';

const rule = (name: string, contentType: string, requestsPerMinute: number) => `
  - name: ${name}
    who: { scope: uploads:write }
    target: media
    prefix: ${name}/{sub}/
    naming: server
    contentTypes: [${contentType}]
    maxSize: 1MiB
    expiresIn: { default: 10m, max: 1h }
    limits: { requestsPerMinute: ${requestsPerMinute} }
`;

beforeAll(async () => {
  // The container's user is another than the one who runs this.
  chmodSync(folder, 0o755);
  writeFileSync(
    join(folder, 'policy.yaml'),
    `
issuers: [{ issuer: "\${DEMO_ISSUER}", audience: uploads, jwksUrl: "\${DEMO_JWKS_URL}", insecureHttp: true, algorithms: [ES256] }]
targets: { media: { bucket: demo-media, region: cn-hangzhou, endpoint: "\${DEMO_OSS_ENDPOINT}" } }
rules:${rule('counted', 'text/plain', LIMIT)}${rule('busy', 'image/png', 1_000_000)}`,
  );
  // What the policy takes by name reaches the container like every variable of the service; those of the host do not.
  writeFileSync(
    join(folder, 'env'),
    `DEMO_ISSUER=http://demo:8090/
DEMO_JWKS_URL=http://demo:8090/jwks
DEMO_OSS_ENDPOINT=http://localhost:9000
SHUTDOWN_GRACE_SECONDS=8
HOST=127.0.0.1
PORT=1
POLICY_FILE=nowhere.yaml
METRICS_PORT=2
`,
  );
  await startStack(engine, REAL_STACK);
  copies = await containersOf(engine, REAL_STACK, 'presign');
  expect(copies).toHaveLength(COPIES);
  [valkey = ''] = await containersOf(engine, REAL_STACK, 'valkey');
  await Promise.all(copies.map((copy) => expectReadyLine(copy, 'ok limiter: in Redis')));
  await expectAllInUse();
});
afterAll(async () => {
  await stopStack(engine, REAL_STACK);
  rmSync(folder, { recursive: true, force: true });
});

it('publishes the proxy on the loopback address, and nothing else', async () => {
  const portsOf = async (service: string) => {
    const [container = ''] = await containersOf(engine, REAL_STACK, service);
    return (await engine.run('port', container)).stdout.trim();
  };
  expect([await portsOf('proxy'), await portsOf('presign'), await portsOf('valkey')]).toStrictEqual([
    '8080/tcp -> 127.0.0.1:8080',
    '',
    '',
  ]);
});

it('lets the replicas alone reach Valkey, which cannot write to its disk', async () => {
  const [proxy = ''] = await containersOf(engine, REAL_STACK, 'proxy');
  const resolve = ['getent', 'hosts', 'valkey'];
  expect((await engine.run('exec', proxy, ...resolve)).code).not.toBe(0);
  expect((await engine.run('exec', copies[0] ?? '', ...resolve)).code).toBe(0);
  const { stdout } = await engine.run('exec', valkey, 'valkey-cli', 'config', 'get', 'maxmemory*');
  expect(stdout).toMatch(/maxmemory-policy\nnoeviction/);
  expect((await engine.run('exec', valkey, 'touch', '/written')).code).not.toBe(0);
});

it('counts a limit across all copies to the exact request', async () => {
  const token = await demoToken('exact');
  const answers = await Promise.all(
    Array.from({ length: LIMIT + 50 }, () => requestUpload(token, 'text/plain')),
  );
  expect(tally(answers)).toStrictEqual({ 201: LIMIT, 429: 50 });
  // A line of the log waits for others, for up to 100 ms.
  const shares = await vi.waitFor(
    async () => {
      const written = await Promise.all(copies.map((copy) => decisionsOf(copy, 'exact')));
      const counts = written.map(({ length }) => length);
      expect(counts.reduce((sum, count) => sum + count)).toBe(LIMIT + 50);
      return counts;
    },
    { timeout: 5_000, interval: 100 },
  );
  console.info(`${LIMIT + 50} requests at once: ${LIMIT} granted; the copies answered ${shares.join(', ')}.`);
  expect(Math.min(...shares)).toBeGreaterThan(0);
});

it('logs where a caller is as the proxy sees it, whatever the caller says', async () => {
  const claimed = '203.0.113.7';
  await requestUpload(await demoToken('forwarded'), 'image/png', { 'x-forwarded-for': claimed });
  const [line = ''] = await vi.waitFor(async () => {
    const written = await Promise.all(copies.map((copy) => decisionsOf(copy, 'forwarded')));
    expect(written.flat()).toHaveLength(1);
    return written.flat();
  }, PATIENCE);
  const { remoteAddress } = JSON.parse(line);
  const [proxy = ''] = await containersOf(engine, REAL_STACK, 'proxy');
  const format = '--format={{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
  const ofProxy = (await engine.run('inspect', format, proxy)).stdout.trim().split(' ');
  expect(ofProxy.map(isIP), 'addresses of the proxy').not.toContain(0);
  expect([...ofProxy, claimed]).not.toContain(remoteAddress);
  expect(isIP(remoteAddress), remoteAddress).not.toBe(0);
});

it('loses no request when a copy is killed under load', { timeout: 120_000 }, async () => {
  const [victim = ''] = copies;
  const load = await startUploads();
  await answeredMore(load, 5 * REQUESTS_PER_SECOND);
  const killed = await engine.run('kill', '--signal=KILL', victim);
  expect(killed.code, killed.stderr).toBe(0);
  await answeredMore(load, 10 * REQUESTS_PER_SECOND);
  const report = await load.stop();
  tell('One of three copies killed', report);
  expect(report.outcomes).toStrictEqual({ 201: report.requests });
  expect(await isRunning(victim)).toBe(false);
  await startAgain(victim);
});

it('loses no request while all copies are restarted, one after the other', { timeout: 180_000 }, async () => {
  const load = await startUploads();
  await answeredMore(load, REQUESTS_PER_SECOND);
  for (const copy of copies) {
    const stopped = await engine.run('stop', '--time', '15', copy);
    expect(stopped.code, stopped.stderr).toBe(0);
    const { stdout } = await engine.run('inspect', '--format={{.State.ExitCode}}', copy);
    expect(stdout.trim(), `${copy} ended by itself`).toBe('0');
    await startAgain(copy);
    await expectInUse(copy);
  }
  const report = await load.stop();
  tell('Three copies restarted in turn', report);
  expect(report.outcomes).toStrictEqual({ 201: report.requests });
});

it.each([
  ['hangs', ['kill', '--signal=STOP'], ['kill', '--signal=CONT']],
  ['is stopped', ['stop', '--time', '5'], ['start']],
] as const)(
  'goes on when Valkey %s, says so, and uses it again',
  { timeout: 120_000 },
  async (_how, take, give) => {
    const load = await startUploads(GENTLE);
    expect((await engine.run(...take, valkey)).code).toBe(0);
    await Promise.all(copies.map((copy) => expectReadyLine(copy, 'ok limiter: degraded: Redis unreachable')));
    await answeredMore(load, 2 * GENTLE);
    expect((await engine.run(...give, valkey)).code).toBe(0);
    await Promise.all(copies.map((copy) => expectReadyLine(copy, 'ok limiter: in Redis')));
    const report = await load.stop();
    tell(`Valkey ${_how} and comes back`, report);
    expect(report.outcomes).toStrictEqual({ 201: report.requests });
  },
);

async function requestUpload(token: string, contentType: string, headers: object = {}): Promise<string> {
  const answer = await fetch(`${SERVICE}/v1/uploads`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ filename: 'a', contentType, contentLength: 1 }),
  });
  await answer.arrayBuffer();
  return String(answer.status);
}

/** Callers of their own for each load, so that no limit of one is met by another. */
async function startUploads(requestsPerSecond = REQUESTS_PER_SECOND): Promise<Load> {
  const tokens = await Promise.all(Array.from({ length: 10 }, (_, index) => demoToken(`caller-${index}`)));
  return startLoad(requestsPerSecond, (index) =>
    requestUpload(tokens[index % tokens.length] ?? '', 'image/png'),
  );
}

async function answeredMore(load: Load, requests: number): Promise<void> {
  const goal = load.answered() + requests;
  await vi.waitFor(() => expect(load.answered()).toBeGreaterThanOrEqual(goal), PATIENCE);
}

/** Starts a copy that has ended; resolves when it listens. */
async function startAgain(copy: string): Promise<void> {
  const before = (await logOf(copy)).filter(isStart).length;
  const started = await engine.run('start', copy);
  expect(started.code, started.stderr).toBe(0);
  await vi.waitFor(
    async () => expect((await logOf(copy)).filter(isStart), copy).toHaveLength(before + 1),
    PATIENCE,
  );
}

/** The decisions that a copy logged since it last started to listen, of one caller or of all. */
async function decisionsOf(copy: string, subject?: string): Promise<readonly string[]> {
  const lines = await logOf(copy);
  return lines
    .slice(lines.findLastIndex(isStart) + 1)
    .filter((line) => line.includes('"audit":') && (!subject || line.includes(`"subject":"${subject}"`)));
}

async function logOf(copy: string): Promise<readonly string[]> {
  return (await engine.run('logs', copy)).stdout.split('\n');
}

function isStart(line: string): boolean {
  return line.includes('"msg":"listening"');
}

async function expectInUse(copy: string): Promise<void> {
  await vi.waitFor(async () => expect(await decisionsOf(copy), copy).not.toHaveLength(0), PATIENCE);
}

async function expectAllInUse(): Promise<void> {
  const load = await startUploads(GENTLE);
  try {
    await Promise.all(copies.map(expectInUse));
  } finally {
    await load.stop();
  }
}

async function expectReadyLine(copy: string, line: string): Promise<void> {
  const script = 'fetch("http://127.0.0.1:9090/readyz").then((answer) => answer.text()).then(console.log)';
  await vi.waitFor(async () => {
    const { stdout } = await engine.run('exec', copy, 'node', '-e', script);
    expect(stdout, copy).toContain(line);
  }, PATIENCE);
}

async function isRunning(copy: string): Promise<boolean> {
  return (await engine.run('inspect', '--format={{.State.Running}}', copy)).stdout.trim() === 'true';
}

function tally(outcomes: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(Object.groupBy(outcomes, (one) => one)).map(([outcome, all]) => [
      outcome,
      all?.length ?? 0,
    ]),
  );
}

function tell(what: string, { requests, outcomes, p50Ms, p99Ms, maxMs }: LoadReport): void {
  const failures = requests - (outcomes['201'] ?? 0);
  console.info(
    `${what}: ${requests} requests, ${failures} failures, p50 ${p50Ms} ms, p99 ${p99Ms} ms, max ${maxMs} ms`,
  );
}
