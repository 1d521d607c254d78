import { createSecretKey, type KeyObject } from 'node:crypto';
import { deriveSigningKey, type Scope } from './signature.ts';

type Kept = { readonly accessKeySecret: string; readonly date: string; readonly key: KeyObject };

/** More than OSS has regions. */
const MAX_KEPT = 64;

/** By region and product the key that was last asked for; that of another day or secret takes its place. */
const kept = new Map<string, Kept>();

/**
 * What {@link deriveSigningKey} gives for the same arguments, kept: four HMACs and the making of a key take many times as long
 * as the signature.
 */
export function signingKey(accessKeySecret: string, scope: Scope): KeyObject {
  const { date, region, product } = scope;
  const place = `${region}/${product}`;
  const known = kept.get(place);
  if (known && known.date === date && known.accessKeySecret === accessKeySecret) return known.key;
  const key = createSecretKey(deriveSigningKey(accessKeySecret, scope));
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(place, { accessKeySecret, date, key });
  return key;
}
