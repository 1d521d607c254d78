import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** Key pairs by name and length. An RSA key takes up to a second to make, and nothing changes one. */
const pairs = new Map<string, { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>();

/**
 * The RSA key pair of this name, the same in all tests of a worker. Pairs of different names or
 * lengths are different.
 */
export function rsaPair(
  name: string,
  modulusLength = 2048,
): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  const address = `${name} ${modulusLength}`;
  const pair = pairs.get(address) ?? generateKeyPairSync('rsa', { modulusLength });
  pairs.set(address, pair);
  return pair;
}
