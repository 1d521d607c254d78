import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createTestApp } from '../../support/test-app.ts';

const SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES = [
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['page.js', 'text/javascript; charset=utf-8'],
  ['page.css', 'text/css; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
] as const;

/** The addresses that a page loads or links, as it writes them. */
const addressesOf = (html: string) =>
  [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address);

describe.each(['/docs', '/docs/'])('GET %s', (path) => {
  it('serves the page without a token', async () => {
    const { app } = await createTestApp();
    const { statusCode, headers, body } = await app.inject({ url: path });
    expect([statusCode, headers]).toStrictEqual([
      200,
      {
        'x-request-id': 'request-1',
        'x-content-type-options': 'nosniff',
        'content-security-policy': SECURITY_POLICY,
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-cache',
        etag: expect.stringMatching(/^W\/"[\w-]{43}"$/),
        vary: 'accept-encoding',
        'content-type': 'text/html; charset=utf-8',
        'content-length': String(Buffer.byteLength(body)),
        connection: 'keep-alive',
        date: expect.any(String),
      },
    ]);
    expect(body).toMatch(/^<!doctype html>\n<html lang="en">/);
  });

  it.each(['', '/some/prefix'])(
    'loads what exists, and nothing from elsewhere, below "%s"',
    async (prefix) => {
      const { app } = await createTestApp();
      const page = new URL(prefix + path, 'https://presign.test');
      const urls = addressesOf((await app.inject({ url: path })).body).map(
        (address) => new URL(address, page),
      );
      expect(urls.map(({ href }) => href).sort()).toStrictEqual(
        [...FILES.map(([name]) => `docs/${name}`), 'openapi.yaml']
          .map((file) => `https://presign.test${prefix}/${file}`)
          .sort(),
      );
      for (const { pathname } of urls) {
        expect((await app.inject({ url: pathname.slice(prefix.length) })).statusCode, pathname).toBe(200);
      }
    },
  );

  it('has no inline script or style, and no absolute address', async () => {
    const { app } = await createTestApp();
    const { body } = await app.inject({ url: path });
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:|="\/\//);
  });
});

describe.each(FILES)('GET /docs/%s', (name, type) => {
  const url = `/docs/${name}`;

  it('serves the file without a token', async () => {
    const { app } = await createTestApp();
    const { statusCode, headers, rawPayload } = await app.inject({ url });
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': type,
      'x-content-type-options': 'nosniff',
      'content-security-policy': SECURITY_POLICY,
    });
    expect(headers).not.toHaveProperty('content-encoding');
    expect(rawPayload.length).toBeGreaterThan(100);
  });

  it('is compressed for clients that accept gzip, with the same content', async () => {
    const { app } = await createTestApp();
    const plain = await app.inject({ url });
    for (const [accepted, encoding] of [
      ['gzip, deflate, br, zstd', 'gzip'],
      ['br;q=1.0, gzip;q=0.8', 'gzip'],
      ['gzip;q=0', undefined],
      ['gzip; q=0.0, br', undefined],
      ['br', undefined],
    ]) {
      const response = await app.inject({ url, headers: { 'accept-encoding': accepted } });
      expect(response.headers['content-encoding'], accepted).toBe(encoding);
      const bytes = encoding ? gunzipSync(response.rawPayload) : response.rawPayload;
      expect(bytes.equals(plain.rawPayload), accepted).toBe(true);
      expect(response.headers.etag).toBe(plain.headers.etag);
    }
  });

  it('responds 304 without a body to a browser that has it', async () => {
    const { app } = await createTestApp();
    const { etag } = (await app.inject({ url })).headers;
    const again = await app.inject({ url, headers: { 'if-none-match': String(etag) } });
    expect([again.statusCode, again.body, again.headers.etag]).toStrictEqual([304, '', etag]);
    const other = await app.inject({ url, headers: { 'if-none-match': 'W/"another"' } });
    expect(other.statusCode).toBe(200);
  });

  it('responds to HEAD as GET, without the body', async () => {
    const { app } = await createTestApp();
    const get = await app.inject({ url });
    const head = await app.inject({ method: 'HEAD', url });
    expect([head.statusCode, head.body, head.headers['content-length'], head.headers.etag]).toStrictEqual([
      200,
      '',
      String(get.rawPayload.length),
      get.headers.etag,
    ]);
  });
});

it.each([
  // In the same package as the files of the page, but not part of it.
  '/docs/swagger-ui.js',
  '/docs/index.html',
  '/docs/logo.svg',
  '/docs/oauth2-redirect.html',
  '/docs/%2e%2e%2fpackage.json',
  '/docs/..%2f..%2f..%2f..%2fpackage.json',
  '/docs/..%5cpackage.json',
  '/docs/%2fetc%2fpasswd',
  '/docs/page.js%00',
  '/docs/constructor',
  '/docs/__proto__',
  '/docs/page.js/',
  '/docs//page.js',
  '/docsx',
])('responds 404 to %s', async (url) => {
  const { app } = await createTestApp();
  const response = await app.inject({ url });
  expect([response.statusCode, response.json().code]).toStrictEqual([404, 'not_found']);
  expect(response.headers).not.toHaveProperty('etag');
});

it('responds 405 with Allow to every other method', async () => {
  const { http } = await createTestApp();
  for (const path of ['/docs', '/docs/page.js']) {
    const response = await http.post(path);
    expect([response.status, response.headers.allow], path).toStrictEqual([405, 'GET, HEAD']);
  }
});

it('switches off everything that would contact another host or store a token', async () => {
  const { app } = await createTestApp();
  const script = (await app.inject({ url: '/docs/page.js' })).body;
  expect(script).toContain('validatorUrl: null');
  expect(script).toContain('persistAuthorization: false');
  expect(script).toContain('queryConfigEnabled: false');
  expect(script).not.toMatch(/https?:|["'`]\/\//);
});

it('loads no code of the package whose files it serves', async () => {
  const { app } = await createTestApp({ corsOrigins: ['https://app.example.com'] });
  for (const [name] of FILES) await app.inject({ url: `/docs/${name}` });
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  expect(loaded.filter((path) => path.includes('/@fastify/cors/'))).not.toStrictEqual([]);
  expect(loaded.filter((path) => /@fastify\/(swagger-ui|static)\//.test(path))).toStrictEqual([]);
});
