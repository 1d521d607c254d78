import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import { createLogger } from '../../src/log/logger.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { createTestApp, GRANT_ID, testCredentials } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

function auditOf(log: readonly string[]): unknown[] {
  return log.map((line) => JSON.parse(line)).flatMap((line) => (line.audit ? [line.audit] : []));
}

it('writes one audit line for a grant: request, caller, rule, bucket, key, type, length and expiry', async () => {
  const { post, log } = await createTestApp();
  const response = await post(PHOTO);
  const lines = log.map((line) => JSON.parse(line));
  expect(lines.map(({ msg }) => msg)).toStrictEqual(['upload granted', 'request completed']);
  expect(lines[0]).toStrictEqual({
    level: 'info',
    time: expect.any(String),
    requestId: 'request-1',
    method: 'POST',
    route: '/v1/uploads',
    status: 201,
    audit: {
      operation: 'upload',
      outcome: 'granted',
      reasons: [],
      issuer: 'https://login.test/',
      subject: 'alice',
      grantId: GRANT_ID,
      rule: 'own-files',
      target: 'media',
      bucket: 'acme-media',
      transfer: 'put',
      ...PHOTO,
      expiresAt: response.body.expiresAt,
    },
    durationMs: expect.any(Number),
    remoteAddress: '127.0.0.1',
    msg: 'upload granted',
  });
  expect(log.join('')).not.toContain(response.body.id.slice(0, 20));
});

it('logs the transfer and the range of a form', async () => {
  const policyYaml = policyWith({ rules: [ownFilesRule({ transfers: ['form'] })] });
  const { post, log } = await createTestApp({ policyYaml });
  const { contentLength, ...photo } = PHOTO;
  await post({ ...photo, transfer: 'form', maxContentLength: contentLength });
  const line = log.find((one) => one.includes('upload granted')) ?? '{}';
  expect(JSON.parse(line).audit).toMatchObject({
    transfer: 'form',
    contentLength: null,
    maxContentLength: contentLength,
  });
  expect(log.join('')).not.toMatch(/x-oss-signature|"policy"/);
});

it('logs what each rule does not allow, and does not send it to the caller', async () => {
  const policyYaml = policyWith({
    rules: [
      {
        name: 'exports',
        who: { scope: 'exports:write', claims: { role: ['admin'] } },
        target: 'media',
        prefix: 'exports/',
        contentTypes: ['text/csv'],
        maxSize: '1MiB',
      },
      ownFilesRule(),
    ],
  });
  const { post, log } = await createTestApp({ policyYaml });
  const response = await post({ ...PHOTO, key: 'users/bob/a.html', contentType: 'text/html' });
  const [line] = log.map((one) => JSON.parse(one));
  expect(line).toMatchObject({ method: 'POST', route: '/v1/uploads', status: 403, msg: 'upload denied' });
  expect(line.audit).toStrictEqual({
    operation: 'upload',
    outcome: 'denied',
    reasons: ['key_outside_prefix', 'content_type_not_allowed'],
    issuer: 'https://login.test/',
    subject: 'alice',
    rule: 'own-files',
    target: 'media',
    bucket: 'acme-media',
    key: 'users/bob/a.html',
    transfer: 'put',
    contentType: 'text/html',
    contentLength: 48_213,
    expiresAt: null,
    denials: [
      { rule: 'own-files', reasons: response.body.errors.map(({ detail }: { detail: string }) => detail) },
      {
        rule: 'exports',
        reasons: [
          'The token lacks the scope "exports:write".',
          expect.stringMatching(/claim "role" .* "admin"/),
        ],
      },
    ],
    otherRules: 0,
  });
  expect(response.text).not.toMatch(/exports|role/);
});

