import { expect, it } from 'vitest';
import { now } from '../support/fixed-clock.ts';
import { policyWith, testIssuerEntry } from '../support/policies.ts';
import { findFreePort } from '../support/redis-server.ts';
import { runCli } from '../support/run-cli.ts';
import { createTestIssuer } from '../support/tokens.ts';

const CREDENTIALS = { OSS_ACCESS_KEY_ID: 'TheKeyId', OSS_ACCESS_KEY_SECRET: 'TheKeySecret' };
const JWKS_URL = 'https://login.test/jwks';
const OSS = 'https://acme-media.oss-cn-hangzhou.aliyuncs.com';
const jwks = JSON.stringify(createTestIssuer().jwks);

const withJwksUrl = policyWith({ issuers: [testIssuerEntry({ jwksFile: undefined, jwksUrl: JWKS_URL })] });

/** What a server answers: body, status and headers; without a Date when `date` is null. */
type Answer = { body?: string; status?: number; date?: Date | null; age?: string };

/** A network in which only these addresses answer. */
function networkOf(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push(`${init?.method ?? 'GET'} ${input}`);
    const answer = answers[String(input)];
    if (!answer) throw new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } });
    const { body = '', status = 200, date = now, age } = answer;
    return new Response(init?.method === 'HEAD' ? null : body, {
      status,
      headers: { ...(date && { date: date.toUTCString() }), ...(age !== undefined && { age }) },
    });
  };
  return { fetch, asked };
}

async function check({
  policy = withJwksUrl,
  env = CREDENTIALS,
  answers = { [JWKS_URL]: { body: jwks } },
  ...context
}: {
  policy?: string;
  env?: Readonly<Record<string, string>>;
  answers?: Readonly<Record<string, Answer>>;
} & Parameters<typeof runCli>[1] = {}) {
  const { fetch, asked } = networkOf(answers);
  const { code, stdout, stderr } = await runCli(['check'], {
    env,
    fetch,
    files: { 'policy.yaml': policy, 'jwks.json': jwks },
    ...context,
  });
  expect(stderr).toBe('');
  return { code, lines: stdout.trimEnd().split('\n'), asked };
}

const lineOf = async (name: string, ...args: Parameters<typeof check>) => {
  const { code, lines } = await check(...args);
  return [code, lines.find((line) => line.includes(` ${name}: `))];
};

it('says a line per check when all is well, and ends 0', async () => {
  const { code, lines, asked } = await check();
  expect(lines).toStrictEqual([
    'ok environment: complete',
    'ok policy: policy.yaml, rules: own-files',
    'ok issuer keys: https://login.test/ loaded',
    'ok credentials: static',
    'ok limiter: in memory; set REDIS_URL for limits that hold across replicas',
    'ok clock: 0 s off, by https://login.test',
  ]);
  expect(code).toBe(0);
  expect(asked).toStrictEqual([`GET ${JWKS_URL}`]);
});

it('prints every fault on a separate line, skips what needs a check that failed, and ends 1', async () => {
  const { code, lines } = await check({
    env: { PORT: 'x', OSS_ACCESS_KEY_ID: 'OnlyTheId' },
    policy: 'rules: []',
  });
  expect(code).toBe(1);
  const [port, secret, ...others] = lines;
  expect([port, secret]).toStrictEqual([
    'FAILED environment: PORT must be a whole number from 0 to 65535.',
    'FAILED environment: OSS_ACCESS_KEY_SECRET (or OSS_ACCESS_KEY_SECRET_FILE) is not set: without credentials nothing can be signed.',
  ]);
  const policy = others.filter((line) => line.startsWith('FAILED policy: policy.yaml:1 '));
  expect(policy).toHaveLength(3);
  expect(others.slice(policy.length)).toStrictEqual([
    'SKIPPED issuer keys: needs a valid policy',
    'SKIPPED credentials: needs a valid environment',
    'SKIPPED limiter: needs a valid environment',
    'SKIPPED clock: needs a valid policy',
  ]);
});

it('warns of a variable that looks mistyped, and ends 0 for it', async () => {
  const { code, lines } = await check({ env: { ...CREDENTIALS, CORS_ORIGIN: 'https://app.example.com' } });
  expect(code).toBe(0);
  expect(lines.filter((line) => line.startsWith('WARNING'))).toStrictEqual([
    'WARNING environment: CORS_ORIGIN is not a variable of the service and has no effect. Did you mean CORS_ORIGINS?',
  ]);
});

it('checks the policy and what hangs on it also when the environment is not right', async () => {
  const { code, lines } = await check({ env: { OSS_ACCESS_KEY_ID: 'OnlyTheId' } });
  expect(code).toBe(1);
  expect(lines.filter((line) => line.startsWith('ok'))).toStrictEqual([
    'ok policy: policy.yaml, rules: own-files',
    'ok issuer keys: https://login.test/ loaded',
    'ok clock: 0 s off, by https://login.test',
  ]);
});

