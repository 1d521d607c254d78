import { generateKeyPairSync } from 'node:crypto';
import type { ServiceKeys } from '../../src/grants/ports/service-keys.ts';
import { toServiceKeys } from '../../src/service-keys/parse-service-keys.ts';
import type { PrivateJwk } from '../../src/service-keys/service-key.ts';

/** The text of a JWK set with a new P-256 private key for each `kid`. */
export function serviceKeysFile(...kids: readonly string[]): string {
  return JSON.stringify({ keys: kids.map((kid) => ({ ...newPrivateJwk(), kid })) });
}

/** Service keys with a new key for each `kid`; the first one signs. */
export function serviceKeysOf(...kids: readonly string[]): ServiceKeys {
  return toServiceKeys(kids.map((kid) => ({ kid, jwk: newPrivateJwk() })));
}

export function newPrivateJwk(): PrivateJwk {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  }) as PrivateJwk;
}