it('logs status, method, route and bucket of a request that reached a limit, and that it has no expiry', async () => {
  const { post, log } = await createTestApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ limits: { requestsPerMinute: 1 } })] }),
  });
  await post(PHOTO);
  expect((await post(PHOTO)).status).toBe(429);
  const line = log.map((one) => JSON.parse(one)).find(({ msg }) => msg === 'upload limited');
  expect(line).toMatchObject({ method: 'POST', route: '/v1/uploads', status: 429 });
  expect(line.audit).toStrictEqual({
    operation: 'upload',
    outcome: 'limited',
    reasons: ['requestsPerMinute'],
    issuer: 'https://login.test/',
    subject: 'alice',
    rule: 'own-files',
    target: 'media',
    bucket: 'acme-media',
    transfer: 'put',
    ...PHOTO,
    expiresAt: null,
  });
});

it('has the whole key of a grant, however long, and of everything else 256 characters', async () => {
  const { post, http, log } = await createTestApp({ trustProxy: ['127.0.0.1'] });
  const longest = `users/alice/${'x'.repeat(1023 - 'users/alice/'.length)}`;
  expect((await post({ ...PHOTO, key: longest })).status).toBe(201);
  expect(auditOf(log)).toMatchObject([{ key: longest }]);

  await post({ ...PHOTO, key: `users/bob/${'y'.repeat(60_000)}` });
  await post({ ...PHOTO, target: 'z'.repeat(60_000) });
  await post({ ...PHOTO, contentType: `image/${'w'.repeat(60_000)}` });
  await post({ ...PHOTO, metadata: { [`v${'v'.repeat(60_000)}`]: 'u'.repeat(100) } });
  await post({ ...PHOTO, [`n${'n'.repeat(60_000)}`]: 1 });
  await http.get('/v1/policy').set('x-forwarded-for', 'm'.repeat(10_000));
  const others = log.filter((line) => !line.includes(longest));
  expect(others.length).toBeGreaterThan(7);
  expect(Math.max(...others.map(({ length }) => length))).toBeLessThan(4_000);
  expect(others.join('')).not.toMatch(/([m-z])\1{1100}/);
  expect(auditOf(others).find((audit) => JSON.stringify(audit).includes('yyy'))).toMatchObject({
    key: `users/bob/${'y'.repeat(245)}…`,
  });
});

it.each([
  ['a bidirectional override in the subject', { sub: '\u202ealice' }, {}],
  ['a line separator in a key', {}, { key: 'users/bob/a\u2028{"level":"info"}' }],
  ['an escape sequence in a type', {}, { contentType: 'image/\u001b[31mpng' }],
  ['a tag in the name of a field', {}, { 'a\u{e0041}': 1 }],
  ['a zero-width space in a target', {}, { target: 'me\u200bdia' }],
])('escapes invisible characters: %s', async (_what, claims, changes) => {
  const { post, log } = await createTestApp();
  await post({ ...PHOTO, ...changes }, claims);
  expect(log.length).toBeGreaterThan(0);
  for (const line of log) {
    expect(line).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u);
    expect(() => JSON.parse(line)).not.toThrow();
  }
});

it('escapes invisible characters in lines of the service itself as well', () => {
  const lines: string[] = [];
  const logger = createLogger('info', fixedClock, { write: (line: string) => lines.push(line) });
  logger.warn({ issuer: 'https://\u202elogin.test/', err: new Error('a\u2029b\u009b') }, 'x\ufeffy');
  expect(lines.join('')).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*\n$/u);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    issuer: 'https://\u202elogin.test/',
    err: { message: 'a\u2029b\u009b' },
    msg: 'x\ufeffy',
  });
});

it('logs the fields that an error has for the log, cut, and sends none of them', async () => {
  const verifier = {
    verify: () => {
      throw new ServiceError('unauthenticated', 'Not this token.', {
        logFields: {
          iss: 'i'.repeat(300),
          kid: 'a\u202eb',
        },
      });
    },
    status: () => [],
    preload: async () => {},
  };
  const { post, log } = await createTestApp({ verifier });
  const response = await post(PHOTO);
  expect(Object.keys(response.body)).not.toContain('logFields');
  expect(response.text).not.toMatch(/iii|kid/);
  const line = JSON.parse(log[0] ?? '');
  expect(line).toMatchObject({
    status: 401,
    code: 'unauthenticated',
    iss: `${'i'.repeat(255)}…`,
    kid: 'a\u202eb',
  });
});