it('says which issuer’s keys cannot be had and why, and goes on with the others', async () => {
  const policy = withJwksUrl.replace(
    'issuers:',
    `issuers:
  - { issuer: https://down.test/, audience: uploads }
  - { issuer: https://broken.test/, audience: uploads, jwksUrl: https://broken.test/jwks }`,
  );
  const answers = {
    [JWKS_URL]: { body: jwks },
    'https://broken.test/jwks': { status: 500, date: null },
  };
  const { code, lines } = await check({ policy, answers });
  expect(code).toBe(1);
  expect(lines.filter((line) => / issuer keys: /.test(line))).toStrictEqual([
    'FAILED issuer keys: https://down.test/ not loaded: cannot resolve down.test (ENOTFOUND)',
    'FAILED issuer keys: https://broken.test/ not loaded: broken.test responded with status 500, not 200',
    'ok issuer keys: https://login.test/ loaded',
  ]);
  expect(lines.find((line) => line.startsWith('WARNING policy: '))).toContain(
    'a claim is unique only within one',
  );
});

it.each([
  [-40, 'ok clock: 40 s behind https://login.test', 0],
  [300, 'ok clock: 300 s ahead of https://login.test', 0],
  [301, 'FAILED clock: 301 s ahead of https://login.test; OSS rejects signatures from 900 s on', 1],
  [-3600, 'FAILED clock: 3600 s behind https://login.test; OSS rejects signatures from 900 s on', 1],
])('says how far the clock is off: %i s', async (seconds, line, exitCode) => {
  const date = new Date(now.getTime() - seconds * 1000);
  const [code, told] = await lineOf('clock', { answers: { [JWKS_URL]: { body: jwks, date } } });
  expect(code).toBe(exitCode);
  expect(String(told).startsWith(line), String(told)).toBe(true);
});

it('is not misled by a cache, which hands on an old Date', async () => {
  const date = new Date(now.getTime() - 3600_000);
  expect(await lineOf('clock', { answers: { [JWKS_URL]: { body: jwks, date, age: '3600' } } })).toStrictEqual(
    [0, 'ok clock: 0 s off, by https://login.test'],
  );
});

it('takes the time of whichever answer of an issuer told it', async () => {
  const answers = {
    'https://login.test/.well-known/openid-configuration': {
      body: JSON.stringify({ issuer: 'https://login.test/', jwks_uri: JWKS_URL }),
    },
    [JWKS_URL]: { body: jwks, date: null },
  };
  const policy = policyWith({ issuers: [testIssuerEntry({ jwksFile: undefined })] });
  expect(await lineOf('clock', { policy, answers })).toStrictEqual([
    0,
    'ok clock: 0 s off, by https://login.test',
  ]);
});

it('asks OSS for the time where no issuer told it, and takes a refusal for an answer', async () => {
  const date = new Date(now.getTime() + 10_000);
  const { code, lines, asked } = await check({
    policy: policyWith(),
    answers: { [`${OSS}/`]: { status: 403, date } },
  });
  expect([code, lines.at(-1)]).toStrictEqual([0, `ok clock: 10 s behind ${OSS}`]);
  expect(asked).toStrictEqual([`HEAD ${OSS}/`]);
});

it('fails when no host returns the time, and says why', async () => {
  const host = new URL(OSS).host;
  const dateless = { [JWKS_URL]: { body: jwks, date: null } };
  expect(await lineOf('clock', { answers: dateless })).toStrictEqual([
    1,
    `FAILED clock: no server sent its time: cannot resolve ${host} (ENOTFOUND)`,
  ]);
  expect(
    await lineOf('clock', { answers: { ...dateless, [`${OSS}/`]: { status: 403, date: null } } }),
  ).toStrictEqual([1, `FAILED clock: no server sent its time: ${host} responded without a Date header`]);
});

it('says when credentials end too soon, or cannot be had, and shows nothing that an error holds', async () => {
  const standIn = {
    describe: () => ({ ok: false, detail: 'stand-in: no answer yet' }),
    expiresAt: () => undefined,
  };
  const ending = { accessKeyId: 'a', accessKeySecret: 's', expiresAt: new Date(now.getTime() + 29_999) };
  expect(
    await lineOf('credentials', { createCredentials: async () => ({ ...standIn, get: async () => ending }) }),
  ).toStrictEqual([1, 'FAILED credentials: the credentials expire in 29 s']);
  const failing = async () => {
    throw new Error('TheKeySecret');
  };
  expect(
    await lineOf('credentials', { createCredentials: async () => ({ ...standIn, get: failing }) }),
  ).toStrictEqual([1, 'FAILED credentials: no credentials from stand-in: no answer yet']);
  const none = async () => {
    throw new Error('There are no cloud credentials: set some.');
  };
  expect(await lineOf('credentials', { createCredentials: none })).toStrictEqual([
    1,
    'FAILED credentials: There are no cloud credentials: set some.',
  ]);
});

it('says that Redis cannot be reached, and shows no password', async () => {
  const env = { ...CREDENTIALS, REDIS_URL: `redis://:ThePassword@127.0.0.1:${await findFreePort()}` };
  expect(await lineOf('limiter', { env })).toStrictEqual([
    1,
    'FAILED limiter: degraded: Redis unreachable (ECONNREFUSED); counting in memory on this replica only',
  ]);
});

it('reports a POLICY_FILE that is no path, and skips the policy', async () => {
  const { code, lines } = await check({ env: { ...CREDENTIALS, POLICY_FILE: '"policy.yaml"' } });
  expect(code).toBe(1);
  expect(lines.slice(0, 3)).toStrictEqual([
    'FAILED environment: POLICY_FILE is in quotation marks; leave them out.',
    'SKIPPED policy: needs a valid environment',
    'SKIPPED issuer keys: needs a valid policy',
  ]);
});
