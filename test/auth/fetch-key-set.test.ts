import type { RequestListener } from 'node:http';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { fetchKeySet } from '../../src/auth/keys/fetch-key-set.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { fixedClock, now } from '../support/fixed-clock.ts';
import { json, startTestServer } from '../support/test-server.ts';
import { createTestIssuer, type TestIssuer } from '../support/tokens.ts';
import { onlineVerifier } from './online-verifier.ts';

const MAX_BODY_BYTES = 1024 * 1024;
/** The errors of a fetch; `HOST` is replaced by the server's host and port. */
const TOO_LONG = 'the response of HOST is longer than 1048576 bytes';
const NO_KEY_SET = 'the response of HOST is not a JSON Web Key Set';
const NOT_JSON = 'the response of HOST is not JSON';
const BROKEN = 'HOST closed the connection (UND_ERR_SOCKET)';
const TOO_SLOW = 'HOST did not respond in time';
const status = (code: number) => `HOST responded with status ${code}, not 200`;
const of = (origin: string, reason: string) => reason.replace('HOST', new URL(origin).host);

const send =
  (status: number, body: string | Uint8Array = '', headers: Record<string, string> = {}): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };

/** Fetches the keys of one issuer, and returns the status of the verifier. */
async function statusAfterFetch(config: IssuerConfig, timeoutMs?: number) {
  const verifier = onlineVerifier([config], () => now, timeoutMs);
  await verifier.preload();
  const [status] = verifier.status();
  return status;
}

const failed = (issuer: string, lastError: string) => ({ issuer, keysLoaded: false, lastError });
const loaded = (issuer: string) => ({ issuer, keysLoaded: true, fetchedAt: now });