it('logs a request whose URL is not valid, and counts it', async () => {
  const rejected: string[] = [];
  const { http, log } = await createTestApp({
    observer: {
      responded: () => {},
      decided: () => {},
      completed: () => {},
      decidedKeys: () => {},
      rejected: (code) => rejected.push(code),
    },
  });
  const response = await http.get('/%zz?token=SECRET').set('x-request-id', 'mine');
  expect(log.map((line) => JSON.parse(line))).toStrictEqual([
    expect.objectContaining({
      requestId: response.headers['x-request-id'],
      clientRequestId: 'mine',
      method: 'GET',
      status: response.status,
      code: response.body.code,
      msg: 'request completed',
    }),
  ]);
  expect(log.join('')).not.toContain('SECRET');
  expect(rejected).toStrictEqual([response.body.code]);
});

it('logs the issuer, audience and key id of a token that is not accepted', async () => {
  const { http, log } = await createTestApp();
  const token = await createTestIssuer({ issuer: 'https://other.test/', kid: 'k\u202e1' }).sign({
    aud: ['a', 'b'],
  });
  const response = await http.get('/v1/policy').set('authorization', `Bearer ${token}`);
  expect(response.status).toBe(401);
  expect(response.text).not.toContain('other.test');
  expect(JSON.parse(log[0] ?? '')).toMatchObject({
    status: 401,
    code: 'unauthenticated',
    iss: 'https://other.test/',
    aud: 'a b',
    kid: 'k1',
  });
  for (const part of token.split('.')) expect(log.join('')).not.toContain(part);
});

describe('the request id', () => {
  it.each([
    ['trace-0123456789', 'trace-0123456789'],
    ['x', 'x'],
    ['Root=1-67891233-abcdef012345678912345678', 'Root=1-67891233-abcdef012345678912345678'],
    ['a'.repeat(128), 'a'.repeat(128)],
    ['a'.repeat(129), undefined],
    ['a b"', undefined],
    ['{"level":"error"}', undefined],
    ['\u00fcber', undefined],
  ])('is always the service’s own; the one that a client sends, %s, is only logged', async (sent, logged) => {
    const { http, log, issuer } = await createTestApp();
    const token = `Bearer ${await issuer.sign()}`;
    const responses = [
      await http.post('/v1/uploads').set('authorization', token).set('x-request-id', sent).send(PHOTO),
      await http.get('/v1/policy').set('x-request-id', sent),
      await http.get('/nothing').set('x-request-id', sent),
    ];
    expect(responses.map(({ headers }) => headers['x-request-id'])).toStrictEqual([
      'request-1',
      'request-2',
      'request-3',
    ]);
    expect(responses.slice(1).map(({ body }) => body.requestId)).toStrictEqual(['request-2', 'request-3']);
    const lines = log.map((line) => JSON.parse(line));
    expect(lines.map(({ requestId }) => requestId)).toStrictEqual([
      'request-1',
      'request-1',
      'request-2',
      'request-3',
    ]);
    expect(new Set(lines.map(({ clientRequestId }) => clientRequestId))).toStrictEqual(new Set([logged]));
  });
});

it('writes one line at the level info for each request, whatever its outcome', async () => {
  const { post, http, log } = await createTestApp();
  await post(PHOTO);
  await post({ ...PHOTO, key: 'users/bob/photo.png' });
  await post({ ...PHOTO, contentType: 'nothing' });
  await http.get('/v1/policy');
  await http.get('/nothing-here');
  await http.get('/livez');
  const logged = log.map((line) => JSON.parse(line)).filter(({ level }) => level !== 'debug');
  expect(
    logged.map(({ requestId, msg, code, audit }) => [requestId, msg, code ?? audit.reasons]),
  ).toStrictEqual([
    ['request-1', 'upload granted', []],
    ['request-2', 'upload denied', ['key_outside_prefix']],
    ['request-3', 'request completed', 'invalid_request'],
    ['request-4', 'request completed', 'unauthenticated'],
    ['request-5', 'request completed', 'not_found'],
  ]);
  for (const line of logged) {
    expect(line).toMatchObject({ durationMs: expect.any(Number), remoteAddress: '127.0.0.1' });
  }
});

