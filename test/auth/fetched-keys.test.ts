import { describe, expect, it } from 'vitest';
import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { describeKeys } from '../../src/auth/keys/key-source.ts';
import { now } from '../support/fixed-clock.ts';
import { forgeToken } from '../support/forge-token.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { json, respondAfter, startTestServer, type TestServer } from '../support/test-server.ts';
import { createTestIssuer, nowSeconds, type TestIssuer } from '../support/tokens.ts';
import { invalidToken, rejectionOfToken, UNKNOWN_KEY } from './offline-verifier.ts';
import { onlineVerifier } from './online-verifier.ts';
import { type Rejection, rejectionOf } from './rejection.ts';

const COOLDOWN_MS = 30_000;
const CACHE_MAX_AGE_MS = 600_000;
const tomorrow = nowSeconds + 86_400;

function byUrl({ config }: TestIssuer, { origin }: Pick<TestServer, 'origin'>): IssuerConfig {
  return { ...config, keys: { kind: 'jwksUrl', url: `${origin}/jwks` } };
}

function unavailable(retryAfter: string): Rejection {
  return {
    code: 'unavailable',
    detail: 'The verification keys of the issuer cannot be fetched; try again later.',
    errors: undefined,
    headers: { 'Retry-After': retryAfter },
  };
}

/** The rejection of a token whose key cannot be fetched before the cool-down ends. */
function undecided(retryAfter: string): Rejection {
  return {
    ...unavailable(retryAfter),
    detail: 'The service cannot look up the key of this token at the moment; try again later.',
  };
}