describe('fetching keys by URL', () => {
  const { config, issuer, jwks }: TestIssuer = createTestIssuer();
  const byUrl = (origin: string): IssuerConfig => ({
    ...config,
    keys: { kind: 'jwksUrl', url: `${origin}/jwks` },
  });

  it.each<[string, RequestListener]>([
    ['JSON', json(jwks)],
    ['JSON with another content type', send(200, JSON.stringify(jwks), { 'content-type': 'text/plain' })],
    ['a response of 1 MiB', send(200, JSON.stringify(jwks).padEnd(MAX_BODY_BYTES))],
    ['a compressed response', send(200, gzipSync(JSON.stringify(jwks)), { 'content-encoding': 'gzip' })],
    ['valid keys next to keys of unknown types', json({ keys: [{ kty: 'future' }, {}, ...jwks.keys] })],
  ])('accepts %s', async (_, respond) => {
    const { origin } = await startTestServer(respond);

    expect(await statusAfterFetch(byUrl(origin))).toStrictEqual(loaded(issuer));
  });

  it.each<[string, RequestListener, string]>([
    ['an error', json(jwks, 500), status(500)],
    ['keys with status 404', json(jwks, 404), status(404)],
    ['keys with status 203', json(jwks, 203), status(203)],
    ['nothing', send(204), status(204)],
    ['an empty response', send(200), NOT_JSON],
    ['an HTML page', send(200, '<html></html>'), NOT_JSON],
    ['JSON that is not UTF-8', send(200, Buffer.from([0x22, 0xff, 0x22])), NOT_JSON],
    [
      'a discovery document',
      json({ issuer: 'https://a.example', jwks_uri: 'https://a.example/keys' }),
      'the response of HOST is a discovery document, not a JSON Web Key Set; remove jwksUrl, or set it to the jwks_uri of that document',
    ],
    ['null', json(null), NO_KEY_SET],
    ['a list', json(jwks.keys), NO_KEY_SET],
    ['keys that are not a list', json({ keys: jwks.keys[0] }), NO_KEY_SET],
    ['keys that are not objects', json({ keys: ['key'] }), NO_KEY_SET],
    [
      'a response that is one byte too long',
      send(200, JSON.stringify(jwks).padEnd(MAX_BODY_BYTES + 1)),
      TOO_LONG,
    ],
    [
      'a small response that decompresses to a large one',
      send(200, gzipSync(JSON.stringify(jwks).padEnd(MAX_BODY_BYTES + 1)), { 'content-encoding': 'gzip' }),
      TOO_LONG,
    ],
    ['a connection that breaks', (request) => request.socket.destroy(), BROKEN],
    [
      'a response that ends early',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"keys":');
        response.socket?.end();
      },
      BROKEN,
    ],
  ])('rejects %s', async (_, respond, lastError) => {
    const { origin } = await startTestServer(respond);

    expect(await statusAfterFetch(byUrl(origin))).toStrictEqual(failed(issuer, of(origin, lastError)));
  });

  it('stops reading an endless response', async () => {
    const { origin } = await startTestServer((_, response) => {
      const fill = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      };
      response.on('drain', fill);
      fill();
    });

    expect(await statusAfterFetch(byUrl(origin))).toStrictEqual(failed(issuer, of(origin, TOO_LONG)));
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect (%i)', async (code) => {
    const elsewhere = await startTestServer(json(jwks));
    const { origin } = await startTestServer(send(code, '', { location: `${elsewhere.origin}/jwks` }));

    expect(await statusAfterFetch(byUrl(origin))).toStrictEqual(failed(issuer, of(origin, status(code))));
    expect(elsewhere.requests).toStrictEqual([]);
  });

  it('cancels a response that it does not read', async () => {
    let isCancelled = false;
    const body = new ReadableStream({
      cancel: () => {
        isCancelled = true;
      },
    });
    const verifier = createTokenVerifier({
      issuers: [byUrl('https://login.test')],
      clock: fixedClock,
      keySources: createKeySources({
        clock: fixedClock,
        fetch: async () => new Response(body, { status: 500 }),
      }),
    });

    await verifier.preload();

    expect(isCancelled).toBe(true);
  });

  it.each<[string, RequestListener]>([
    ['never responds', () => {}],
    ['never ends its response', (_, response) => response.writeHead(200).write('{"keys":')],
  ])('times out with a server that %s', async (_, respond) => {
    const { origin } = await startTestServer(respond);

    expect(await statusAfterFetch(byUrl(origin), 50)).toStrictEqual(failed(issuer, of(origin, TOO_SLOW)));
  });

  it('reports the host and the system error code of a closed port', async () => {
    const server = await startTestServer(json(jwks));
    await server.stop();

    expect(await statusAfterFetch(byUrl(server.origin))).toStrictEqual(
      failed(issuer, of(server.origin, 'HOST refused the connection (ECONNREFUSED)')),
    );
  });

  // undici throws a TypeError. Its cause has the code, or is an AggregateError if several addresses
  // were tried.
  const fetchFailed = (code: string) =>
    new TypeError('fetch failed', { cause: Object.assign(new Error(`secret ${code}`), { code }) });
  const aggregate = new TypeError('fetch failed', {
    cause: new AggregateError([Object.assign(new Error('one'), { code: 'ENETUNREACH' })]),
  });

  it.each<[string, Error, string]>([
    ['an unknown name', fetchFailed('ENOTFOUND'), 'cannot resolve login.test:8443 (ENOTFOUND)'],
    ['a resolver that is down', fetchFailed('EAI_AGAIN'), 'cannot resolve login.test:8443 (EAI_AGAIN)'],
    ['a slow network', fetchFailed('ETIMEDOUT'), 'login.test:8443 did not respond in time (ETIMEDOUT)'],
    [
      'a slow connection',
      fetchFailed('UND_ERR_CONNECT_TIMEOUT'),
      'login.test:8443 did not respond in time (UND_ERR_CONNECT_TIMEOUT)',
    ],
    ['a reset', fetchFailed('ECONNRESET'), 'login.test:8443 closed the connection (ECONNRESET)'],
    ['no route', fetchFailed('EHOSTUNREACH'), 'cannot reach login.test:8443 (EHOSTUNREACH)'],
    ['several addresses', aggregate, 'cannot reach login.test:8443 (ENETUNREACH)'],
    [
      'a private CA',
      fetchFailed('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      'the certificate of login.test:8443 is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE); for a private CA set NODE_EXTRA_CA_CERTS',
    ],
    [
      'a self-signed certificate',
      fetchFailed('DEPTH_ZERO_SELF_SIGNED_CERT'),
      'the certificate of login.test:8443 is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); for a private CA set NODE_EXTRA_CA_CERTS',
    ],
    [
      'an expired certificate',
      fetchFailed('CERT_HAS_EXPIRED'),
      'the certificate of login.test:8443 is not valid (CERT_HAS_EXPIRED)',
    ],
    [
      'a certificate of another host',
      fetchFailed('ERR_TLS_CERT_ALTNAME_INVALID'),
      'the certificate of login.test:8443 is not valid (ERR_TLS_CERT_ALTNAME_INVALID)',
    ],
    [
      'a server without TLS',
      fetchFailed('ERR_SSL_WRONG_VERSION_NUMBER'),
      'no response from login.test:8443 (ERR_SSL_WRONG_VERSION_NUMBER)',
    ],
    ['an error without a code', new TypeError('fetch failed'), 'no response from login.test:8443'],
    ['a code that is an address', fetchFailed('https://user:secret@x'), 'no response from login.test:8443'],
  ])('reports %s with the host, and with no other part of the address', async (_, error, lastError) => {
    const verifier = createTokenVerifier({
      issuers: [byUrl('https://login.test:8443/path?key=secret')],
      clock: fixedClock,
      keySources: createKeySources({ clock: fixedClock, fetch: () => Promise.reject(error) }),
    });

    await verifier.preload();

    expect(verifier.status()).toStrictEqual([failed(issuer, lastError)]);
  });
});