it('writes the request id and the route on the access line, never the address that was sent', async () => {
  const { http, log } = await createTestApp();
  await http.get('/v1/policy?access_token=SECRET-IN-QUERY');
  const line = log.map((entry) => JSON.parse(entry)).find((entry) => entry.msg === 'request completed');
  expect(line).toMatchObject({ method: 'GET', route: '/v1/policy', status: 401, requestId: 'request-1' });
  expect(log.join('')).not.toContain('SECRET-IN-QUERY');
});

it('keeps every secret, token and signature of a full run out of the log', async () => {
  const credentials = {
    ...testCredentials,
    accessKeyId: 'STS.IdOfTheKey',
    securityToken: 'TheSecurityToken+/==',
  };
  const { post, http, issuer, log } = await createTestApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ limits: { requestsPerMinute: 2 } })] }),
    credentials: { get: async () => credentials },
  });
  const token = await issuer.sign();
  const stranger = await createTestIssuer().sign();
  const authorized = (bearer: string) =>
    http.post('/v1/uploads').set('authorization', `Bearer ${bearer}`).set('cookie', 'session=CookieSecret');
  const granted = await authorized(token).send({ ...PHOTO, metadata: { album: 'MetadataValue' } });
  const responses = [
    granted,
    await post(PHOTO),
    await post(PHOTO),
    await post({ ...PHOTO, key: 'users/bob/x' }),
    await post({ token, contentType: token, metadata: { album: token } }),
    await authorized(stranger).send(PHOTO),
    await authorized(`${token}x`).send(PHOTO),
    await http.get(`/v1/policy?access_token=${token}`).set('authorization', `Basic ${token}`),
    await http.get(`/${token}`),
  ];
  expect(responses.map(({ status }) => status)).toStrictEqual([201, 201, 429, 403, 400, 401, 401, 401, 404]);

  const everything = log.join('');
  const { searchParams } = new URL(granted.body.url);
  const secrets = [
    credentials.accessKeySecret,
    credentials.accessKeyId,
    credentials.securityToken,
    encodeURIComponent(credentials.securityToken),
    ...token.split('.'),
    ...stranger.split('.').slice(1),
    searchParams.get('x-oss-signature') ?? 'no signature',
    'x-oss-signature',
    'CookieSecret',
    'MetadataValue',
  ];
  expect(everything.length).toBeGreaterThan(2000);
  for (const secret of secrets) expect(everything).not.toContain(secret);
  const rejections = responses
    .slice(2)
    .map((response) => response.text)
    .join('');
  for (const secret of secrets.filter((one) => !token.includes(one)))
    expect(rejections).not.toContain(secret);
});

it('redacts an object with secrets that is logged by mistake', () => {
  const lines: string[] = [];
  const logger = createLogger('info', fixedClock, { write: (line: string) => lines.push(line) });
  logger.info({
    credentials: { accessKeySecret: 'S1', securityToken: 'S2' },
    token: 'S3',
    response: { url: 'S4' },
    list: [{ deep: { secret: 'S6' } }],
    kept: 'K1',
  });
  logger.child({ token: 'S7', kept: 'K2' }).info('bound');
  logger.error({
    err: Object.assign(new Error('failed', { cause: new Error('inner') }), { config: { token: 'S5' } }),
  });
  expect(lines.join('')).not.toMatch(/S[1-7]/);
  expect(lines.join('')).toContain('inner');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    credentials: { accessKeySecret: '[redacted]', securityToken: '[redacted]' },
    list: [{ deep: { secret: '[redacted]' } }],
    kept: 'K1',
  });
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({ token: '[redacted]', kept: 'K2' });
});

it('does not change a logged object, even if it redacts a secret', () => {
  const response = Object.freeze({ url: 'S1', headers: Object.freeze(['a']) });
  createLogger('info', fixedClock, { write: () => {} }).info({ response });
  expect(response).toStrictEqual({ url: 'S1', headers: ['a'] });
});
