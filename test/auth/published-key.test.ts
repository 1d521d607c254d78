import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { forgeToken, hmacSigner, rsaSigner } from '../support/forge-token.ts';
import { createTestIssuer, defaultClaims, type TestIssuer } from '../support/tokens.ts';
import {
  invalidToken,
  rejectionOfToken,
  UNKNOWN_KEY,
  verifierOf,
  WRONG_SIGNATURE,
  withPublishedKeys,
} from './offline-verifier.ts';

describe('a published key', () => {
  let login: TestIssuer;
  beforeAll(() => {
    login = createTestIssuer();
  });
  const header = { alg: 'ES256', kid: 'key-1' };

  it.each<[string, (key: Record<string, unknown>) => Record<string, unknown>]>([
    ['for encryption', (key) => ({ ...key, use: 'enc' })],
    ['for another algorithm', (key) => ({ ...key, alg: 'ECDH-ES' })],
    ['whose operations do not include verify', (key) => ({ ...key, key_ops: ['deriveBits'] })],
    ['of another curve', (key) => ({ ...key, crv: 'P-384' })],
    ['of another type', (key) => ({ ...key, kty: 'RSA' })],
    ['that is not on its curve', (key) => ({ ...key, x: key.y })],
    ['without one of its coordinates', ({ y, ...key }) => key],
    ['together with its private key', (key) => ({ ...key, ...login.privateKey.export({ format: 'jwk' }) })],
  ])('%s verifies nothing', async (_, change) => {
    const verifier = verifierOf(withPublishedKeys(login, login.jwks.keys.map(change)));

    expect(await rejectionOfToken(verifier, await login.sign())).toStrictEqual(invalidToken(UNKNOWN_KEY));
  });

  it('that is symmetric verifies nothing', async () => {
    const secret = Buffer.alloc(32, 's');
    const oct = { kty: 'oct', kid: 'key-1', k: secret.toString('base64url') };
    const verifier = verifierOf(withPublishedKeys(login, [oct]));
    const forge = (alg: string) =>
      forgeToken({ ...header, alg }, defaultClaims(login.issuer), hmacSigner(secret));

    expect(await rejectionOfToken(verifier, forge('ES256'))).toStrictEqual(invalidToken(UNKNOWN_KEY));
    expect(await rejectionOfToken(verifier, forge('HS256'))).toStrictEqual(
      invalidToken("The token's algorithm (`alg` header) must be ES256."),
    );
  });

  it('of RSA with less than 2048 bits verifies nothing', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1' };
    const verifier = verifierOf({ ...withPublishedKeys(login, [jwk]), algorithms: ['RS256'] });
    const token = forgeToken({ ...header, alg: 'RS256' }, defaultClaims(login.issuer), rsaSigner(privateKey));

    expect(await rejectionOfToken(verifier, token)).toStrictEqual(invalidToken(WRONG_SIGNATURE));
  });

  it('that is invalid does not hide a valid one', async () => {
    const invalid = login.jwks.keys.map(({ kid, ...key }) => ({ ...key, x: 'AA' }));
    const verifier = verifierOf(withPublishedKeys(login, [...invalid, ...login.jwks.keys]));

    expect((await verifier.verify(await login.sign({}, { kid: undefined }))).subject).toBe('alice');
  });

  it('is one of at most eight keys that are tried for a token without kid', async () => {
    const token = await login.sign({}, { kid: undefined });
    const others = createTestIssuer().jwks.keys;
    const among = (count: number) =>
      verifierOf(withPublishedKeys(login, [...Array(count).fill(others).flat(), ...login.jwks.keys]));

    expect((await among(7).verify(token)).subject).toBe('alice');
    expect(await rejectionOfToken(among(8), token)).toStrictEqual(invalidToken(WRONG_SIGNATURE));
  });
});
