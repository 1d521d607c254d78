import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/auth/caller.ts';
import type { IssuerConfig } from '../../src/auth/issuer.ts';
import type { KeySource } from '../../src/auth/keys/key-source.ts';
import { createSecretVerificationKey } from '../../src/auth/keys/verification-key.ts';
import { createTokenVerifier, type TokenVerifier } from '../../src/auth/token-verifier.ts';
import {
  createVerifiedTokens,
  digestToken,
  type VerifiedTokensOptions,
} from '../../src/auth/verified-tokens.ts';
import type { Clock } from '../../src/clock.ts';
import { now } from '../support/fixed-clock.ts';
import { forgeToken, hmacSigner } from '../support/forge-token.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { json, startTestServer } from '../support/test-server.ts';
import { createTestIssuer, defaultClaims, nowSeconds, type TestIssuer } from '../support/tokens.ts';
import {
  invalidToken,
  rejectionOfToken,
  UNKNOWN_KEY,
  UNTRUSTED,
  WRONG_SIGNATURE,
} from './offline-verifier.ts';
import { onlineVerifier } from './online-verifier.ts';

const MINUTE_MS = 60_000;
const MAX_AGE_MS = 5 * MINUTE_MS;
const tomorrow = nowSeconds + 86_400;

/** A verifier, and a count of the signatures that it verified. */
function countingVerifier(
  { config }: TestIssuer,
  clock: Clock,
  verifiedTokens: VerifiedTokensOptions = {},
): { readonly verifier: TokenVerifier; verifications(): number } {
  const keySet = {};
  let verifications = 0;
  const secret = Buffer.alloc(32, 's');
  const keys: KeySource = {
    find: async () => {
      verifications++;
      return [createSecretVerificationKey(secret)];
    },
    load: async () => {},
    keySet: () => keySet,
    status: () => ({ keysLoaded: true }),
  };
  const { keys: _keys, ...rest } = config;
  const issuer: IssuerConfig = { ...rest, algorithms: ['HS256'], secret };
  const verifier = createTokenVerifier({ issuers: [issuer], clock, keySources: () => keys, verifiedTokens });
  return { verifier, verifications: () => verifications };
}

const login = createTestIssuer();

/** A token signed with the shared secret, valid for one day. */
function tokenOf(subject: string, claims: object = {}): string {
  const signer = hmacSigner(Buffer.alloc(32, 's'));
  return forgeToken(
    { alg: 'HS256' },
    { ...defaultClaims(login.issuer), sub: subject, exp: tomorrow, ...claims },
    signer,
  );
}

