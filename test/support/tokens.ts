import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { now } from './fixed-clock.ts';

/** The frozen instant, in seconds since 1970, as tokens count. */
export const nowSeconds = now.getTime() / 1000;

const keyPairs = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

export type TestIssuer = {
  readonly issuer: string;
  /** The public half, as an issuer publishes it. */
  readonly jwks: { readonly keys: readonly (Readonly<Record<string, unknown>> & { readonly kid: string })[] };
  readonly privateKey: KeyObject;
  /** The configuration with which a token verifier accepts this issuer. */
  readonly config: IssuerConfig;
  /** A token that is valid at the frozen instant; a claim or header parameter of `undefined` is left out. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
};

/** An issuer of tokens with a new key pair. ES256 by default, since RSA keys take long to make. */
export function createTestIssuer({
  issuer = 'https://login.test/',
  algorithm = 'ES256',
  kid = 'key-1',
}: {
  readonly issuer?: string;
  readonly algorithm?: keyof typeof keyPairs;
  readonly kid?: string;
} = {}): TestIssuer {
  const { publicKey, privateKey } = keyPairs[algorithm]();
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' }] };
  return {
    issuer,
    jwks,
    privateKey,
    config: { issuer, audience: 'uploads', algorithms: [algorithm], keys: { kind: 'jwks', jwks } },
    sign: (claims = {}, header = {}) =>
      new SignJWT({ ...defaultClaims(issuer), ...claims })
        .setProtectedHeader({ alg: algorithm, kid, typ: 'JWT', ...header } as JWTHeaderParameters)
        .sign(privateKey),
  };
}

/** The claims of a token that `alice` may use for ten minutes from the frozen instant. */
export function defaultClaims(issuer: string): Readonly<Record<string, unknown>> {
  return { iss: issuer, aud: 'uploads', sub: 'alice', scope: 'uploads:write', exp: nowSeconds + 600 };
}
