import { describe, expect, it } from 'vitest';
import { now } from '../support/fixed-clock.ts';
import { ownFilesRule, policyWith, testIssuerEntry } from '../support/policies.ts';
import { findFreePort } from '../support/redis-server.ts';
import { runCli } from '../support/run-cli.ts';
import { serviceKeysFile } from '../support/service-keys.ts';
import { createTestIssuer } from '../support/tokens.ts';

const CREDENTIALS = { OSS_ACCESS_KEY_ID: 'TheKeyId', OSS_ACCESS_KEY_SECRET: 'TheKeySecret' };
const JWKS_URL = 'https://login.test/jwks';
const OSS = 'https://acme-media.oss-cn-hangzhou.aliyuncs.com';
const jwks = JSON.stringify(createTestIssuer().jwks);

const NO_SERVICE_KEYS =
  'WARNING environment: SERVICE_KEYS_FILE is not set: upload ids and receipts are valid only until this process stops, and not for other replicas.';

const withJwksUrl = policyWith({ issuers: [testIssuerEntry({ jwksFile: undefined, jwksUrl: JWKS_URL })] });

/** The object that the check looks for, under the prefix users/{sub}/. */
const ABSENT = `${OSS}/users/oss-presign-check/019ab0c4-7f3a-4000-8000-000000000001`;

/** The response of a server: body, status and headers; without a Date if `date` is null. */
type StubResponse = {
  body?: string;
  status?: number;
  date?: Date | null;
  age?: string;
  headers?: Readonly<Record<string, string>>;
};

/** An error of OSS to HEAD. */
function ossError(status: number, code: string, ec?: string): StubResponse {
  const xml = Buffer.from(`<Error><Code>${code}</Code></Error>`).toString('base64');
  return {
    status,
    date: null,
    headers: {
      'x-oss-request-id': '51524FBF3C5D68394A371BEC',
      'x-oss-err': xml,
      ...(ec !== undefined && { 'x-oss-ec': ec }),
    },
  };
}

const NO_SUCH_KEY = ossError(404, 'NoSuchKey', '0026-00000001');

/** A network in which only these addresses respond. */
function networkOf(responses: Readonly<Record<string, StubResponse>>) {
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push(`${init?.method ?? 'GET'} ${input}`);
    const response = responses[String(input)];
    if (!response) throw new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } });
    const { body = '', status = 200, date = now, age, headers } = response;
    return new Response(init?.method === 'HEAD' ? null : body, {
      status,
      headers: {
        ...(date && { date: date.toUTCString() }),
        ...(age !== undefined && { age }),
        ...headers,
      },
    });
  };
  return { fetch, asked };
}

async function check({
  policy = withJwksUrl,
  env = CREDENTIALS,
  responses = { [JWKS_URL]: { body: jwks } },
  ...context
}: {
  policy?: string;
  env?: Readonly<Record<string, string>>;
  responses?: Readonly<Record<string, StubResponse>>;
} & Parameters<typeof runCli>[1] = {}) {
  const { fetch, asked } = networkOf({ [ABSENT]: NO_SUCH_KEY, ...responses });
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

it('prints a line per check if there is no fault, and exits with 0', async () => {
  const { code, lines, asked } = await check();
  expect(lines).toStrictEqual([
    'ok environment: complete',
    NO_SERVICE_KEYS,
    'ok policy: policy.yaml, rules: own-files',
    'ok issuer keys: https://login.test/ loaded',
    'ok credentials: static',
    'ok limiter: in memory; set REDIS_URL for limits that hold across replicas',
    'ok clock: 0 s off, by https://login.test',
    'ok storage: own-files: uploads to acme-media can be confirmed',
  ]);
  expect(code).toBe(0);
  expect(asked).toStrictEqual([`GET ${JWKS_URL}`, `HEAD ${ABSENT}`]);
});

it('prints every fault on a separate line, skips checks that need one that failed, and exits with 1', async () => {
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
    'SKIPPED storage: needs a valid policy',
  ]);
});

it('warns of a variable that looks mistyped, and exits with 0', async () => {
  const { code, lines } = await check({ env: { ...CREDENTIALS, CORS_ORIGIN: 'https://app.example.com' } });
  expect(code).toBe(0);
  expect(lines.filter((line) => line.startsWith('WARNING'))).toStrictEqual([
    'WARNING environment: CORS_ORIGIN is not a variable of the service and has no effect. Did you mean CORS_ORIGINS?',
    NO_SERVICE_KEYS,
  ]);
});

it('checks the policy and what depends on it even if the environment has faults', async () => {
  const { code, lines } = await check({ env: { OSS_ACCESS_KEY_ID: 'OnlyTheId' } });
  expect(code).toBe(1);
  expect(lines.filter((line) => line.startsWith('ok'))).toStrictEqual([
    'ok policy: policy.yaml, rules: own-files',
    'ok issuer keys: https://login.test/ loaded',
    'ok clock: 0 s off, by https://login.test',
  ]);
});

