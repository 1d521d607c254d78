import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';

export const ALGORITHMS = ['RS256', 'ES256', 'HS256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
export const AUDIENCE = 'uploads';

export type BenchKeys = {
  readonly RS256: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly ES256: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** 64 printable characters. */
  readonly secret: string;
};

export function makeKeys(): BenchKeys {
  return {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    secret: randomBytes(32).toString('hex'),
  };
}

export const issuerOf = (algorithm: Algorithm) => `https://${algorithm.toLowerCase()}.example.com/`;
export const subjectOf = (caller: number) => `caller-${String(caller).padStart(6, '0')}`;

/** One token per caller, from 0 to count - 1, valid for 1 h. */
export async function makeTokens(
  keys: BenchKeys,
  algorithm: Algorithm,
  count: number,
): Promise<readonly string[]> {
  const key = algorithm === 'HS256' ? Buffer.from(keys.secret) : keys[algorithm].privateKey;
  return await Promise.all(
    Array.from({ length: count }, (_, caller) =>
      new SignJWT({ scope: 'openid uploads:write', role: 'member' })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid: algorithm })
        .setIssuer(issuerOf(algorithm))
        .setAudience(AUDIENCE)
        .setSubject(subjectOf(caller))
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(key),
    ),
  );
}