it.each(['the-secret', '{"the-secret', '["the-secret"]', '{"keys":"the-secret"}', '{"keys":["the-secret"]}'])(
  'keeps the response %s out of the error and all its causes',
  async (body) => {
    const fetch = async () => new Response(body);
    const fetching = fetchKeySet('https://login.test/jwks?key=the-secret', {
      fetch,
      signal: AbortSignal.timeout(5000),
    });
    const error = await fetching.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    // Includes the causes and hidden properties, which the log does not show.
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain('the-secret');
  },
);

it.each([9, 22, 6000])('reports that fetch never connects to port %i', async (port) => {
  // The real fetch: it rejects such a port before it opens any connection.
  const verifier = createTokenVerifier({
    issuers: [
      {
        issuer: 'https://login.test',
        audience: 'uploads',
        keys: { kind: 'jwksUrl', url: `http://127.0.0.1:${port}/jwks` },
        algorithms: ['ES256'],
      },
    ],
    clock: fixedClock,
    keySources: createKeySources({ clock: fixedClock, fetch: globalThis.fetch }),
  });
  await verifier.preload();
  expect(verifier.status()).toMatchObject([
    {
      lastError: `the port of 127.0.0.1:${port} is reserved for another protocol, so fetch never connects to it; use another port`,
    },
  ]);
});