it('reports which issuer’s keys cannot be loaded and why, and checks the others', async () => {
  const policy = withJwksUrl.replace(
    'issuers:',
    `issuers:
  - { issuer: https://down.test/, audience: uploads }
  - { issuer: https://broken.test/, audience: uploads, jwksUrl: https://broken.test/jwks }`,
  );
  const responses = {
    [JWKS_URL]: { body: jwks },
    'https://broken.test/jwks': { status: 500, date: null },
  };
  const { code, lines } = await check({ policy, responses });
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
])('reports how far the clock is off: %i s', async (seconds, line, exitCode) => {
  const date = new Date(now.getTime() - seconds * 1000);
  const [code, printed] = await lineOf('clock', { responses: { [JWKS_URL]: { body: jwks, date } } });
  expect(code).toBe(exitCode);
  expect(String(printed).startsWith(line), String(printed)).toBe(true);
});

it('adds the Age of a cached response to its Date', async () => {
  const date = new Date(now.getTime() - 3600_000);
  expect(
    await lineOf('clock', { responses: { [JWKS_URL]: { body: jwks, date, age: '3600' } } }),
  ).toStrictEqual([0, 'ok clock: 0 s off, by https://login.test']);
});

it('uses the time of any issuer’s response that has one', async () => {
  const responses = {
    'https://login.test/.well-known/openid-configuration': {
      body: JSON.stringify({ issuer: 'https://login.test/', jwks_uri: JWKS_URL }),
    },
    [JWKS_URL]: { body: jwks, date: null },
  };
  const policy = policyWith({ issuers: [testIssuerEntry({ jwksFile: undefined })] });
  expect(await lineOf('clock', { policy, responses })).toStrictEqual([
    0,
    'ok clock: 0 s off, by https://login.test',
  ]);
});

it('uses the time of OSS if no issuer sent one, even from a rejection', async () => {
  const date = new Date(now.getTime() + 10_000);
  const { code, lines, asked } = await check({
    policy: policyWith(),
    responses: { [`${OSS}/`]: { status: 403, date } },
  });
  expect([code, lines.at(-2)]).toStrictEqual([0, `ok clock: 10 s behind ${OSS}`]);
  expect(asked).toStrictEqual([`HEAD ${OSS}/`, `HEAD ${ABSENT}`]);
});

it('fails if no host returns the time, and reports why', async () => {
  const host = new URL(OSS).host;
  const dateless = { [JWKS_URL]: { body: jwks, date: null } };
  expect(await lineOf('clock', { responses: dateless })).toStrictEqual([
    1,
    `FAILED clock: no server sent its time: cannot resolve ${host} (ENOTFOUND)`,
  ]);
  expect(
    await lineOf('clock', { responses: { ...dateless, [`${OSS}/`]: { status: 403, date: null } } }),
  ).toStrictEqual([1, `FAILED clock: no server sent its time: ${host} responded without a Date header`]);
});

it('reports credentials that expire soon or are not available, and shows nothing of an error', async () => {
  const standIn = {
    describe: () => ({ ok: false, detail: 'stand-in: no response yet' }),
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
  ).toStrictEqual([1, 'FAILED credentials: no credentials from stand-in: no response yet']);
  const none = async () => {
    throw new Error('There are no cloud credentials: set some.');
  };
  expect(await lineOf('credentials', { createCredentials: none })).toStrictEqual([
    1,
    'FAILED credentials: There are no cloud credentials: set some.',
  ]);
});

it('reports that Redis cannot be reached, and shows no password', async () => {
  const env = { ...CREDENTIALS, REDIS_URL: `redis://:ThePassword@127.0.0.1:${await findFreePort()}` };
  expect(await lineOf('limiter', { env })).toStrictEqual([
    1,
    'FAILED limiter: degraded: Redis unreachable (ECONNREFUSED); counting in memory on this replica only',
  ]);
});

it('reports a POLICY_FILE that is not a path, and skips the policy', async () => {
  const { code, lines } = await check({ env: { ...CREDENTIALS, POLICY_FILE: '"policy.yaml"' } });
  expect(code).toBe(1);
  expect(lines.slice(0, 3)).toStrictEqual([
    'FAILED environment: POLICY_FILE is in quotation marks; leave them out.',
    'SKIPPED policy: needs a valid environment',
    'SKIPPED issuer keys: needs a valid policy',
  ]);
});

