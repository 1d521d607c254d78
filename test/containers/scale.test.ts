// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of the policy file look like template strings
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { FormGrant, PutGrant } from '../../src/grants/upload/response.ts';
import { policyWith, testIssuerEntry } from '../support/policies.ts';
import { postForm } from '../support/post-form.ts';
import { findEngine } from './engine.ts';
import { type Load, type LoadReport, startLoad } from './load.ts';
import { buildImages, containersOf, demoToken, REAL_STACK, SERVICE, startStack, stopStack } from './stack.ts';

const REPLICAS = 3;
const LIMIT = 100;
const GIF = 'GIF89a';
/** The least that OSS accepts for all parts but the last. */
const PART_BYTES = 100 * 1024;
const REQUESTS_PER_SECOND = 200;
/** Requests per second in tests that check only the outcomes. */
const GENTLE = 20;
/** The requests that a replica can have open when it is killed. */
const MAX_LOST = 20;
const PUBLIC_URL = 'https://presign.example.com';
const PATIENCE = { timeout: 40_000, interval: 250 };
/**
 * For a container that was started again. An engine's DNS server can be out of reach of the other
 * containers for up to 50 s afterwards, until they have learned its new MAC address.
 */
const RECONNECT_PATIENCE = { ...PATIENCE, timeout: 100_000 };

type SignedPart = {
  readonly url: string;
  readonly method: 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly offset: number;
  readonly contentLength: number;
};

const folder = mkdtempSync(join(tmpdir(), 'oss-presign-scale-'));
const engine = findEngine({
  ENV_FILE: join(folder, 'env'),
  PRESIGN_REPLICAS: String(REPLICAS),
  POLICY_FILE: join(folder, 'policy.yaml'),
  SERVICE_KEYS_DIRECTORY: folder,
  PUBLIC_URL,
  OSS_ACCESS_KEY_ID: 'demo-access-key-id',
  OSS_ACCESS_KEY_SECRET: 'demo-access-key-secret',
  // All load comes from one address.
  PROXY_MAX_REQUESTS: '1000000',
});
let replicas: readonly string[] = [];
let valkey = '';

const rule = (name: string, contentType: string, requestsPerMinute: number) => ({
  name,
  who: { scope: 'uploads:write' },
  target: 'media',
  prefix: `${name}/{sub}/`,
  naming: 'server',
  contentTypes: [contentType],
  maxSize: '1MiB',
  expiresIn: { default: '10m', max: '1h' },
  limits: { requestsPerMinute },
});