describe('keys by URL', () => {
  it('are fetched with the first token and then cached', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json(login.jwks));
    const verifier = onlineVerifier([byUrl(login, server)]);

    const first = await verifier.verify(await login.sign());
    const second = await verifier.verify(await login.sign({ sub: 'bob' }));

    expect([first.subject, second.subject]).toStrictEqual(['alice', 'bob']);
    expect(server.requests).toStrictEqual(['/jwks']);
  });

  it('are fetched once for 100 concurrent requests', async () => {
    const login = createTestIssuer();
    const released = Promise.withResolvers<void>();
    const server = await startTestServer(respondAfter(released.promise, json(login.jwks)));
    const verifier = onlineVerifier([byUrl(login, server)]);
    const token = await login.sign();

    const waiting = Array.from({ length: 100 }, () => verifier.verify(token));
    released.resolve();

    expect((await Promise.all(waiting)).map(({ subject }) => subject)).toStrictEqual(
      Array(100).fill('alice'),
    );
    expect(server.requests).toStrictEqual(['/jwks']);
  });

  it('are not requested again while a response is pending, even after the cool-down', async () => {
    const login = createTestIssuer();
    const released = Promise.withResolvers<void>();
    const server = await startTestServer(respondAfter(released.promise, json(login.jwks)));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(login, server)], clock);
    const token = await login.sign();

    const first = verifier.verify(token);
    advance(COOLDOWN_MS);
    const second = verifier.verify(token);
    released.resolve();

    expect([(await first).subject, (await second).subject]).toStrictEqual(['alice', 'alice']);
    expect(server.requests).toStrictEqual(['/jwks']);
  });

  it('are fetched once if 100 concurrent requests fail without them', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json({}, 500));
    const verifier = onlineVerifier([byUrl(login, server)]);
    const token = await login.sign();

    const rejections = await Promise.all(
      Array.from({ length: 100 }, () => rejectionOfToken(verifier, token)),
    );

    expect(rejections).toStrictEqual(Array(100).fill(unavailable('30')));
    expect(server.requests).toStrictEqual(['/jwks']);
  });

  // An attacker can invent key IDs at no cost, and each fetch is load for the issuer.
  it('are fetched at most three times per cool-down for any number of unknown key IDs', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json(login.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(login, server)], clock);
    const flood = async () => {
      const tokens = await Promise.all(
        Array.from({ length: 50 }, (_, index) => login.sign({}, { kid: `unknown-${index}` })),
      );
      return Promise.all(tokens.map((token) => rejectionOfToken(verifier, token)));
    };
    const rejected = Array(50).fill(invalidToken(UNKNOWN_KEY));
    await verifier.verify(await login.sign());
    expect(server.requests).toHaveLength(1);

    for (const fetches of [2, 3, 4]) {
      expect(await flood()).toStrictEqual(rejected);
      expect(server.requests).toHaveLength(fetches);
      advance(1_000);
    }
    expect(await flood()).toStrictEqual(Array(50).fill(undecided('27')));
    advance(COOLDOWN_MS - 3_001);
    expect(await flood()).toStrictEqual(Array(50).fill(undecided('1')));
    expect(server.requests).toHaveLength(4);

    // The issuer receives at most three fetches in any 30 s.
    for (const fetches of [5, 6, 7]) {
      advance(fetches === 5 ? 1 : 1_000);
      expect(await flood()).toStrictEqual(rejected);
      expect(await flood()).toStrictEqual(Array(50).fill(undecided(fetches === 7 ? '28' : '1')));
      expect(server.requests).toHaveLength(fetches);
    }
  });

  it('are fetched for a new key in spite of one invented key ID', async () => {
    const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
    const server = await startTestServer(json(old.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(old, server)], clock);
    await verifier.verify(await old.sign());
    const junk = forgeToken({ alg: 'ES256', kid: 'junk' }, { iss: old.issuer }, () => 'junk');
    expect((await rejectionOfToken(verifier, junk)).code).toBe('unauthenticated');

    server.respond = json({ keys: [...old.jwks.keys, ...current.jwks.keys] });
    advance(1_000);
    expect((await verifier.verify(await current.sign())).subject).toBe('alice');
  });

  // A 401 would sign out users with valid tokens.
  it('are not fetched for a new key after several invented key IDs until the cool-down ends', async () => {
    const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
    const server = await startTestServer(json(old.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(old, server)], clock);
    for (const kid of ['junk-1', 'junk-2', 'junk-3', 'junk-4', 'junk-5']) {
      const junk = forgeToken({ alg: 'ES256', kid }, { iss: old.issuer }, () => 'junk');
      await rejectionOfToken(verifier, junk);
    }
    server.respond = json({ keys: [...old.jwks.keys, ...current.jwks.keys] });
    const token = await current.sign();

    advance(10_000);
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(undecided('20'));
    expect((await verifier.verify(await old.sign())).subject).toBe('alice');
    advance(20_000);
    expect((await verifier.verify(token)).subject).toBe('alice');
  });

  it('do not contain an unknown key after a fetch that began after the token arrived', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json(login.jwks));
    const verifier = onlineVerifier([byUrl(login, server)]);

    expect(await rejectionOfToken(verifier, await login.sign({}, { kid: 'unknown' }))).toStrictEqual(
      invalidToken(UNKNOWN_KEY),
    );
    expect(server.requests).toHaveLength(1);
  });

  it('are fetched again for the first token with a new key ID, even if they are recent', async () => {
    const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
    const server = await startTestServer(json(old.jwks));
    const verifier = onlineVerifier([byUrl(old, server)]);
    await verifier.verify(await old.sign());

    server.respond = json({ keys: [...old.jwks.keys, ...current.jwks.keys] });
    expect((await verifier.verify(await current.sign())).subject).toBe('alice');
    expect((await verifier.verify(await old.sign())).subject).toBe('alice');
    expect(server.requests).toHaveLength(2);
  });

  it('that were withdrawn are not used after the fetch that a new key ID causes', async () => {
    const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
    const server = await startTestServer(json(old.jwks));
    const verifier = onlineVerifier([byUrl(old, server)]);
    await verifier.verify(await old.sign());

    server.respond = json(current.jwks);
    await verifier.verify(await current.sign());
    expect(await rejectionOfToken(verifier, await old.sign())).toStrictEqual(invalidToken(UNKNOWN_KEY));
    expect(server.requests).toHaveLength(3);
  });

  it('that were withdrawn are not used beyond the maximum age of the cache', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json(login.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(login, server)], clock);
    const token = await login.sign({ exp: tomorrow });
    await verifier.verify(token);
    server.respond = json({ keys: [] });

    advance(CACHE_MAX_AGE_MS - 1);
    expect((await verifier.verify(token)).subject).toBe('alice');

    advance(1);
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(invalidToken(UNKNOWN_KEY));
    expect(server.requests).toHaveLength(2);
  });

  it('stay in use while fetching them fails, with one attempt per cool-down', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json(login.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(login, server)], clock);
    const token = await login.sign({ exp: tomorrow });
    await verifier.verify(token);
    server.respond = json({}, 503);

    advance(CACHE_MAX_AGE_MS);
    expect((await verifier.verify(token)).subject).toBe('alice');
    expect((await verifier.verify(token)).subject).toBe('alice');
    expect(server.requests).toHaveLength(2);

    advance(COOLDOWN_MS);
    expect((await verifier.verify(token)).subject).toBe('alice');
    expect(server.requests).toHaveLength(3);
    expect(verifier.status()).toStrictEqual([
      {
        issuer: 'https://login.test/',
        keysLoaded: true,
        fetchedAt: now,
        lastError: `${new URL(server.origin).host} responded with status 503, not 200`,
      },
    ]);
  });

  // A 401 would make the client discard a valid token.
  it('that cannot be refreshed make a token with a new key ID fail with unavailable', async () => {
    const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
    const server = await startTestServer(json(old.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(old, server)], clock);
    await verifier.verify(await old.sign());
    server.respond = json({}, 500);
    advance(COOLDOWN_MS);

    expect(await rejectionOfToken(verifier, await current.sign())).toStrictEqual(unavailable('30'));
    expect((await verifier.verify(await old.sign())).subject).toBe('alice');
  });

  it('that were never loaded make tokens fail with unavailable and Retry-After', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json({}, 500));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(login, server)], clock);
    const token = await login.sign();

    expect(await rejectionOfToken(verifier, token)).toStrictEqual(unavailable('30'));
    advance(12_500);
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(unavailable('18'));
    advance(COOLDOWN_MS - 12_501);
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(unavailable('1'));
    expect(server.requests).toHaveLength(1);

    server.respond = json(login.jwks);
    advance(1);
    expect((await verifier.verify(token)).subject).toBe('alice');
    expect(server.requests).toHaveLength(2);
  });

  it('are fetched again after the clock was set back', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json(login.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(login, server)], clock);
    await verifier.verify(await login.sign());

    advance(-3_600_000);
    await verifier.verify(await login.sign());

    expect(server.requests).toHaveLength(2);
  });

  it('are not fetched for tokens that cannot be valid', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json(login.jwks));
    const verifier = onlineVerifier([byUrl(login, server)]);
    const claims = { iss: login.issuer };

    const rejections = await Promise.all(
      [
        'opaque',
        await login.sign({ iss: 'https://evil.test/' }),
        forgeToken({ alg: 'none' }, claims, () => ''),
        forgeToken({ alg: 'ES256', kid: 'key-1', jku: `${server.origin}/evil` }, claims, () => 's'),
      ].map((token) => rejectionOfToken(verifier, token)),
    );

    expect(rejections.map(({ code }) => code)).toStrictEqual(Array(4).fill('unauthenticated'));
    expect(server.requests).toStrictEqual([]);
  });
});