describe('multipart uploads', () => {
  const policy = policyWith({
    issuers: [testIssuerEntry({ jwksFile: undefined, jwksUrl: JWKS_URL })],
    rules: [ownFilesRule({ transfers: ['multipart'] })],
  });
  const env = { ...CREDENTIALS, SERVICE_KEYS_FILE: 'keys.json', PUBLIC_URL: 'https://presign.test' };
  const files = { 'policy.yaml': policy, 'jwks.json': jwks, 'keys.json': serviceKeysFile('a') };
  const UPLOAD = 'uploadId=019AB0C47F3A40008000000000000001';
  const LIST = `${ABSENT}?encoding-type=url&max-parts=1000&${UPLOAD}`;
  const ABORT = `${ABSENT}?${UPLOAD}`;
  const NO_SUCH_UPLOAD = ossError(404, 'NoSuchUpload', '0042-00000002');
  const keys = { [JWKS_URL]: { body: jwks } };

  it('can be listed and aborted if OSS does not know one that does not exist', async () => {
    const { code, lines, asked } = await check({
      env,
      files,
      responses: { ...keys, [LIST]: NO_SUCH_UPLOAD, [ABORT]: NO_SUCH_UPLOAD },
    });
    expect([code, lines.at(-1)]).toStrictEqual([
      0,
      'ok storage: own-files: uploads to acme-media can be confirmed, and multipart uploads listed and aborted',
    ]);
    expect(asked.slice(1)).toStrictEqual([`HEAD ${ABSENT}`, `GET ${LIST}`, `DELETE ${ABORT}`]);
  });

  it.each([
    ['oss:ListParts', 'ListParts', LIST],
    ['oss:AbortMultipartUpload', 'AbortMultipartUpload', ABORT],
  ])('need %s', async (action, operation, address) => {
    const responses = {
      ...keys,
      [LIST]: NO_SUCH_UPLOAD,
      [ABORT]: NO_SUCH_UPLOAD,
      [address]: ossError(403, 'AccessDenied', '0003-00000201'),
    };
    const { code, lines } = await check({ env, files, responses });
    expect([code, lines.at(-1)]).toStrictEqual([
      1,
      `FAILED storage: own-files: acme-media.oss-cn-hangzhou.aliyuncs.com responded to ${operation} with 403 AccessDenied 0003-00000201; allow ${action} for the credentials, as oss-presign ram-policy prints it`,
    ]);
  });
});

