import { expect, it } from 'vitest';
import { PHOTO } from '../../../support/requests.ts';
import { createTestApp } from '../../../support/test-app.ts';
import { createTestIssuer, nowSeconds } from '../../../support/tokens.ts';

it('requests a token without an error code if there is none (RFC 6750 3.1)', async () => {
  const { http } = await createTestApp();
  const response = await http.post('/v1/uploads').send(PHOTO);
  expect(response.status).toBe(401);
  expect(response.headers['www-authenticate']).toBe('Bearer realm="oss-presign"');
  expect(response.body).toStrictEqual({
    type: 'urn:oss-presign:problem:unauthenticated',
    title: 'The caller is not authenticated',
    status: 401,
    code: 'unauthenticated',
    detail: 'Send a token in the header Authorization: Bearer <token>.',
    requestId: 'request-1',
  });
});

it('states in detail and WWW-Authenticate why a token is invalid', async () => {
  const { post } = await createTestApp();
  const response = await post(PHOTO, { exp: nowSeconds - 60 });
  expect(response.status).toBe(401);
  expect(response.headers['www-authenticate']).toBe(
    `Bearer realm="oss-presign", error="invalid_token", error_description="${response.body.detail}"`,
  );
  expect(response.body.detail).toContain('expired');
});

it('rejects a token of another issuer that uses the issuer’s name', async () => {
  const { http } = await createTestApp();
  const token = await createTestIssuer().sign();
  const response = await http.post('/v1/uploads').set('authorization', `Bearer ${token}`).send(PHOTO);
  expect(response.status).toBe(401);
  expect(response.body).not.toHaveProperty('url');
});

it.each(['=', '.', ',', '"', 'é'])(
  'rejects a token that it has just accepted, followed by %j',
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

it('rejects a request without a token before it validates the body', async () => {
  const { http } = await createTestApp();
  const response = await http.post('/v1/uploads').set('content-type', 'text/plain').send('nonsense');
  expect(response.status).toBe(401);
});

it.each(['/v1/policy', '/v1/policy?access_token=x', '/v1/policy/'])(
  'asks for a token at GET %s',
  async (path) => {
    const { http } = await createTestApp();
    const response = await http.get(path);
    expect([401, 404]).toContain(response.status);
    expect(response.body).not.toHaveProperty('rules');
  },
);