describe('keys that cannot be refreshed', () => {
  const HOUR_MS = 3_600_000;
  const lasting = { exp: nowSeconds + 40 * 86_400 };
  const cause = 'refused the connection (ECONNREFUSED)';

  /** An issuer whose keys were fetched once, and whose server then stopped. */
  async function startUnreachable(change: Partial<IssuerConfig> = {}) {
    const login = createTestIssuer();
    const server = await startTestServer(json(login.jwks));
    const { clock, advance } = createManualClock();
    const config = { ...byUrl(login, server), ...change };
    const verifier = onlineVerifier([config], clock);
    const token = await login.sign(lasting);
    await verifier.verify(token);
    await server.stop();
    return { login, server, config, verifier, token, advance, host: new URL(server.origin).host };
  }

  it.each<[string, Partial<IssuerConfig>, number]>([
    ['24 hours by default', {}, 24 * HOUR_MS],
    ['the maxStaleSeconds of the issuer', { maxStaleSeconds: 3_600 }, HOUR_MS],
    ['a longer time', { maxStaleSeconds: 7 * 86_400 }, 168 * HOUR_MS],
  ])('verify tokens for %s, and then no token, cached or new', async (_, change, maxStaleMs) => {
    const { login, verifier, token, advance, host } = await startUnreachable(change);

    advance(maxStaleMs - 1);
    expect((await verifier.verify(token)).subject).toBe('alice');
    expect((await verifier.verify(await login.sign({ ...lasting, sub: 'bob' }))).subject).toBe('bob');
    await verifier.verify(token);
    // It was verified while no fetch was due, so it is cached.
    expect(verifier.verify(token)).not.toBeInstanceOf(Promise);
    expect(verifier.status()).toStrictEqual([
      { issuer: login.issuer, keysLoaded: true, fetchedAt: now, lastError: `${host} ${cause}` },
    ]);

    advance(1);
    expect(await rejectionOfToken(verifier, token)).toMatchObject({
      code: 'unavailable',
      headers: { 'Retry-After': '30' },
    });
    expect(await rejectionOfToken(verifier, await login.sign(lasting))).toMatchObject({
      code: 'unavailable',
    });
    expect(verifier.status()).toStrictEqual([
      {
        issuer: login.issuer,
        keysLoaded: false,
        keysTooOld: true,
        fetchedAt: now,
        lastError: `${host} ${cause}`,
      },
    ]);
    advance(30 * 24 * HOUR_MS);
    expect(await rejectionOfToken(verifier, token)).toMatchObject({ code: 'unavailable' });
  });

  it('verify tokens again after the next successful fetch', async () => {
    const { login, verifier, token, advance, server } = await startUnreachable();
    advance(25 * HOUR_MS);
    expect(await rejectionOfToken(verifier, token)).toMatchObject({ code: 'unavailable' });

    await server.restart();
    advance(COOLDOWN_MS);
    expect((await verifier.verify(token)).subject).toBe('alice');
    expect(verifier.status()).toMatchObject([{ issuer: login.issuer, keysLoaded: true }]);
  });

  it('are described in /readyz with their age and the cause', async () => {
    const { verifier, advance, host } = await startUnreachable();
    const described = () => verifier.status().map(describeKeys);
    expect(described()).toStrictEqual(['loaded']);
    advance(CACHE_MAX_AGE_MS);
    await verifier.preload();
    expect(described()).toStrictEqual([`loaded, but not refreshed: ${host} ${cause}`]);
    advance(24 * HOUR_MS);
    expect(described()).toStrictEqual([
      `too old, last fetched at 2026-11-23T10:00:00.000Z: ${host} ${cause}`,
    ]);
  });

  it('stay valid for one issuer if another one at the same address allows less time', async () => {
    const first = createTestIssuer();
    const server = await startTestServer(json(first.jwks));
    const { clock, advance } = createManualClock();
    const second = { ...byUrl(first, server), issuer: 'https://second.test/', maxStaleSeconds: 3_600 };
    const verifier = onlineVerifier([byUrl(first, server), second], clock);
    await verifier.preload();
    expect(server.requests).toHaveLength(1);
    await server.stop();
    advance(2 * HOUR_MS);

    expect((await verifier.verify(await first.sign(lasting))).issuer).toBe(first.issuer);
    expect(
      await rejectionOfToken(verifier, await first.sign({ ...lasting, iss: 'https://second.test/' })),
    ).toMatchObject({ code: 'unavailable' });
  });
});

