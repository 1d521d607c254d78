import { expect, it } from 'vitest';
import { createLogger } from '../../src/http/logging.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { createTestApp, OWN_FILES_RULE, testCredentials, testPolicyYaml } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

const PHOTO = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 48_213 };

function auditOf(log: readonly string[]): unknown[] {
  return log.map((line) => JSON.parse(line)).flatMap((line) => (line.audit ? [line.audit] : []));
}

it('writes one audit line for a grant: who, rule, target, key, type, length', async () => {
  const { post, log } = await createTestApp();
  await post(PHOTO);
  expect(log.map((line) => JSON.parse(line).msg)).toStrictEqual(['upload granted', 'answered']);
  expect(auditOf(log)).toStrictEqual([
    {
      outcome: 'granted',
      reasons: [],
      issuer: 'https://login.test/',
      subject: 'alice',
      rule: 'own-files',
      target: 'media',
      ...PHOTO,
    },
  ]);
});

it('writes one audit line for a refusal, with the reasons', async () => {
  const { post, log } = await createTestApp();
  await post({ ...PHOTO, key: 'users/bob/a.html', contentType: 'text/html' });
  expect(auditOf(log)).toStrictEqual([
    {
      outcome: 'denied',
      reasons: ['key_outside_prefix', 'content_type_not_allowed'],
      issuer: 'https://login.test/',
      subject: 'alice',
      rule: 'own-files',
      key: 'users/bob/a.html',
      contentType: 'text/html',
      contentLength: 48_213,
    },
  ]);
});

it('writes one line at the level info for each request, whatever becomes of it', async () => {
  const { post, http, log } = await createTestApp();
  await post(PHOTO);
  await post({ ...PHOTO, key: 'users/bob/photo.png' });
  await post({ ...PHOTO, contentType: 'nothing' });
  await http.get('/v1/policy');
  await http.get('/nothing-here');
  await http.get('/livez');
  const told = log.map((line) => JSON.parse(line)).filter(({ level }) => level !== 'debug');
  expect(
    told.map(({ requestId, msg, code, audit }) => [requestId, msg, code ?? audit.reasons]),
  ).toStrictEqual([
    ['request-1', 'upload granted', []],
    ['request-2', 'upload denied', ['key_outside_prefix']],
    ['request-3', 'answered', 'invalid_request'],
    ['request-4', 'answered', 'unauthenticated'],
    ['request-5', 'answered', 'not_found'],
  ]);
  for (const line of told) {
    expect(line).toMatchObject({ durationMs: expect.any(Number), remoteAddress: '127.0.0.1' });
  }
});

it('writes the request id and the route on the access line, never the address that was sent', async () => {
  const { http, log } = await createTestApp();
  await http.get('/v1/policy?access_token=SECRET-IN-QUERY');
  const line = log.map((entry) => JSON.parse(entry)).find((entry) => entry.msg === 'answered');
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
    policyYaml: testPolicyYaml({ rules: `${OWN_FILES_RULE}    limits: { requestsPerMinute: 2 }\n` }),
    credentials: { get: async () => credentials },
  });
  const token = await issuer.sign();
  const stranger = await createTestIssuer().sign();
  const authorized = (bearer: string) =>
    http.post('/v1/uploads').set('authorization', `Bearer ${bearer}`).set('cookie', 'session=CookieSecret');
  const granted = await authorized(token).send({ ...PHOTO, metadata: { album: 'MetadataValue' } });
  const answers = [
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
  expect(answers.map(({ status }) => status)).toStrictEqual([201, 201, 429, 403, 400, 401, 401, 401, 404]);

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
  const refusals = answers
    .slice(2)
    .map((answer) => answer.text)
    .join('');
  for (const secret of secrets.filter((one) => !token.includes(one))) expect(refusals).not.toContain(secret);
});

it('redacts an object with secrets that is logged by mistake', () => {
  const lines: string[] = [];
  const logger = createLogger('info', fixedClock, { write: (line: string) => lines.push(line) });
  logger.info({
    credentials: { accessKeySecret: 'S1', securityToken: 'S2' },
    token: 'S3',
    answer: { url: 'S4' },
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

it('leaves what is logged as it was, also where it hides a secret', () => {
  const answer = Object.freeze({ url: 'S1', headers: Object.freeze(['a']) });
  createLogger('info', fixedClock, { write: () => {} }).info({ answer });
  expect(answer).toStrictEqual({ url: 'S1', headers: ['a'] });
});
