import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/manual-clock.ts';
import { createTestApp, type TestApp } from '../../support/test-app.ts';

const ORIGIN = 'https://app.example.com';
const OTHER_ORIGINS = [
  'https://evil.example.com',
  'https://app.example.com.evil.com',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://APP.example.com',
  'https://app.example.com, https://evil.example.com',
  'http://localhost:5173',
  'null',
  '*',
];

function preflight({ http }: TestApp, origin: string, path = '/v1/uploads') {
  return http
    .options(path)
    .set('origin', origin)
    .set('access-control-request-method', 'POST')
    .set('access-control-request-headers', 'authorization,content-type');
}

/** The names of the response headers that would allow a page something. */
function allowances({ headers }: { readonly headers: Readonly<Record<string, string>> }): readonly string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

describe('a page of a listed origin', () => {
  it('may send the headers of the API and of tracing libraries', async () => {
    const response = await preflight(await createTestApp({ corsOrigins: [ORIGIN] }), ORIGIN);
    expect(response.status).toBe(204);
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers':
        'Authorization, Content-Type, X-Request-Id, Idempotency-Key, traceparent, tracestate, baggage, sentry-trace, X-Requested-With, X-CSRF-Token',
      'access-control-max-age': '600',
      vary: 'Origin',
      'content-length': '0',
    });
    expect(response.headers).not.toHaveProperty('access-control-allow-credentials');
    expect(response.headers).not.toHaveProperty('access-control-allow-private-network');
  });

  it('may send the headers that the operator adds', async () => {
    const app = await createTestApp({ corsOrigins: [ORIGIN], corsAllowedHeaders: ['X-Tenant', 'b3'] });
    const { headers } = await preflight(app, ORIGIN);
    expect(headers['access-control-allow-headers']).toMatch(/^Authorization, .*X-CSRF-Token, X-Tenant, b3$/);
  });

  it('may call a service in a private network, if the browser requests it', async () => {
    const app = await createTestApp({ corsOrigins: [ORIGIN] });
    const { headers } = await preflight(app, ORIGIN).set('access-control-request-private-network', 'true');
    expect(headers['access-control-allow-private-network']).toBe('true');
    expect(headers['access-control-allow-origin']).toBe(ORIGIN);
  });

  it('can read why a request was rejected, and how long to wait', async () => {
    const { http } = await createTestApp({ corsOrigins: [ORIGIN] });
    const response = await http.post('/v1/uploads').set('origin', ORIGIN).send({});
    expect(response.status).toBe(401);
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-expose-headers':
        'X-Request-Id, Retry-After, WWW-Authenticate, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset',
      vary: 'Origin',
    });
  });

  it('can read that a path does not exist', async () => {
    const app = await createTestApp({ corsOrigins: [ORIGIN] });
    const preflighted = await preflight(app, ORIGIN, '/v1/upload');
    const response = await app.http.post('/v1/upload').set('origin', ORIGIN).send({});
    expect(preflighted.status).toBe(204);
    expect(response.status).toBe(404);
    expect(response.headers['access-control-allow-origin']).toBe(ORIGIN);
  });

  it('is allowed on every port of localhost if the list has localhost:*', async () => {
    const app = await createTestApp({ corsOrigins: ['http://localhost:*'] });
    for (const origin of ['http://localhost', 'http://localhost:3000', 'http://localhost:65535']) {
      expect((await preflight(app, origin)).headers['access-control-allow-origin']).toBe(origin);
    }
    for (const origin of [
      'https://localhost:3000',
      'http://localhost:',
      'http://localhost:3000.evil.com',
      'http://localhost.evil.com:3000',
      'http://localhost:*',
      'http://127.0.0.1:3000',
    ]) {
      expect(allowances(await preflight(app, origin)), origin).toStrictEqual([]);
    }
  });

  it('is allowed on every port of 127.0.0.1 if the list has 127.0.0.1:*', async () => {
    const app = await createTestApp({ corsOrigins: ['http://127.0.0.1:*'] });
    const allowed = await preflight(app, 'http://127.0.0.1:5173');
    expect(allowed.headers['access-control-allow-origin']).toBe('http://127.0.0.1:5173');
    for (const origin of [
      'http://localhost:5173',
      'http://127.0.0.1:*',
      'http://127.0.0.1.evil.com',
      'http://127a0b0c1',
    ])
      expect(allowances(await preflight(app, origin)), origin).toStrictEqual([]);
  });
});

