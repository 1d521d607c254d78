import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { fixedClock, now } from '../support/fixed-clock.ts';
import { createTestIssuer, type TestIssuer } from '../support/tokens.ts';
import { json, onlineVerifier, startKeyServer } from './key-server.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const TOO_LONG = 'The answer is longer than 1048576 bytes.';
const NO_KEY_SET = 'The answer is not a JSON Web Key Set.';
const NOT_JSON = 'The answer is not JSON.';
const NO_ANSWER = 'No answer could be had.';
const TOO_SLOW = 'No answer came in time.';

const send =
  (status: number, body: string | Uint8Array = '', headers: Record<string, string> = {}): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };

/** What the verifier says of its one issuer after it tried to get its keys. */
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
    ['JSON that is called something else', send(200, JSON.stringify(jwks), { 'content-type': 'text/plain' })],
    ['an answer of 1 MiB', send(200, JSON.stringify(jwks).padEnd(MAX_BODY_BYTES))],
    ['a compressed answer', send(200, gzipSync(JSON.stringify(jwks)), { 'content-encoding': 'gzip' })],
    ['keys of kinds nobody knows beside good ones', json({ keys: [{ kty: 'future' }, {}, ...jwks.keys] })],
  ])('takes %s', async (_, answer) => {
    const { origin } = await startKeyServer(answer);

    expect(await statusAfterFetch(byUrl(origin))).toStrictEqual(loaded(issuer));
  });

  it.each<[string, RequestListener, string]>([
    ['an error', json(jwks, 500), 'The answer has status 500, not 200.'],
    ['keys that are called missing', json(jwks, 404), 'The answer has status 404, not 200.'],
    ['another kind of success', json(jwks, 203), 'The answer has status 203, not 200.'],
    ['nothing', send(204), 'The answer has status 204, not 200.'],
    ['an empty answer', send(200), NOT_JSON],
    ['a page', send(200, '<html></html>'), NOT_JSON],
    ['JSON that is not UTF-8', send(200, Buffer.from([0x22, 0xff, 0x22])), NOT_JSON],
    ['null', json(null), NO_KEY_SET],
    ['a list', json(jwks.keys), NO_KEY_SET],
    ['no list of keys', json({ keys: jwks.keys[0] }), NO_KEY_SET],
    ['keys that are no objects', json({ keys: ['key'] }), NO_KEY_SET],
    [
      'an answer that is a byte too long',
      send(200, JSON.stringify(jwks).padEnd(MAX_BODY_BYTES + 1)),
      TOO_LONG,
    ],
    [
      'a small answer that unpacks to a large one',
      send(200, gzipSync(JSON.stringify(jwks).padEnd(MAX_BODY_BYTES + 1)), { 'content-encoding': 'gzip' }),
      TOO_LONG,
    ],
    ['a connection that breaks', (request) => request.socket.destroy(), NO_ANSWER],
    [
      'an answer that breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"keys":');
        response.socket?.end();
      },
      NO_ANSWER,
    ],
  ])('refuses %s', async (_, answer, lastError) => {
    const { origin } = await startKeyServer(answer);

    expect(await statusAfterFetch(byUrl(origin))).toStrictEqual(failed(issuer, lastError));
  });

  it('stops reading an answer without end', async () => {
    const { origin } = await startKeyServer((_, response) => {
      const fill = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      };
      response.on('drain', fill);
      fill();
    });

    expect(await statusAfterFetch(byUrl(origin))).toStrictEqual(failed(issuer, TOO_LONG));
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect (%i)', async (status) => {
    const elsewhere = await startKeyServer(json(jwks));
    const { origin } = await startKeyServer(send(status, '', { location: `${elsewhere.origin}/jwks` }));

    expect(await statusAfterFetch(byUrl(origin))).toStrictEqual(
      failed(issuer, `The answer has status ${status}, not 200.`),
    );
    expect(elsewhere.requests).toStrictEqual([]);
  });

  it('lets go of an answer that it does not read', async () => {
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
    ['never answers', () => {}],
    ['never ends its answer', (_, response) => response.writeHead(200).write('{"keys":')],
  ])('gives up on a server that %s', async (_, answer) => {
    const { origin } = await startKeyServer(answer);

    expect(await statusAfterFetch(byUrl(origin), 50)).toStrictEqual(failed(issuer, TOO_SLOW));
  });

  it('says of a closed port only that no answer could be had', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));

    expect(await statusAfterFetch(byUrl(`http://127.0.0.1:${port}`))).toStrictEqual(
      failed(issuer, NO_ANSWER),
    );
  });
});