describe('the storage', () => {
  const host = new URL(OSS).host;
  const failed = `FAILED storage: own-files: ${host} responded to HeadObject with`;

  it.each([
    [
      ossError(403, 'AccessDenied', '0003-00000301'),
      `${failed} 403 AccessDenied 0003-00000301; allow oss:GetObject for the credentials, as oss-presign ram-policy prints it`,
    ],
    [
      ossError(403, 'AccessDenied'),
      `${failed} 403 AccessDenied; allow oss:GetObject for the credentials, as oss-presign ram-policy prints it, and check the target's region`,
    ],
    [
      ossError(404, 'NoSuchBucket', '0015-00000101'),
      `${failed} 404 NoSuchBucket 0015-00000101; correct bucket, region or endpoint of the target`,
    ],
    [
      ossError(400, 'InvalidArgument', '0002-00000226'),
      `${failed} 400 InvalidArgument 0002-00000226; set the target's region to that of the bucket`,
    ],
    [
      ossError(403, 'RequestTimeTooSkewed', '0002-00000504'),
      `${failed} 403 RequestTimeTooSkewed 0002-00000504; set the clock of this machine by NTP`,
    ],
    [
      ossError(403, 'InvalidAccessKeyId', '0002-00000902'),
      `${failed} 403 InvalidAccessKeyId 0002-00000902; check the credentials`,
    ],
    [ossError(403, 'Other'), `${failed} 403 Other; check the credentials and the target`],
    [ossError(503, 'SlowDown'), `${failed} 503 SlowDown; try again later`],
    [
      { status: 404 },
      `${failed} 404; no server of OSS responds there: check the target's serviceEndpoint, or its endpoint if that is not set`,
    ],
    [
      { status: 302, headers: { location: 'https://elsewhere.test/' } },
      `${failed} 302; no server of OSS responds there: check the target's serviceEndpoint, or its endpoint if that is not set`,
    ],
  ])('fails with what to change for %j', async (response, line) => {
    const responses = { [JWKS_URL]: { body: jwks }, [ABSENT]: response };
    expect(await lineOf('storage', { responses })).toStrictEqual([1, line]);
  });

  it('fails if its address cannot be reached', async () => {
    const policy = policyWith({
      targets: { media: { bucket: 'acme-media', region: 'cn-hangzhou', serviceEndpoint: 'internal' } },
    });
    const internal = 'acme-media.oss-cn-hangzhou-internal.aliyuncs.com';
    const { code, lines, asked } = await check({ policy });
    expect([code, lines.at(-1)]).toStrictEqual([
      1,
      `FAILED storage: own-files: cannot resolve ${internal} (ENOTFOUND); check the target's serviceEndpoint, or its endpoint if that is not set`,
    ]);
    expect(asked.every((request) => request.startsWith(`HEAD https://${internal}/`))).toBe(true);
  });

  it('is ok if there is such an object after all', async () => {
    const stored = {
      'content-length': '0',
      etag: '"D41D8CD98F00B204E9800998ECF8427E"',
      'last-modified': now.toUTCString(),
      'x-oss-request-id': '51524FBF3C5D68394A371BEC',
    };
    const responses = { [JWKS_URL]: { body: jwks }, [ABSENT]: { headers: stored } };
    expect(await lineOf('storage', { responses })).toStrictEqual([
      0,
      'ok storage: own-files: uploads to acme-media can be confirmed',
    ]);
  });

  const who = { scope: 'files' };
  it.each([
    ['without receipts', ownFilesRule({ receipts: false })],
    [
      'that only downloads',
      { name: 'files', actions: ['download'], who, target: 'media', prefix: 'users/', expiresIn: '10m' },
    ],
    ['that only confirms', { name: 'app', actions: ['confirm'], who, target: 'media', prefix: 'users/' }],
  ])('is not asked for a rule %s', async (_, rule) => {
    const policy = policyWith({
      issuers: [testIssuerEntry({ jwksFile: undefined, jwksUrl: JWKS_URL })],
      rules: [rule],
    });
    const { code, lines, asked } = await check({
      env: {
        ...CREDENTIALS,
        SERVICE_KEYS_FILE: 'service-keys.json',
        PUBLIC_URL: 'https://presign.example.com',
      },
      files: { 'policy.yaml': policy, 'jwks.json': jwks, 'service-keys.json': serviceKeysFile('a') },
    });
    expect(code).toBe(0);
    expect(lines.filter((line) => / storage: /.test(line))).toStrictEqual([]);
    expect(asked).toStrictEqual([`GET ${JWKS_URL}`]);
  });

  it('is skipped without credentials, and nothing is sent', async () => {
    const { code, lines, asked } = await check({ env: { OSS_ACCESS_KEY_ID: 'OnlyTheId' } });
    expect([code, lines.at(-1)]).toStrictEqual([1, 'SKIPPED storage: needs valid credentials']);
    expect(asked).toStrictEqual([`GET ${JWKS_URL}`]);
  });

  it('shows that credentials cannot be signed with, and not the credentials', async () => {
    const createCredentials = async () => ({
      get: async () => ({ accessKeyId: 'TheKeyId\n', accessKeySecret: 'TheKeySecret' }),
      describe: () => ({ ok: true, detail: 'stand-in' }),
      expiresAt: () => undefined,
    });
    expect(await lineOf('storage', { createCredentials })).toStrictEqual([
      1,
      'FAILED storage: own-files: the call cannot be signed; check the credentials',
    ]);
  });
});

it.each([
  [
    'confirm in actions',
    { name: 'app', actions: ['confirm'], who: { scope: 'a' }, target: 'media', prefix: 'users/' },
  ],
  ['multipart in transfers', ownFilesRule({ name: 'app', transfers: ['put', 'multipart'] })],
])('reports once that SERVICE_KEYS_FILE is not set, if a rule needs it: %s', async (field, rule) => {
  const policy = policyWith({
    issuers: [testIssuerEntry({ jwksFile: undefined, jwksUrl: JWKS_URL })],
    rules: [rule],
  });
  const { code, lines } = await check({ policy });
  expect(code).toBe(1);
  expect(lines.filter((line) => line.includes('SERVICE_KEYS_FILE'))).toStrictEqual([
    `FAILED policy: The rule app has ${field}, which needs SERVICE_KEYS_FILE: without it, upload ids are valid for one process only. Create the file with oss-presign keygen.`,
  ]);
});

it('warns if OSS cannot call PUBLIC_URL although a rule has a callback, and rejects an IPv6 address', async () => {
  const policy = policyWith({ rules: [ownFilesRule({ callback: true })] });
  const withUrl = (url: string) =>
    check({
      policy,
      env: { ...CREDENTIALS, SERVICE_KEYS_FILE: 'keys.json', PUBLIC_URL: url },
      files: { 'policy.yaml': policy, 'jwks.json': jwks, 'keys.json': serviceKeysFile('first') },
    });
  expect((await withUrl('http://localhost:8080')).lines).toContainEqual(
    expect.stringMatching(
      /^WARNING policy: The rule own-files .* OSS cannot call PUBLIC_URL http:\/\/localhost:8080/,
    ),
  );
  expect((await withUrl('https://presign.example.com')).lines.join()).not.toContain('WARNING');
  expect((await withUrl('https://[2001:db8::1]')).lines).toContainEqual(
    expect.stringMatching(/^FAILED policy: The rule own-files .* is an IPv6 address, which OSS never calls/),
  );
});