describe('a page of another origin', () => {
  it.each(OTHER_ORIGINS)('of %s is allowed nothing', async (origin) => {
    const app = await createTestApp({ corsOrigins: [ORIGIN] });
    const preflighted = await preflight(app, origin).set('access-control-request-private-network', 'true');
    const response = await app.http.post('/v1/uploads').set('origin', origin).send({});
    const probe = await app.http.get('/livez').set('origin', origin);
    expect([preflighted, response, probe].flatMap(allowances)).toStrictEqual([]);
    expect([preflighted.status, response.status, probe.status]).toStrictEqual([405, 401, 200]);
    expect(probe.headers.vary).toBe('Origin');
    expect(preflighted.headers.allow).toBe('POST');
    expect(preflighted.body.detail).toBe(
      'The origin of this page is not allowed to call the service. The operator can add it to CORS_ORIGINS.',
    );
  });

  it.each([[[]], [[ORIGIN]]])(
    'is logged once a minute with its origin, where %j is listed',
    async (corsOrigins) => {
      const { clock, advance } = createManualClock();
      const app = await createTestApp({ corsOrigins, clock });
      const warnings = () =>
        app.log.filter((line) => line.includes('"level":"warn"')).map((line) => JSON.parse(line));
      for (let attempt = 0; attempt < 3; attempt += 1) await preflight(app, 'http://localhost:5173');
      await preflight(app, 'http://localhost:5173', '/nope');
      advance(59_000);
      await preflight(app, 'http://localhost:5173');
      expect(warnings()).toStrictEqual([
        {
          level: 'warn',
          time: expect.any(String),
          origin: 'http://localhost:5173',
          corsOrigins: corsOrigins.length,
          msg: 'a page was rejected: its origin is not in CORS_ORIGINS',
        },
      ]);
      advance(1_000);
      await preflight(app, 'http://localhost:5173');
      expect(warnings()).toHaveLength(2);
    },
  );

  it('cannot write lines without end, long ones or control characters into the log', async () => {
    const app = await createTestApp({ corsOrigins: [ORIGIN] });
    const ask = (origin: string) =>
      app.app.inject({
        method: 'OPTIONS',
        url: '/v1/uploads',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    await ask(`https://${'x'.repeat(9_000)}\u0085\u00ad.example.com`);
    await ask('https://\u0085\u00ad\u009b2J.example.com');
    for (let page = 0; page < 150; page += 1) await ask(`https://${page}.example.com`);
    const warnings = app.log
      .filter((line) => line.includes('"level":"warn"'))
      .map((line) => JSON.parse(line).origin);
    expect(warnings).toHaveLength(100);
    expect(warnings[0]).toBe(`https://${'x'.repeat(248)}`);
    expect(warnings[1]).toBe('https://???2J.example.com');
  });
});

describe('without configured origins', () => {
  it.each([ORIGIN, ...OTHER_ORIGINS])('a page of %s is allowed nothing', async (origin) => {
    const app = await createTestApp();
    const preflighted = await preflight(app, origin);
    const response = await app.http.get('/livez').set('origin', origin);
    expect([preflighted, response].flatMap(allowances)).toStrictEqual([]);
    expect(preflighted.status).toBe(405);
    expect(preflighted.body.detail).toContain('CORS_ORIGINS');
    expect(preflighted.body.detail).not.toContain('Use POST');
  });
});

it('does not look at the headers that a preflight lists, however many', async () => {
  const { app } = await createTestApp({ corsOrigins: [ORIGIN] });
  const ask = (names: string) =>
    app.inject({
      method: 'OPTIONS',
      url: '/v1/uploads',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': names,
      },
    });
  const few = await ask('authorization');
  const many = await ask(Array(5_000).fill('x1').join());
  expect({ ...many.headers, 'x-request-id': '' }).toStrictEqual({ ...few.headers, 'x-request-id': '' });
});