describe('fetching keys by discovery', () => {
  const UNSAFE = 'the jwks_uri of the discovery document is not an https address';
  const NO_ISSUER = 'the discovery document of HOST names no issuer';
  const otherIssuer = (named: string) =>
    `the discovery document names the issuer "${named}"; the policy must name exactly the same`;
  const advice = 'set jwksUrl in the policy if that is intended';
  const plainHttp = (host: string) =>
    `the jwks_uri of the discovery document uses plain http to ${host}; ${advice}`;
  const inside = (host: string) =>
    `the jwks_uri of the discovery document leads from a public issuer into a private network (${host}); ${advice}`;
  const login = createTestIssuer();

  const byDiscovery = (issuer: string): IssuerConfig => ({
    ...login.config,
    issuer,
    keys: { kind: 'discovery' },
  });

  /** A server that serves this discovery document, and the key set at /keys. */
  async function startIssuer(document: (origin: string) => unknown) {
    const server = await startTestServer((request, response) => {
      const value = request.url === '/keys' ? login.jwks : document(server.origin);
      json(value)(request, response);
    });
    return server;
  }

  it.each([
    ['', '/.well-known/openid-configuration'],
    ['/', '/.well-known/openid-configuration'],
    ['/realms/acme', '/realms/acme/.well-known/openid-configuration'],
    ['/realms/acme/', '/realms/acme/.well-known/openid-configuration'],
  ])('finds the keys of an issuer whose path is "%s"', async (path, wellKnown) => {
    const server = await startIssuer((origin) => ({ issuer: origin + path, jwks_uri: `${origin}/keys` }));
    const issuer = server.origin + path;

    expect(await statusAfterFetch(byDiscovery(issuer))).toStrictEqual(loaded(issuer));
    expect(server.requests).toStrictEqual([wellKnown, '/keys']);
  });

  it('verifies tokens with the keys', async () => {
    const { origin } = await startIssuer((self) => ({ issuer: self, jwks_uri: `${self}/keys` }));
    const verifier = onlineVerifier([byDiscovery(origin)]);

    expect((await verifier.verify(await login.sign({ iss: origin }))).issuer).toBe(origin);
  });

  it.each<[string, (origin: string) => unknown, string]>([
    [
      'names another issuer',
      (origin) => ({ issuer: 'https://evil.test', jwks_uri: `${origin}/keys` }),
      otherIssuer('https://evil.test'),
    ],
    [
      'adds a slash to the issuer',
      (origin) => ({ issuer: `${origin}/`, jwks_uri: `${origin}/keys` }),
      otherIssuer('http://HOST/'),
    ],
    [
      'names an issuer with terminal control characters',
      (origin) => ({ issuer: 'https://a\u001b[2J\u202eb"c', jwks_uri: `${origin}/keys` }),
      otherIssuer('https://a[2Jb\\"c'),
    ],
    [
      'names a very long issuer',
      (origin) => ({ issuer: `https://${'a'.repeat(5_000)}`, jwks_uri: `${origin}/keys` }),
      otherIssuer(`https://${'a'.repeat(248)}`),
    ],
    ['names no issuer', (origin) => ({ jwks_uri: `${origin}/keys` }), NO_ISSUER],
    ['names a list of issuers', (origin) => ({ issuer: [origin], jwks_uri: `${origin}/keys` }), NO_ISSUER],
    ['is null', () => null, NO_ISSUER],
    ['is a string', (origin) => origin, NO_ISSUER],
    ['has no jwks_uri', (issuer) => ({ issuer }), UNSAFE],
    ['has a jwks_uri that is not a string', (issuer) => ({ issuer, jwks_uri: [`${issuer}/keys`] }), UNSAFE],
    ['has a relative jwks_uri', (issuer) => ({ issuer, jwks_uri: '/keys' }), UNSAFE],
    [
      'has keys on http',
      (issuer) => ({ issuer, jwks_uri: 'http://keys.example.com/keys' }),
      plainHttp('keys.example.com'),
    ],
    [
      'has keys on http at a host like loopback',
      (issuer) => ({ issuer, jwks_uri: 'http://127.0.0.1.example.com/' }),
      plainHttp('127.0.0.1.example.com'),
    ],
    [
      'has keys on http at a host like localhost',
      (issuer) => ({ issuer, jwks_uri: 'http://localhost.example.com/' }),
      plainHttp('localhost.example.com'),
    ],
    [
      'has keys on http at a host that ends like localhost',
      (issuer) => ({ issuer, jwks_uri: 'http://notlocalhost/keys' }),
      plainHttp('notlocalhost'),
    ],
    [
      'has a password in its jwks_uri',
      (issuer) => ({ issuer, jwks_uri: 'https://user:secret@keys.example.com/keys' }),
      UNSAFE,
    ],
    ['has keys in a file', (issuer) => ({ issuer, jwks_uri: 'file:///etc/keys' }), UNSAFE],
    [
      'has keys in a data URL',
      (issuer) => ({ issuer, jwks_uri: 'data:application/json,{"keys":[]}' }),
      UNSAFE,
    ],
  ])('rejects a document that %s', async (_, document, lastError) => {
    const server = await startIssuer(document);

    expect(await statusAfterFetch(byDiscovery(server.origin))).toStrictEqual(
      failed(server.origin, of(server.origin, lastError)),
    );
    expect(server.requests).toStrictEqual(['/.well-known/openid-configuration']);
  });

  it.each<[string, string, string | undefined]>([
    ['https://login.example.com', 'https://keys.example.com/keys', undefined],
    ['https://login.example.com', 'https://login.example.com:8443/keys', undefined],
    ['https://login.example.com', 'https://8.8.8.8/keys', undefined],
    ['https://login.example.com', 'http://login.example.com/keys', plainHttp('login.example.com')],
    // From a public issuer into a private network, in all notations of an address.
    ...[
      ...[
        'http://localhost:8080',
        'https://localhost',
        'http://keys.localhost',
        'http://127.8.9.1',
        'http://127.1',
      ],
      ...[
        'http://0x7f.1',
        'http://2130706433',
        'http://[::1]:8080',
        'https://[::ffff:127.0.0.1]',
        'http://0.0.0.0',
      ],
      ...['https://10.0.0.1', 'https://172.16.0.1', 'https://192.168.1.1:8443', 'https://169.254.169.254'],
      ...['https://100.100.100.200', 'https://[fd00::1]', 'https://[fe80::1]', 'https://[::ffff:10.0.0.1]'],
      ...[
        'https://[64:ff9b::a00:1]',
        'https://[fec0::1]',
        'https://[2001::a00:1]',
        'https://[3fff::1]',
        'https://[5f00::1]',
        'https://keys',
        'https://keys.internal',
        'https://keys.svc.cluster.local',
      ],
      ...['https://keys.corp.', 'https://keys.lan'],
    ].map((origin): [string, string, string] => [
      'https://login.example.com',
      `${origin}/keys`,
      inside(new URL(origin).host),
    ]),
    // Within a private network, and on this machine.
    ['https://10.0.0.1', 'https://10.0.0.2/keys', undefined],
    ['https://kubernetes.default.svc.cluster.local', 'https://172.20.1.5:6443/openid/v1/jwks', undefined],
    ['https://10.0.0.1', 'https://127.0.0.1/keys', inside('127.0.0.1')],
    ['https://10.0.0.1', 'http://10.0.0.2/keys', plainHttp('10.0.0.2')],
    ['http://10.0.0.1', 'http://10.0.0.2/keys', undefined],
    ['http://127.0.0.1:8080', 'http://localhost:8081/keys', undefined],
    ['http://127.0.0.1:8080', 'http://10.0.0.2/keys', undefined],
    ['http://127.0.0.1:8080', 'http://keys.example.com/keys', plainHttp('keys.example.com')],
    ['http://login:8080', 'http://login:8080/keys', undefined],
    ['http://login:8080', 'http://login:8081/keys', plainHttp('login:8081')],
  ])('fetches keys of %s from %s, or reports why not: %s', async (issuer, jwksUri, fault) => {
    const requests: string[] = [];
    const documents = new Map<string, unknown>([
      [`${issuer}/.well-known/openid-configuration`, { issuer, jwks_uri: jwksUri }],
      [jwksUri, login.jwks],
    ]);
    const verifier = createTokenVerifier({
      issuers: [byDiscovery(issuer)],
      clock: fixedClock,
      keySources: createKeySources({
        clock: fixedClock,
        fetch: async (url) => {
          requests.push(String(url));
          return Response.json(documents.get(String(url)));
        },
      }),
    });

    await verifier.preload();

    expect(verifier.status()).toStrictEqual([fault ? failed(issuer, fault) : loaded(issuer)]);
    expect(requests).toStrictEqual([...documents.keys()].slice(0, fault ? 1 : 2));
  });

  it('does not follow a redirect to a document', async () => {
    const elsewhere = await startTestServer(json({}));
    const { origin } = await startTestServer(send(302, '', { location: elsewhere.origin }));

    expect(await statusAfterFetch(byDiscovery(origin))).toStrictEqual(
      failed(origin, of(origin, status(302))),
    );
    expect(elsewhere.requests).toStrictEqual([]);
  });

  it('applies one time limit to document and keys together', async () => {
    const server = await startTestServer((request, response) => {
      if (request.url !== '/keys') {
        json({ issuer: server.origin, jwks_uri: `${server.origin}/keys` })(request, response);
      }
    });

    expect(await statusAfterFetch(byDiscovery(server.origin), 50)).toStrictEqual(
      failed(server.origin, of(server.origin, TOO_SLOW)),
    );
  });
});