describe('fetching keys by discovery', () => {
  const OTHER_ISSUER = 'The discovery document is that of another issuer.';
  const UNSAFE = 'The jwks_uri of the discovery document is not an https address.';
  const login = createTestIssuer();

  const byDiscovery = (issuer: string): IssuerConfig => ({
    ...login.config,
    issuer,
    keys: { kind: 'discovery' },
  });

  /** A server that answers with this discovery document, and under /keys with the key set. */
  async function startIssuer(document: (origin: string) => unknown) {
    const server = await startKeyServer((request, response) => {
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
  ])('finds those of an issuer whose path is "%s"', async (path, wellKnown) => {
    const server = await startIssuer((origin) => ({ issuer: origin + path, jwks_uri: `${origin}/keys` }));
    const issuer = server.origin + path;

    expect(await statusAfterFetch(byDiscovery(issuer))).toStrictEqual(loaded(issuer));
    expect(server.requests).toStrictEqual([wellKnown, '/keys']);
  });

  it('verifies tokens with them', async () => {
    const { origin } = await startIssuer((self) => ({ issuer: self, jwks_uri: `${self}/keys` }));
    const verifier = onlineVerifier([byDiscovery(origin)]);

    expect((await verifier.verify(await login.sign({ iss: origin }))).issuer).toBe(origin);
  });

  it.each<[string, (origin: string) => unknown, string]>([
    [
      'names another issuer',
      (origin) => ({ issuer: 'https://evil.test', jwks_uri: `${origin}/keys` }),
      OTHER_ISSUER,
    ],
    [
      'adds a slash to the issuer',
      (origin) => ({ issuer: `${origin}/`, jwks_uri: `${origin}/keys` }),
      OTHER_ISSUER,
    ],
    ['names no issuer', (origin) => ({ jwks_uri: `${origin}/keys` }), OTHER_ISSUER],
    ['names a list of issuers', (origin) => ({ issuer: [origin], jwks_uri: `${origin}/keys` }), OTHER_ISSUER],
    ['is null', () => null, OTHER_ISSUER],
    ['is a string', (origin) => origin, OTHER_ISSUER],
    ['has no jwks_uri', (issuer) => ({ issuer }), UNSAFE],
    ['has a jwks_uri that is no string', (issuer) => ({ issuer, jwks_uri: [`${issuer}/keys`] }), UNSAFE],
    ['has a relative jwks_uri', (issuer) => ({ issuer, jwks_uri: '/keys' }), UNSAFE],
    ['has keys on http', (issuer) => ({ issuer, jwks_uri: 'http://keys.test/keys' }), UNSAFE],
    [
      'has keys on http at a host like loopback',
      (issuer) => ({ issuer, jwks_uri: 'http://127.0.0.1.evil.test/' }),
      UNSAFE,
    ],
    [
      'has keys on http at a host like localhost',
      (issuer) => ({ issuer, jwks_uri: 'http://localhost.evil.test/' }),
      UNSAFE,
    ],
    [
      'has keys on http at a host that ends like localhost',
      (issuer) => ({ issuer, jwks_uri: 'http://notlocalhost/keys' }),
      UNSAFE,
    ],
    ['has keys in a file', (issuer) => ({ issuer, jwks_uri: 'file:///etc/keys' }), UNSAFE],
    [
      'has keys within the address',
      (issuer) => ({ issuer, jwks_uri: 'data:application/json,{"keys":[]}' }),
      UNSAFE,
    ],
  ])('refuses a document that %s', async (_, document, lastError) => {
    const server = await startIssuer(document);

    expect(await statusAfterFetch(byDiscovery(server.origin))).toStrictEqual(
      failed(server.origin, lastError),
    );
    expect(server.requests).toStrictEqual(['/.well-known/openid-configuration']);
  });

  it.each([
    ['https://login.test', 'https://keys.test/keys', true],
    ['https://login.test', 'http://localhost:8080/keys', true],
    ['https://login.test', 'http://127.8.9.1/keys', true],
    ['https://login.test', 'http://[::1]:8080/keys', true],
    ['https://login.test', 'http://login.test/keys', false],
    ['http://login:8080', 'http://login:8080/keys', true],
    ['http://login:8080', 'http://login:8081/keys', false],
  ])('trusts keys of %s at %s or not: %s', async (issuer, jwksUri, isFetched) => {
    const requests: string[] = [];
    const answers = new Map<string, unknown>([
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
          return Response.json(answers.get(String(url)));
        },
      }),
    });

    await verifier.preload();

    expect(verifier.status()).toStrictEqual([isFetched ? loaded(issuer) : failed(issuer, UNSAFE)]);
    expect(requests).toStrictEqual([...answers.keys()].slice(0, isFetched ? 2 : 1));
  });

  it('follows no redirect to a document', async () => {
    const elsewhere = await startKeyServer(json({}));
    const { origin } = await startKeyServer(send(302, '', { location: elsewhere.origin }));

    expect(await statusAfterFetch(byDiscovery(origin))).toStrictEqual(
      failed(origin, 'The answer has status 302, not 200.'),
    );
    expect(elsewhere.requests).toStrictEqual([]);
  });

  it('gives document and keys one time limit together', async () => {
    const server = await startKeyServer((request, response) => {
      if (request.url !== '/keys') {
        json({ issuer: server.origin, jwks_uri: `${server.origin}/keys` })(request, response);
      }
    });

    expect(await statusAfterFetch(byDiscovery(server.origin), 50)).toStrictEqual(
      failed(server.origin, TOO_SLOW),
    );
  });
});
