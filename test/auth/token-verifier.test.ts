import { describe, expect, it } from 'vitest';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { forgeToken, hmacSigner } from '../support/forge-token.ts';
import { createTestIssuer, defaultClaims, nowSeconds } from '../support/tokens.ts';
import {
  invalidToken,
  noFetch,
  rejectionOfToken,
  sharedSecret,
  UNTRUSTED,
  verifierOf,
  WRONG_SIGNATURE,
  withPublishedKeys,
} from './offline-verifier.ts';

describe('a verified token', () => {
  it.each(['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'] as const)(
    'identifies its caller with %s',
    async (algorithm) => {
      const issuer = createTestIssuer({ algorithm });

      expect(await verifierOf(issuer.config).verify(await issuer.sign({ role: 'member' }))).toStrictEqual({
        issuer: 'https://login.test/',
        subject: 'alice',
        scopes: ['uploads:write'],
        claims: { ...defaultClaims('https://login.test/'), role: 'member' },
      });
    },
  );

  it('identifies its caller with a shared secret', async () => {
    const secret = Buffer.alloc(32, 's');
    const claims = defaultClaims('internal');
    const token = forgeToken({ alg: 'HS256', typ: 'JWT' }, claims, hmacSigner(secret));

    expect(await verifierOf(sharedSecret(secret)).verify(token)).toStrictEqual({
      issuer: 'internal',
      subject: 'alice',
      scopes: ['uploads:write'],
      claims,
    });
  });

  it('may come from any issuer, each with its own keys and audience', async () => {
    const first = createTestIssuer();
    const second = createTestIssuer({ issuer: 'https://partner.test' });
    const verifier = verifierOf(first.config, { ...second.config, audience: ['partner', 'uploads'] });

    expect((await verifier.verify(await first.sign())).issuer).toBe('https://login.test/');
    expect((await verifier.verify(await second.sign({ aud: ['partner'] }))).issuer).toBe(
      'https://partner.test',
    );
  });

  it('may omit its kid, and is then tried with every matching key', async () => {
    const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
    const token = await current.sign({}, { kid: undefined });
    const verifier = verifierOf(withPublishedKeys(current, [...old.jwks.keys, ...current.jwks.keys]));

    expect((await verifier.verify(token)).subject).toBe('alice');
  });

  it('may contain a certificate, which is ignored', async () => {
    const issuer = createTestIssuer();

    expect((await verifierOf(issuer.config).verify(await issuer.sign({}, { x5c: ['AAAA'] }))).subject).toBe(
      'alice',
    );
  });

  it('is checked against the injected clock only', async () => {
    const issuer = createTestIssuer();
    const later = new Date((nowSeconds + 630) * 1000);
    const verifier = createTokenVerifier({
      issuers: [issuer.config],
      clock: () => later,
      keySources: createKeySources({ clock: () => later, fetch: noFetch }),
    });

    expect(await rejectionOfToken(verifier, await issuer.sign())).toStrictEqual(
      invalidToken('The token expired at 2026-11-23T10:10:00Z.'),
    );
  });
});

describe('tokens of several issuers', () => {
  it('are verified with the keys of their own issuer only', async () => {
    const login = createTestIssuer();
    const partner = createTestIssuer({ issuer: 'https://partner.test' });
    const verifier = verifierOf(login.config, partner.config);

    expect(await rejectionOfToken(verifier, await partner.sign({ iss: login.issuer }))).toStrictEqual(
      invalidToken(WRONG_SIGNATURE),
    );
  });

  it('must have the audience of their own issuer', async () => {
    const login = createTestIssuer();
    const partner = createTestIssuer({ issuer: 'https://partner.test' });
    const verifier = verifierOf(login.config, { ...partner.config, audience: 'partner' });

    expect(await rejectionOfToken(verifier, await partner.sign({ aud: 'uploads' }))).toStrictEqual(
      invalidToken('The token is for another audience: its `aud` claim must contain partner.'),
    );
  });

  it('must have an algorithm of their own issuer', async () => {
    const login = createTestIssuer();
    const secret = Buffer.alloc(32, 's');
    const verifier = verifierOf(login.config, sharedSecret(secret));
    const token = forgeToken({ alg: 'HS256' }, defaultClaims(login.issuer), hmacSigner(secret));

    expect(await rejectionOfToken(verifier, token)).toStrictEqual(
      invalidToken("The token's algorithm (`alg` header) must be ES256."),
    );
  });
});

describe('createTokenVerifier', () => {
  it('rejects an issuer that is configured twice', () => {
    const { config } = createTestIssuer();

    expect(() => verifierOf(config, config)).toThrow(
      new TypeError('The issuer "https://login.test/" is configured twice.'),
    );
  });

  it('rejects an invalid key set', () => {
    const { config } = createTestIssuer();
    const jwks = { keys: 'none' } as unknown as { keys: object[] };

    expect(() => verifierOf({ ...config, keys: { kind: 'jwks', jwks } })).toThrow(
      new TypeError('This is not a JSON Web Key Set.'),
    );
  });

  it('has configured keys loaded from the start and preloads nothing', async () => {
    const verifier = verifierOf(createTestIssuer().config, sharedSecret(Buffer.alloc(32, 's')));
    await verifier.preload();

    expect(verifier.status()).toStrictEqual([
      { issuer: 'https://login.test/', keysLoaded: true },
      { issuer: 'internal', keysLoaded: true },
    ]);
  });

  it('accepts no token if it has no issuers', async () => {
    const issuer = createTestIssuer();

    expect(await rejectionOfToken(verifierOf(), await issuer.sign())).toStrictEqual(invalidToken(UNTRUSTED));
  });
});
