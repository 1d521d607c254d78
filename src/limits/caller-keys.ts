import { hash } from 'node:crypto';
import { createGenerationalMap } from '../generational-map.ts';
import { LIMITS, type LimitedUpload } from '../grants/ports/limiter.ts';
import { callerKey } from './caller-key.ts';

/** The keys in Redis of a caller's windows, in the order of `LIMITS`. */
export type WindowKeys = readonly string[];

/** About 0.4 kB each. */
const MAX_CALLERS = 20_000;

/**
 * Creates a function that returns the keys of a caller, with a cache for `maxCallers` callers.
 *
 * Without the cache, the SHA-256 would be the most expensive step of counting an upload. The key
 * `oss-presign:{<hash>}:<limit>` does not identify the caller: subjects are often e-mail addresses,
 * which do not belong in a shared store or its dumps. The braces put all keys of a caller into one
 * slot of a cluster.
 */
export function createCallerKeys(maxCallers = MAX_CALLERS): (upload: LimitedUpload) => WindowKeys {
  const cached = createGenerationalMap<WindowKeys>(maxCallers);

  return (upload) => {
    const caller = callerKey(upload);
    const known = cached.get(caller);
    if (known) return known;
    const keys = windowKeys(hashCaller(upload));
    cached.set(caller, keys);
    return keys;
  };
}

/** The keys of the windows of a hashed caller, or of the service itself. */
export function windowKeys(owner: string): WindowKeys {
  return LIMITS.map(({ name }) => `oss-presign:{${owner}}:${name}`);
}

/** SHA-256 in base64url, 43 characters. */
function hashCaller({ issuer, subject, rule }: LimitedUpload): string {
  // JSON quotes each part, so different callers never get the same text. It also escapes lone
  // surrogates, which UTF-8 cannot represent.
  return hash('sha256', JSON.stringify([issuer, subject, rule]), 'base64url');
}
