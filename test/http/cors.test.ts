import { expect, it } from 'vitest';
import { createTestApp } from '../support/test-app.ts';

const ORIGIN = 'https://app.example.com';

it('lets a page of a configured origin ask, and read what it needs', async () => {
  const { http } = await createTestApp({ corsOrigins: [ORIGIN] });
  const preflight = await http
    .options('/v1/uploads')
    .set('origin', ORIGIN)
    .set('access-control-request-method', 'POST')
    .set('access-control-request-headers', 'authorization,content-type');
  expect(preflight.status).toBe(204);
  expect(preflight.headers).toMatchObject({
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers': 'Authorization, Content-Type, X-Request-Id',
    'access-control-max-age': '600',
  });
  expect(preflight.headers).not.toHaveProperty('access-control-allow-credentials');
});

it('lets the page read a refusal too', async () => {
  const { http } = await createTestApp({ corsOrigins: [ORIGIN] });
  const answer = await http.post('/v1/uploads').set('origin', ORIGIN).send({});
  expect(answer.status).toBe(401);
  expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
  expect(answer.headers['access-control-expose-headers']).toContain('Retry-After');
  expect(answer.headers.vary).toContain('Origin');
});

it.each(['https://evil.example.com', 'https://app.example.com.evil.com', 'http://app.example.com', 'null'])(
  'does not let a page of %s read anything',
  async (origin) => {
    const { http } = await createTestApp({ corsOrigins: [ORIGIN] });
    const preflight = await http
      .options('/v1/uploads')
      .set('origin', origin)
      .set('access-control-request-method', 'POST');
    const answer = await http.post('/v1/uploads').set('origin', origin).send({});
    expect(preflight.headers).not.toHaveProperty('access-control-allow-origin');
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  },
);

it('lets no page in when no origin is configured', async () => {
  const { http } = await createTestApp();
  const answer = await http.get('/livez').set('origin', ORIGIN);
  expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
});
