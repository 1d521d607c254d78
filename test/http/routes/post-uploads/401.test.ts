import { expect, it } from 'vitest';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp } from '../../../support/test-app.ts';
import { createTestIssuer, nowSeconds } from '../../../support/tokens.ts';

it('asks a caller without a token for one, and gives no error code (RFC 6750 3.1)', async () => {
  const { http } = await createTestApp();
  const answer = await http.post('/v1/uploads').send(PHOTO);
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toBe('Bearer realm="oss-presign"');
  expect(answer.body).toStrictEqual({
    type: 'urn:oss-presign:problem:unauthenticated',
    title: 'The caller is not authenticated',
    status: 401,
    code: 'unauthenticated',
    detail: 'Send a token in the header Authorization: Bearer <token>.',
    requestId: 'request-1',
  });
});

it('says why a token is not good, in detail and in WWW-Authenticate', async () => {
  const { post } = await createTestApp();
  const answer = await post(PHOTO, { exp: nowSeconds - 60 });
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toBe(
    `Bearer realm="oss-presign", error="invalid_token", error_description="${answer.body.detail}"`,
  );
  expect(answer.body.detail).toContain('expired');
});

it('refuses a token of a stranger who uses the issuer’s name', async () => {
  const { http } = await createTestApp();
  const token = await createTestIssuer().sign();
  const answer = await http.post('/v1/uploads').set('authorization', `Bearer ${token}`).send(PHOTO);
  expect(answer.status).toBe(401);
  expect(answer.body).not.toHaveProperty('url');
});

it.each(['=', '.', ',', '"', 'é'])(
  'refuses a token that it has just taken, with %j behind it',
  async (character) => {
    const { http, issuer } = await createTestApp();
    const token = await issuer.sign();
    const send = (sent: string) =>
      http.post('/v1/uploads').set('authorization', `Bearer ${sent}`).send(PHOTO);
    expect((await send(token)).status).toBe(201);
    expect(await send(`${token}${character}`)).toMatchObject({
      status: 401,
      body: { code: 'unauthenticated', detail: expect.stringContaining('not a JWT') },
    });
  },
);

it('asks before it reads the body: a stranger learns nothing about what is wrong with it', async () => {
  const { http } = await createTestApp();
  const answer = await http.post('/v1/uploads').set('content-type', 'text/plain').send('nonsense');
  expect(answer.status).toBe(401);
});

it.each(['/v1/policy', '/v1/policy?access_token=x', '/v1/policy/'])(
  'asks for a token at GET %s',
  async (path) => {
    const { http } = await createTestApp();
    const answer = await http.get(path);
    expect([401, 404]).toContain(answer.status);
    expect(answer.body).not.toHaveProperty('rules');
  },
);
