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
    'proves its caller with %s',
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

  it('proves its caller with a shared secret', async () => {
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

  it('may come from any of the issuers, each with its own keys and audience', async () => {
    const first = createTestIssuer();
    const second = createTestIssuer({ issuer: 'https://partner.test' });
    const verifier = verifierOf(first.config, { ...second.config, audience: ['partner', 'uploads'] });

    expect((await verifier.verify(await first.sign())).issuer).toBe('https://login.test/');
    expect((await verifier.verify(await second.sign({ aud: ['partner'] }))).issuer).toBe(
      'https://partner.test',
    );
  });

  it('may leave its kid out, and is tried with every key that fits', async () => {
    const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
    const token = await current.sign({}, { kid: undefined });
    const verifier = verifierOf(withPublishedKeys(current, [...old.jwks.keys, ...current.jwks.keys]));

    expect((await verifier.verify(token)).subject).toBe('alice');
  });

  it('is verified although a certificate of its own hangs on it, which nobody reads', async () => {
    const issuer = createTestIssuer();

    expect((await verifierOf(issuer.config).verify(await issuer.sign({}, { x5c: ['AAAA'] }))).subject).toBe(
      'alice',
    );
  });

  it('is judged by the injected clock alone', async () => {
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

  it('are held to the audience of their own issuer only', async () => {
    const login = createTestIssuer();
    const partner = createTestIssuer({ issuer: 'https://partner.test' });
    const verifier = verifierOf(login.config, { ...partner.config, audience: 'partner' });

    expect(await rejectionOfToken(verifier, await partner.sign({ aud: 'uploads' }))).toStrictEqual(
      invalidToken('The token is for another audience: its `aud` claim must contain partner.'),
    );
  });

  it('are held to the algorithms of their own issuer only', async () => {
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
  it('refuses an issuer that is configured twice', () => {
    const { config } = createTestIssuer();

    expect(() => verifierOf(config, config)).toThrow(
      new TypeError('The issuer "https://login.test/" is configured twice.'),
    );
  });

  it('refuses a key set that is none', () => {
    const { config } = createTestIssuer();
    const jwks = { keys: 'none' } as unknown as { keys: object[] };

    expect(() => verifierOf({ ...config, keys: { kind: 'jwks', jwks } })).toThrow(
      new TypeError('This is not a JSON Web Key Set.'),
    );
  });

  it('has given keys loaded from the start and preloads nothing', async () => {
    const verifier = verifierOf(createTestIssuer().config, sharedSecret(Buffer.alloc(32, 's')));
    await verifier.preload();

    expect(verifier.status()).toStrictEqual([
      { issuer: 'https://login.test/', keysLoaded: true },
      { issuer: 'internal', keysLoaded: true },
    ]);
  });

  it('trusts nobody when it has no issuers', async () => {
    const issuer = createTestIssuer();

    expect(await rejectionOfToken(verifierOf(), await issuer.sign())).toStrictEqual(invalidToken(UNTRUSTED));
  });
});