describe('an issuer that does not respond', () => {
  it('does not delay tokens of another issuer', async () => {
    const slow = createTestIssuer({ issuer: 'https://slow.test/' });
    const login = createTestIssuer();
    const released = Promise.withResolvers<void>();
    const slowServer = await startTestServer(respondAfter(released.promise, json(slow.jwks)));
    const server = await startTestServer(json(login.jwks));
    const verifier = onlineVerifier([byUrl(slow, slowServer), byUrl(login, server)]);

    const waiting = verifier.verify(await slow.sign());
    expect((await verifier.verify(await login.sign())).issuer).toBe('https://login.test/');
    released.resolve();

    expect((await waiting).issuer).toBe('https://slow.test/');
  });

  it('makes only its own tokens fail with unavailable', async () => {
    const down = createTestIssuer({ issuer: 'https://down.test/' });
    const login = createTestIssuer();
    const server = await startTestServer(json({}, 404));
    const verifier = onlineVerifier([byUrl(down, server), login.config]);

    expect(await rejectionOfToken(verifier, await down.sign())).toStrictEqual(unavailable('30'));
    expect((await verifier.verify(await login.sign())).subject).toBe('alice');
  });
});

describe('preload', () => {
  it('fetches the keys of all issuers in parallel and only records failures', async () => {
    const login = createTestIssuer();
    const down = createTestIssuer({ issuer: 'https://down.test/' });
    const server = await startTestServer(json(login.jwks));
    const downServer = await startTestServer(json({}, 500));
    const verifier = onlineVerifier([byUrl(login, server), byUrl(down, downServer)]);

    expect(verifier.status()).toStrictEqual([
      { issuer: 'https://login.test/', keysLoaded: false },
      { issuer: 'https://down.test/', keysLoaded: false },
    ]);
    expect([server.requests, downServer.requests]).toStrictEqual([[], []]);

    await verifier.preload();

    expect(verifier.status()).toStrictEqual([
      { issuer: 'https://login.test/', keysLoaded: true, fetchedAt: now },
      {
        issuer: 'https://down.test/',
        keysLoaded: false,
        lastError: `${new URL(downServer.origin).host} responded with status 500, not 200`,
      },
    ]);
    await verifier.verify(await login.sign());
    expect([server.requests, downServer.requests]).toStrictEqual([['/jwks'], ['/jwks']]);
  });

  it('fetches only what is due', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json({}, 500));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([byUrl(login, server)], clock);
    await verifier.preload();
    await verifier.preload();
    expect(server.requests).toHaveLength(1);

    server.respond = json(login.jwks);
    advance(COOLDOWN_MS);
    await verifier.preload();
    advance(COOLDOWN_MS);
    await verifier.preload();

    expect(server.requests).toHaveLength(2);
    expect(verifier.status()).toStrictEqual([
      {
        issuer: 'https://login.test/',
        keysLoaded: true,
        fetchedAt: new Date(now.getTime() + COOLDOWN_MS),
      },
    ]);
  });
});

describe('the error unavailable', () => {
  it('contains the failure for the log, not for the client', async () => {
    const login = createTestIssuer();
    const server = await startTestServer(json({}, 500));
    const verifier = onlineVerifier([byUrl(login, server)]);
    const token = await login.sign();

    await expect(verifier.verify(token)).rejects.toMatchObject({
      cause: new Error(`${new URL(server.origin).host} responded with status 500, not 200`),
    });
    expect(JSON.stringify(await rejectionOf(() => verifier.verify(token)))).not.toContain('500');
  });
});