describe('a token that was verified', () => {
  it('is not verified again, and identifies the same caller', async () => {
    const { verifier, verifications } = countingVerifier(login, () => now);
    const first = await verifier.verify(tokenOf('alice'));
    expect(await verifier.verify(tokenOf('alice'))).toStrictEqual(first);
    expect(verifications()).toBe(1);
  });

  it('returns its caller at once; a new or rejected token returns a promise', async () => {
    const { verifier } = countingVerifier(login, () => now);
    const first = verifier.verify(tokenOf('alice'));
    expect(first).toBeInstanceOf(Promise);
    const caller = await first;
    expect(verifier.verify(tokenOf('alice'))).toBe(caller);

    const rejected = verifier.verify('opaque');
    expect(rejected).toBeInstanceOf(Promise);
    await expect(rejected).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is verified again after five minutes at the latest', async () => {
    const { clock, advance } = createManualClock();
    const { verifier, verifications } = countingVerifier(login, clock);
    const subjects = Array.from({ length: 100 }, (_, index) => `caller-${index}`);
    for (const subject of subjects) await verifier.verify(tokenOf(subject));
    advance(MAX_AGE_MS / 2);
    for (const subject of subjects) await verifier.verify(tokenOf(subject));
    expect(verifications()).toBe(100);
    advance(MAX_AGE_MS / 2);
    for (const subject of subjects) await verifier.verify(tokenOf(subject));
    expect(verifications()).toBe(200);
  });

  it('does not validate a token with other claims, or with a cut, changed or missing signature', async () => {
    const { verifier } = countingVerifier(login, () => now);
    const token = tokenOf('alice');
    await verifier.verify(token);
    const [header, , signature = ''] = token.split('.');
    const unsigned = token.slice(0, -signature.length);
    const forgeries = [
      `${header}.${tokenOf('mallory').split('.')[1]}.${signature}`,
      `${unsigned}${signature.slice(0, -4)}`,
      `${unsigned}${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      unsigned,
    ];
    for (const forgery of forgeries) {
      expect((await rejectionOfToken(verifier, forgery)).code).toBe('unauthenticated');
      // A rejected token is not cached.
      expect((await rejectionOfToken(verifier, forgery)).code).toBe('unauthenticated');
    }
  });

  it('is rejected in the same second as without the cache', async () => {
    const { clock, advance } = createManualClock();
    const { verifier, verifications } = countingVerifier(login, clock);
    const token = tokenOf('alice', { exp: nowSeconds + 60 });
    await verifier.verify(token);
    advance(60_000);
    // Within the clock tolerance it is still valid, but verified each time.
    await verifier.verify(token);
    await verifier.verify(token);
    expect(verifications()).toBe(3);
    advance(30_000);
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(
      invalidToken('The token expired at 2026-11-23T10:01:00Z.'),
    );
  });

  it.each(['nbf', 'iat'])('is rejected if the clock is set back to before its %s', async (claim) => {
    const { clock, advance } = createManualClock();
    const { verifier } = countingVerifier(login, clock);
    const token = tokenOf('alice', { [claim]: nowSeconds });
    advance(MINUTE_MS);
    await verifier.verify(token);
    advance(-2 * MINUTE_MS);
    expect((await rejectionOfToken(verifier, token)).code).toBe('unauthenticated');
  });

  it('is verified again after the clock was set back by any amount', async () => {
    const { clock, advance } = createManualClock();
    const { verifier, verifications } = countingVerifier(login, clock);
    await verifier.verify(tokenOf('alice'));
    advance(-1);
    await verifier.verify(tokenOf('alice'));
    await verifier.verify(tokenOf('alice'));
    expect(verifications()).toBe(2);
    advance(-20 * MINUTE_MS);
    await verifier.verify(tokenOf('alice'));
    await verifier.verify(tokenOf('alice'));
    expect(verifications()).toBe(3);
  });
});

describe('a token that was verified with a published key', () => {
  const lasting = { exp: tomorrow };

  function publishedBy(issuer: TestIssuer, origin: string): IssuerConfig {
    return { ...issuer.config, keys: { kind: 'jwksUrl', url: `${origin}/jwks` } };
  }

  it('is rejected after a token with a new key has caused a fetch without its own key', async () => {
    const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
    const server = await startTestServer(json(old.jwks));
    const verifier = onlineVerifier([publishedBy(old, server.origin)]);
    const token = await old.sign();
    await verifier.verify(token);
    await verifier.verify(token);
    await verifier.verify(token);

    server.respond = json(current.jwks);
    expect((await verifier.verify(token)).subject).toBe('alice');
    await verifier.verify(await current.sign());
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(invalidToken(UNKNOWN_KEY));
  });

  it('is rejected if its key was replaced under the same key ID', async () => {
    const [stolen, renewed] = [createTestIssuer(), createTestIssuer()];
    const server = await startTestServer(json(stolen.jwks));
    const verifier = onlineVerifier([publishedBy(stolen, server.origin)]);
    const token = await stolen.sign();
    await verifier.verify(token);
    await verifier.verify(token);

    server.respond = json(renewed.jwks);
    await rejectionOfToken(verifier, await stolen.sign({}, { kid: 'unknown' }));
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(invalidToken(WRONG_SIGNATURE));
  });

  it('does not prevent a due fetch of the keys, and is rejected if its key is missing from it', async () => {
    const issuer = createTestIssuer();
    const server = await startTestServer(json(issuer.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([publishedBy(issuer, server.origin)], clock);
    const token = await issuer.sign(lasting);
    await verifier.verify(token);
    advance(10 * MINUTE_MS - 1);
    await verifier.verify(token);
    await verifier.verify(token);
    expect(server.requests).toHaveLength(1);

    server.respond = json({ keys: [] });
    advance(1);
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(invalidToken(UNKNOWN_KEY));
    expect(server.requests).toHaveLength(2);
  });

  it('is accepted while its issuer cannot be reached', async () => {
    const issuer = createTestIssuer();
    const server = await startTestServer(json(issuer.jwks));
    const { clock, advance } = createManualClock();
    const verifier = onlineVerifier([publishedBy(issuer, server.origin)], clock);
    const token = await issuer.sign(lasting);
    await verifier.verify(token);
    server.respond = json({}, 500);
    for (let minute = 0; minute < 20; minute++) {
      advance(MINUTE_MS);
      expect((await verifier.verify(token)).subject).toBe('alice');
    }
  });

  it('is not cached for the verifier of another policy, which may trust other issuers', async () => {
    const issuer = createTestIssuer();
    const other = createTestIssuer({ issuer: 'https://partner.test' });
    const server = await startTestServer(json(issuer.jwks));
    const before = onlineVerifier([publishedBy(issuer, server.origin)]);
    const token = await issuer.sign();
    await before.verify(token);
    await before.verify(token);

    const after = onlineVerifier([publishedBy(other, server.origin)]);
    expect(await rejectionOfToken(after, token)).toStrictEqual(invalidToken(UNTRUSTED));
  });
});

describe('createVerifiedTokens', () => {
  const keySet = {};

  function callerOf(subject: string): Caller {
    return { issuer: login.issuer, subject, scopes: [], claims: { exp: tomorrow } };
  }

  function tokensOf(options: VerifiedTokensOptions) {
    const tokens = createVerifiedTokens<undefined>(options);
    return {
      keep: (token: string, subject: string, at = now) =>
        tokens.keep(
          digestToken(token),
          { caller: callerOf(subject), issuer: undefined, keySet },
          new Date(tomorrow * 1000),
          at,
        ),
      knows: (token: string, at = now) => tokens.find(digestToken(token), at) !== undefined,
    };
  }

  it('keeps at most maxTokens tokens, the latest ones', () => {
    const { keep, knows } = tokensOf({ maxTokens: 100, maxTokensPerCaller: 100 });
    const names = Array.from({ length: 1_000 }, (_, index) => `token-${index}`);
    for (const name of names) keep(name, name);
    const kept = names.filter((name) => knows(name));
    expect(kept).toStrictEqual(names.slice(-kept.length));
    expect(kept.length).toBeGreaterThan(50);
    expect(kept.length).toBeLessThanOrEqual(100);
  });

  it('does not let one caller with many valid tokens displace those of others', () => {
    const { keep, knows } = tokensOf({ maxTokens: 1_000 });
    const others = Array.from({ length: 300 }, (_, index) => `other-${index}`);
    for (const name of others) keep(name, name);
    const flood = Array.from({ length: 10_000 }, (_, index) => `flood-${index}`);
    for (const name of flood) keep(name, 'mallory');
    expect(others.filter((name) => knows(name))).toStrictEqual(others);
    expect(flood.filter((name) => knows(name)).length).toBeLessThanOrEqual(10);
  });

  it('gives a caller its full share again every five minutes', () => {
    const { keep, knows } = tokensOf({ maxTokens: 1_000 });
    for (let round = 0; round < 20; round++) {
      const at = new Date(now.getTime() + round * MAX_AGE_MS);
      for (let index = 0; index < 10; index++) keep(`${round}-${index}`, 'alice', at);
      expect(knows(`${round}-0`, at)).toBe(true);
    }
  });

  it('counts the same token only once for its caller', () => {
    const { keep, knows } = tokensOf({ maxTokens: 400, maxTokensPerCaller: 4 });
    for (let time = 0; time < 10; time++) keep('one', 'alice');
    keep('another', 'alice');
    expect([knows('one'), knows('another')]).toStrictEqual([true, true]);
  });

  /** Claims that fit into a token of 12 KiB and take the most memory. */
  const WORST: readonly (readonly [string, () => unknown])[] = [
    ['empty lists', () => JSON.parse(`[${Array(4_000).fill('[]').join()}]`)],
    ['nested objects', () => JSON.parse(`[${Array(1_500).fill('{"a":{}}').join()}]`)],
    [
      'short texts',
      () => JSON.parse(`[${Array.from({ length: 2_000 }, (_, index) => `"${index}"`).join()}]`),
    ],
    ['200 groups', () => Array.from({ length: 200 }, () => crypto.randomUUID())],
    ['names', () => JSON.parse(`{${Array.from({ length: 1_200 }, (_, index) => `"n${index}":1`).join()}}`)],
  ];

  it.each(WORST)('limits the total memory of tokens with %s', (_, groups) => {
    const maxTokens = 600;
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const tokens = createVerifiedTokens<undefined>({ maxTokens, maxTokensPerCaller: maxTokens });
    const isKnown = (index: number) => tokens.find(digestToken(`token-${index}`), now) !== undefined;
    let last = 0;
    // Add tokens until both generations are full and the first token is dropped.
    for (; last === 0 || isKnown(0); last++) {
      const caller = {
        issuer: login.issuer,
        subject: `caller-${last}`,
        scopes: [],
        claims: { groups: groups() },
      };
      const digest = digestToken(`token-${last}`);
      tokens.keep(digest, { caller, issuer: undefined, keySet }, new Date(tomorrow * 1000), now);
    }
    collectGarbage();
    const bytes = process.memoryUsage().heapUsed - before;
    expect(isKnown(last - 1)).toBe(true);
    expect(bytes).toBeLessThan(maxTokens * 2_048);
  });
});
