import { expect, it } from 'vitest';
import { createKeySources } from '../../../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../../../src/auth/token-verifier.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp } from '../../../support/test-app.ts';
import { createTestIssuer } from '../../../support/tokens.ts';

it('gives no URL when there are no credentials, and keeps the cause in the log', async () => {
  const { post, log } = await createTestApp({
    credentials: { get: () => Promise.reject(new Error('metadata server: connection refused')) },
  });
  const response = await post(PHOTO);
  expect(response.status).toBe(503);
  expect(response.headers['retry-after']).toBe('5');
  expect(response.body).toStrictEqual({
    type: 'urn:oss-presign:problem:unavailable',
    title: 'The service is not available at the moment',
    status: 503,
    code: 'unavailable',
    detail: 'The service has no valid cloud credentials at the moment; try again later.',
    requestId: 'request-1',
    retryAfter: 5,
  });
  expect(log.join('')).toContain('metadata server: connection refused');
});

it('gives no URL that could expire before its use: credentials with 29 s left are too old, 30 s are enough', async () => {
  const credentialsFor = (seconds: number) => ({
    get: async () => ({
      accessKeyId: 'STS.a',
      accessKeySecret: 'b',
      securityToken: 'c',
      expiresAt: new Date(fixedClock().getTime() + seconds * 1000),
    }),
  });
  const tooFew = await createTestApp({ credentials: credentialsFor(29) });
  const enough = await createTestApp({ credentials: credentialsFor(30) });
  expect((await tooFew.post(PHOTO)).status).toBe(503);
  expect((await enough.post(PHOTO)).body).toMatchObject({ expires: 30, expiresLimitedBy: 'credentials' });
});

it('does not reject a token as invalid when the issuer’s keys cannot be fetched', async () => {
  const issuer = createTestIssuer();
  const { http } = await createTestApp({
    verifier: createTokenVerifier({
      issuers: [{ ...issuer.config, keys: { kind: 'jwksUrl', url: 'https://login.test/jwks' } }],
      clock: fixedClock,
      keySources: createKeySources({
        clock: fixedClock,
        fetch: () => Promise.reject(new TypeError('fetch failed')),
      }),
    }),
  });
  const response = await http
    .post('/v1/uploads')
    .set('authorization', `Bearer ${await issuer.sign()}`)
    .send(PHOTO);
  expect(response.status).toBe(503);
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
  expect(response.headers).not.toHaveProperty('www-authenticate');
  expect(response.body.code).toBe('unavailable');
});
