import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { ecSigner, forgeToken, hmacSigner } from '../support/forge-token.ts';
import { json, startTestServer } from '../support/test-server.ts';
import { createTestIssuer, defaultClaims } from '../support/tokens.ts';
import {
  invalidToken,
  rejectionOfToken,
  UNKNOWN_KEY,
  verifierOf,
  WRONG_SIGNATURE,
} from './offline-verifier.ts';
import { onlineVerifier } from './online-verifier.ts';

const login = createTestIssuer();
const [jwk] = login.jwks.keys;
const secret = Buffer.from('the secret of the migration, 0123456789');
const config: IssuerConfig = { ...login.config, algorithms: ['ES256', 'HS256'], secret };
const claims = defaultClaims(login.issuer);
const signedWithSecret = forgeToken({ alg: 'HS256' }, claims, hmacSigner(secret));

describe('an issuer with a secret next to published keys', () => {
  it('verifies the tokens of both', async () => {
    const verifier = verifierOf(config);
    expect((await verifier.verify(signedWithSecret)).subject).toBe('alice');
    expect((await verifier.verify(await login.sign({ sub: 'bob' }))).subject).toBe('bob');
    // The key ID of a published key has no effect on a token signed with the secret.
    expect(
      (await verifier.verify(forgeToken({ alg: 'HS256', kid: 'key-1' }, claims, hmacSigner(secret)))).subject,
    ).toBe('alice');
  });

  const publicKey = createPublicKey({ key: jwk ?? {}, format: 'jwk' });
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  const forms: readonly (readonly [string, string | Uint8Array])[] = [
    ['in PEM', pem],
    ['in PEM without its last line break', pem.trim()],
    ['in PEM with the line breaks of Windows', pem.replaceAll('\n', '\r\n')],
    ['in PEM without header and line breaks', pem.replace(/-----[^-]+-----|\n/g, '')],
    ['in DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['as JWK', JSON.stringify(jwk)],
    ['as JWK without kid, alg and use', JSON.stringify(publicKey.export({ format: 'jwk' }))],
    ['as JWKS', JSON.stringify(login.jwks)],
    ['as its x coordinate', Buffer.from(String(jwk?.x), 'base64url')],
    ['as its x coordinate in base64url', String(jwk?.x)],
    [
      'as an uncompressed point',
      Buffer.concat([
        Buffer.from([4]),
        Buffer.from(String(jwk?.x), 'base64url'),
        Buffer.from(String(jwk?.y), 'base64url'),
      ]),
    ],
    ['as nothing', ''],
  ];

  it.each(forms)('rejects a token with HS256 whose secret is the public key %s', async (_, form) => {
    for (const header of [{ alg: 'HS256' }, { alg: 'HS256', kid: 'key-1' }])
      expect(
        await rejectionOfToken(verifierOf(config), forgeToken(header, claims, hmacSigner(form))),
      ).toStrictEqual(invalidToken(WRONG_SIGNATURE));
  });

  it.each(forms)('rejects a token with ES256 that is an HMAC with the public key %s', async (_, form) => {
    expect(
      await rejectionOfToken(
        verifierOf(config),
        forgeToken({ alg: 'ES256', kid: 'key-1' }, claims, hmacSigner(form)),
      ),
    ).toStrictEqual(invalidToken(WRONG_SIGNATURE));
  });

  it.each([
    [
      'the secret, declared as ES256',
      forgeToken({ alg: 'ES256', kid: 'key-1' }, claims, hmacSigner(secret)),
      WRONG_SIGNATURE,
    ],
    [
      'the secret, declared as ES256, with another key ID',
      forgeToken({ alg: 'ES256', kid: 'k' }, claims, hmacSigner(secret)),
      UNKNOWN_KEY,
    ],
    [
      'the published key, declared as HS256',
      forgeToken({ alg: 'HS256' }, claims, ecSigner(login.privateKey)),
      WRONG_SIGNATURE,
    ],
    [
      'the secret and a longer hash',
      forgeToken({ alg: 'HS512' }, claims, hmacSigner(secret, 'sha512')),
      "The token's algorithm (`alg` header) must be ES256 or HS256.",
    ],
  ])('rejects a token signed with %s', async (_, token, detail) => {
    expect(await rejectionOfToken(verifierOf(config), token)).toStrictEqual(invalidToken(detail));
  });

  it('does not use a published symmetric key as the secret', async () => {
    const k = Buffer.from('a published key is no secret: 0123456789');
    const oct = { kty: 'oct', kid: 'oct', alg: 'HS256', k: k.toString('base64url') };
    const withOct = { ...config, keys: { kind: 'jwks', jwks: { keys: [...login.jwks.keys, oct] } } } as const;
    for (const header of [{ alg: 'HS256' }, { alg: 'HS256', kid: 'oct' }])
      expect(
        await rejectionOfToken(verifierOf(withOct), forgeToken(header, claims, hmacSigner(k))),
      ).toStrictEqual(invalidToken(WRONG_SIGNATURE));
  });

  it('verifies tokens with the secret while its published keys cannot be fetched', async () => {
    const server = await startTestServer(json({}, 500));
    const verifier = onlineVerifier([{ ...config, keys: { kind: 'jwksUrl', url: `${server.origin}/jwks` } }]);
    expect((await verifier.verify(signedWithSecret)).subject).toBe('alice');
    expect(server.requests).toStrictEqual([]);
    expect((await rejectionOfToken(verifier, await login.sign())).code).toBe('unavailable');
    expect((await verifier.verify(signedWithSecret)).subject).toBe('alice');
  });
});