beforeAll(async () => {
  // The container runs as another user than this test.
  chmodSync(folder, 0o755);
  writeFileSync(
    join(folder, 'policy.yaml'),
    policyWith({
      issuers: [
        testIssuerEntry({
          issuer: '${DEMO_ISSUER}',
          jwksFile: undefined,
          jwksUrl: '${DEMO_JWKS_URL}',
          insecureHttp: true,
        }),
      ],
      targets: {
        media: {
          bucket: 'demo-media',
          region: 'cn-hangzhou',
          endpoint: '${DEMO_OSS_ENDPOINT}',
          serviceEndpoint: 'http://demo:9000',
          pathStyle: true,
          insecureHttp: true,
        },
      },
      rules: [
        rule('counted', 'text/plain', LIMIT),
        rule('busy', 'image/png', 1_000_000),
        {
          ...rule('continued', 'image/gif', LIMIT),
          naming: 'either',
          transfers: ['put', 'form'],
        },
        { ...rule('large', 'video/mp4', LIMIT), transfers: ['multipart'], partSize: PART_BYTES },
      ],
    }),
  );
  // The container gets these variables, also those that the policy uses. HOST, PORT, POLICY_FILE
  // and METRICS_PORT are for the host and must have no effect in it.
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
  await buildImages(engine);
  // The container's user is another one than that of this test.
  const keygen = await engine.run(...['run', '--rm', 'oss-presign', 'node', 'src/cli/main.ts', 'keygen']);
  expect(keygen.code, keygen.stderr).toBe(0);
  writeFileSync(join(folder, 'service-keys.json'), keygen.stdout, { mode: 0o644 });
  await startStack(engine, REAL_STACK);
  replicas = await containersOf(engine, REAL_STACK, 'presign');
  expect(replicas).toHaveLength(REPLICAS);
  [valkey = ''] = await containersOf(engine, REAL_STACK, 'valkey');
  await Promise.all(replicas.map((replica) => expectReadyLine(replica, 'ok limiter: in Redis')));
  await Promise.all(replicas.map((replica) => expectReadyLine(replica, 'ok service keys: 1 key')));
  await expectAllInUse();
});
afterEach(async () => {
  // A test that failed must not take replicas away from the next one.
  for (const replica of replicas) if (!(await isRunning(replica))) await startAgain(replica);
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

it('lets only the replicas reach Valkey, which cannot write to its disk', async () => {
  const [proxy = ''] = await containersOf(engine, REAL_STACK, 'proxy');
  const resolve = ['getent', 'hosts', 'valkey'];
  expect((await engine.run('exec', proxy, ...resolve)).code).not.toBe(0);
  expect((await engine.run('exec', replicas[0] ?? '', ...resolve)).code).toBe(0);
  const { stdout } = await engine.run('exec', valkey, 'valkey-cli', 'config', 'get', 'maxmemory*');
  expect(stdout).toMatch(/maxmemory-policy\nnoeviction/);
  expect((await engine.run('exec', valkey, 'touch', '/written')).code).not.toBe(0);
});

it('counts a limit across all replicas to the exact request', async () => {
  const token = await demoToken('exact');
  const statuses = await Promise.all(
    Array.from({ length: LIMIT + 50 }, () => requestUpload(token, 'text/plain')),
  );
  expect(tally(statuses)).toStrictEqual({ 201: LIMIT, 429: 50 });
  // The service holds a log line for up to 100 ms to write it together with others.
  const shares = await vi.waitFor(
    async () => {
      const written = await Promise.all(replicas.map((replica) => decisionsOf(replica, 'exact')));
      const counts = written.map(({ length }) => length);
      expect(counts.reduce((sum, count) => sum + count)).toBe(LIMIT + 50);
      return counts;
    },
    { timeout: 5_000, interval: 100 },
  );
  console.info(
    `${LIMIT + 50} requests at once: ${LIMIT} granted; the replicas handled ${shares.join(', ')}.`,
  );
  expect(Math.min(...shares)).toBeGreaterThan(0);
});

it('logs the address that the proxy sees, not the one that the caller claims', async () => {
  const claimed = '203.0.113.7';
  await requestUpload(await demoToken('forwarded'), 'image/png', { 'x-forwarded-for': claimed });
  const [line = ''] = await vi.waitFor(async () => {
    const written = await Promise.all(replicas.map((replica) => decisionsOf(replica, 'forwarded')));
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

it('loses only requests that a killed replica had open, and clients repeat those', {
  timeout: 120_000,
}, async () => {
  const [victim = ''] = replicas;
  const load = await startUploads(REQUESTS_PER_SECOND, { repeats: true });
  await waitForResponses(load, 5 * REQUESTS_PER_SECOND);
  const killed = await engine.run('kill', '--signal=KILL', victim);
  expect(killed.code, killed.stderr).toBe(0);
  await waitForResponses(load, 10 * REQUESTS_PER_SECOND);
  const report = await load.stop();
  print('One of three replicas killed', report);
  const { 201: granted = 0, ...repeated } = report.outcomes;
  const unexpected = Object.keys(repeated).filter(
    (outcome) => !/^(502|UND_ERR_SOCKET), then 201$/.test(outcome),
  );
  expect(unexpected).toStrictEqual([]);
  expect(report.requests - granted).toBeLessThanOrEqual(MAX_LOST);
  expect(await isRunning(victim)).toBe(false);
  await startAgain(victim);
});

it('continues uploads on the other replicas after the one that granted them was killed', {
  timeout: 240_000,
}, async () => {
  const [granting = '', other = '', another = ''] = replicas;
  const token = await demoToken('continued');
  const gif = { contentType: 'image/gif', contentLength: GIF.length };
  const kinds: Readonly<Record<string, object>> = {
    'a put with a key': { ...gif, key: 'continued/continued/a.gif' },
    'a put with a file name': { ...gif, filename: 'a.gif' },
    'a form': { ...gif, filename: 'b.gif', transfer: 'form' },
  };
  const named = { token, idempotencyKey: 'upload-1' };
  const uploads: { readonly kind: string; readonly grant: PutGrant | FormGrant }[] = [];
  for (const [kind, body] of Object.entries(kinds)) {
    const grant = await postTo<PutGrant | FormGrant>(granting, '/v1/uploads', body, named);
    expect(await send(grant), kind).toBe(200);
    uploads.push({ kind, grant });
  }
  const killed = await engine.run('kill', '--signal=KILL', granting);
  expect(killed.code, killed.stderr).toBe(0);
  expect(await isRunning(granting)).toBe(false);

  const receipts = new Map<string, string>();
  for (const { kind, grant } of uploads) {
    const { id, key } = grant;
    const state = { state: 'stored', transfer: grant.transfer, key, contentLength: GIF.length };
    const checked = await postRepeatedly('/v1/uploads/status', { id }, token);
    expect([checked.status, checked.body], kind).toStrictEqual([200, state]);
    const completed = await postRepeatedly('/v1/uploads/complete', { id }, token);
    expect([completed.status, completed.body], kind).toMatchObject([200, state]);
    receipts.set(String(completed.body.receipt), key);
  }
  // The others name the object as the killed replica did.
  for (const replica of [other, another]) {
    const again = await postTo<PutGrant | FormGrant>(
      replica,
      '/v1/uploads',
      kinds['a put with a file name'] ?? {},
      named,
    );
    expect(again.key, replica).toBe(uploads[1]?.grant.key);
  }

  await startAgain(granting);
  for (const replica of replicas) {
    const jwks = await inReplica<JSONWebKeySet>(replica, '/.well-known/jwks.json');
    for (const [receipt, key] of receipts) {
      const { payload } = await jwtVerify(receipt, createLocalJWKSet(jwks), {
        issuer: PUBLIC_URL,
        audience: PUBLIC_URL,
        typ: 'upload-receipt+jwt',
        algorithms: ['ES256'],
      });
      expect(payload, replica).toMatchObject({ sub: 'continued', key, content_length: GIF.length });
    }
  }
});

it('continues a multipart upload after each step, although the replica that served it was killed', {
  timeout: 400_000,
}, async () => {
  const token = await demoToken('large');
  const bytes = randomBytes(2 * PART_BYTES + 50);
  const servedBy: string[] = [];
  let killed: readonly string[] = [];
  const step = async (path: string, body: object) => {
    const { status, requestId, body: response } = await postRepeatedly(path, body, token);
    const replica = await vi.waitFor(async () => {
      const logs = await Promise.all(replicas.map(logOf));
      const index = logs.findIndex((lines) => lines.some((line) => line.includes(requestId)));
      expect(index, path).toBeGreaterThanOrEqual(0);
      return replicas[index] ?? '';
    }, PATIENCE);
    expect(killed).not.toContain(replica);
    servedBy.push(replica);
    // The last replica is killed when the others run again.
    if (killed.length === REPLICAS - 1) {
      for (const one of killed) await startAgain(one);
      killed = [];
    }
    const kill = await engine.run('kill', '--signal=KILL', replica);
    expect(kill.code, kill.stderr).toBe(0);
    killed = [...killed, replica];
    return [status, response] as const;
  };
  const sendParts = async (id: unknown, partNumbers: readonly number[]) => {
    const [status, { parts }] = await step('/v1/uploads/parts', { id, partNumbers });
    expect(status).toBe(200);
    for (const { url, method, headers, offset, contentLength } of parts as readonly SignedPart[]) {
      const body = bytes.subarray(offset, offset + contentLength);
      expect((await fetch(url, { method, headers, body })).status).toBe(200);
    }
  };

  const [granted, { id, key, partCount }] = await step('/v1/uploads', {
    filename: 'a.mp4',
    contentType: 'video/mp4',
    contentLength: bytes.length,
    transfer: 'multipart',
  });
  expect([granted, partCount]).toStrictEqual([201, 3]);
  await sendParts(id, [2]);
  const missing = [
    { from: 1, to: 1 },
    { from: 3, to: 3 },
  ];
  expect(await step('/v1/uploads/status', { id })).toMatchObject([200, { state: 'open', missing }]);
  await sendParts(id, [1, 3]);
  const [completed, { receipt }] = await step('/v1/uploads/complete', { id });
  expect(completed).toBe(200);
  expect(decodeJwt(String(receipt))).toMatchObject({ sub: 'large', key, content_length: bytes.length });
  // As after a lost response.
  const stored = { state: 'stored', transfer: 'multipart', key, contentLength: bytes.length };
  expect(await step('/v1/uploads/complete', { id })).toMatchObject([200, stored]);

  for (const one of killed) await startAgain(one);
  expect(new Set(servedBy).size).toBe(REPLICAS);
  console.info(
    `A multipart upload whose replica was killed after each of ${servedBy.length} steps was completed.`,
  );
});

it('loses no request while all replicas are restarted one after the other', {
  timeout: 180_000,
}, async () => {
  const load = await startUploads(REQUESTS_PER_SECOND, { repeats: true });
  await waitForResponses(load, REQUESTS_PER_SECOND);
  for (const replica of replicas) {
    const stopped = await engine.run('stop', '--time', '15', replica);
    expect(stopped.code, stopped.stderr).toBe(0);
    const { stdout } = await engine.run('inspect', '--format={{.State.ExitCode}}', replica);
    expect(stdout.trim(), `${replica} exited by itself`).toBe('0');
    await startAgain(replica);
    await expectInUse(replica);
  }
  const report = await load.stop();
  print('Three replicas restarted one by one', report);
  // A replica that was started again responds 503 while it cannot fetch the keys of the issuer.
  const { 201: granted, '503, then 201': repeated = 0, ...lost } = report.outcomes;
  expect(lost).toStrictEqual({});
  expect(Number(granted) + repeated).toBe(report.requests);
});

it.each([
  ['hangs', ['kill', '--signal=STOP'], ['kill', '--signal=CONT']],
  ['is stopped', ['stop', '--time', '5'], ['start']],
] as const)(
  'keeps granting while Valkey %s, reports it, and uses it again',
  { timeout: 200_000 },
  async (_how, take, give) => {
    const load = await startUploads(GENTLE);
    expect((await engine.run(...take, valkey)).code).toBe(0);
    await Promise.all(
      replicas.map((replica) => expectReadyLine(replica, 'ok limiter: degraded: Redis unreachable')),
    );
    await waitForResponses(load, 2 * GENTLE);
    expect((await engine.run(...give, valkey)).code).toBe(0);
    await Promise.all(
      replicas.map((replica) => expectReadyLine(replica, 'ok limiter: in Redis', RECONNECT_PATIENCE)),
    );
    const report = await load.stop();
    print(`Valkey ${_how} and comes back`, report);
    expect(report.outcomes).toStrictEqual({ 201: report.requests });
  },
);

async function requestUpload(token: string, contentType: string, headers: object = {}): Promise<string> {
  const response = await fetch(`${SERVICE}/v1/uploads`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ filename: 'a', contentType, contentLength: 1 }),
  });
  await response.arrayBuffer();
  return String(response.status);
}

/** Requests a path of one replica from within its container, and returns the body of its response. */
async function inReplica<Body>(replica: string, path: string, init: object = {}): Promise<Body> {
  const script = `fetch('http://127.0.0.1:8080${path}', JSON.parse(process.argv[1]))
    .then(async (response) => console.log(JSON.stringify([response.ok, await response.json()])))`;
  const { code, stdout, stderr } = await engine.run(
    ...['exec', replica, 'node', '-e', script, JSON.stringify(init)],
  );
  expect(code, stderr).toBe(0);
  const [isOk, body] = JSON.parse(stdout) as [boolean, Body];
  expect(isOk, stdout).toBe(true);
  return body;
}

function postTo<Body>(
  replica: string,
  path: string,
  body: object,
  { token, idempotencyKey }: { readonly token: string; readonly idempotencyKey: string },
): Promise<Body> {
  const init = postOf(token, body);
  const isNamed = 'filename' in body;
  const headers = { ...init.headers, ...(isNamed && { 'idempotency-key': idempotencyKey }) };
  return inReplica(replica, path, { ...init, headers });
}

/**
 * Posts to the proxy, and repeats as clients do: what a killed replica has lost, and what one
 * that was started again cannot do before it finds the storage.
 */
async function postRepeatedly(path: string, body: object, token: string) {
  return vi.waitFor(async () => {
    const response = await fetch(`${SERVICE}${path}`, postOf(token, body));
    expect([502, 503], path).not.toContain(response.status);
    return {
      status: response.status,
      requestId: response.headers.get('x-request-id') ?? 'none',
      body: (await response.json()) as Readonly<Record<string, unknown>>,
    };
  }, RECONNECT_PATIENCE);
}

function postOf(token: string, body: object) {
  return {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

/** Sends the bytes of {@link GIF} as granted. Returns the status. */
async function send(grant: PutGrant | FormGrant): Promise<number> {
  const response =
    grant.transfer === 'form'
      ? await postForm(grant, { body: GIF, type: 'image/gif' })
      : await fetch(grant.url, { method: 'PUT', headers: grant.headers, body: GIF });
  return response.status;
}

/**
 * Starts a load with its own callers, so that loads do not share limits. With `repeats`, a request
 * that is not granted is repeated until it is, and its outcome has both, such as "502, then 201".
 */
async function startUploads(
  requestsPerSecond = REQUESTS_PER_SECOND,
  { repeats = false }: { readonly repeats?: boolean } = {},
): Promise<Load> {
  const tokens = await Promise.all(Array.from({ length: 10 }, (_, index) => demoToken(`caller-${index}`)));
  return startLoad(requestsPerSecond, async (index) => {
    const request = () =>
      requestUpload(tokens[index % tokens.length] ?? '', 'image/png').catch((error) =>
        String(error.cause?.code),
      );
    const first = await request();
    if (!repeats || first === '201') return first;
    await vi.waitFor(async () => expect(await request(), first).toBe('201'), RECONNECT_PATIENCE);
    return `${first}, then 201`;
  });
}

async function waitForResponses(load: Load, requests: number): Promise<void> {
  const goal = load.completed() + requests;
  await vi.waitFor(() => expect(load.completed()).toBeGreaterThanOrEqual(goal), PATIENCE);
}

/** Starts a replica that has exited. Resolves when it listens. */
async function startAgain(replica: string): Promise<void> {
  const before = (await logOf(replica)).filter(isStart).length;
  const started = await engine.run('start', replica);
  expect(started.code, started.stderr).toBe(0);
  await vi.waitFor(
    async () => expect((await logOf(replica)).filter(isStart), replica).toHaveLength(before + 1),
    PATIENCE,
  );
}

/** Returns the decisions that a replica logged since it last started, for one caller or for all. */
async function decisionsOf(replica: string, subject?: string): Promise<readonly string[]> {
  const lines = await logOf(replica);
  return lines
    .slice(lines.findLastIndex(isStart) + 1)
    .filter((line) => line.includes('"audit":') && (!subject || line.includes(`"subject":"${subject}"`)));
}

async function logOf(replica: string): Promise<readonly string[]> {
  return (await engine.run('logs', replica)).stdout.split('\n');
}

function isStart(line: string): boolean {
  return line.includes('"msg":"listening"');
}

async function expectInUse(replica: string): Promise<void> {
  await vi.waitFor(async () => expect(await decisionsOf(replica), replica).not.toHaveLength(0), PATIENCE);
}

async function expectAllInUse(): Promise<void> {
  const load = await startUploads(GENTLE);
  try {
    await Promise.all(replicas.map(expectInUse));
  } finally {
    await load.stop();
  }
}

async function expectReadyLine(replica: string, line: string, patience = PATIENCE): Promise<void> {
  const script =
    'fetch("http://127.0.0.1:9090/readyz").then((response) => response.text()).then(console.log)';
  await vi.waitFor(async () => {
    const { stdout } = await engine.run('exec', replica, 'node', '-e', script);
    expect(stdout, replica).toContain(line);
  }, patience);
}

async function isRunning(replica: string): Promise<boolean> {
  return (await engine.run('inspect', '--format={{.State.Running}}', replica)).stdout.trim() === 'true';
}

function tally(outcomes: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(Object.groupBy(outcomes, (one) => one)).map(([outcome, all]) => [
      outcome,
      all?.length ?? 0,
    ]),
  );
}

function print(what: string, { requests, outcomes, p50Ms, p99Ms, maxMs }: LoadReport): void {
  console.info(
    `${what}: ${requests} requests, ${JSON.stringify(outcomes)}, p50 ${p50Ms} ms, p99 ${p99Ms} ms, max ${maxMs} ms`,
  );
}
