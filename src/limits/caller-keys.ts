import { hash } from 'node:crypto';
import { createGenerationalMap } from '../generational-map.ts';
import type { LimitedUpload, Limits } from '../grants/ports/limiter.ts';
import { nameCaller } from './name-caller.ts';

/** Under which keys the windows of one caller are stored. */
export type CallerKeys = Readonly<Record<keyof Limits, string>>;

/** About 0.4 kB each. */
const MAX_CALLERS = 20_000;

/**
 * Makes the keys of a caller, and caches them for at most `maxCallers` callers.
 *
 * Without the cache, the SHA-256 would be the most expensive step of counting an upload. The key
 * `oss-presign:{<hash>}:<limit>` does not identify the caller: subjects are often e-mail addresses,
 * which do not belong into a shared store or its dumps. The braces put all keys of a caller into one
 * slot of a cluster.
 */
export function createCallerKeys(maxCallers = MAX_CALLERS): (upload: LimitedUpload) => CallerKeys {
  const cached = createGenerationalMap<CallerKeys>(maxCallers);

  return (upload) => {
    const name = nameCaller(upload);
    const known = cached.get(name);
    if (known) return known;
    const keys = keysOf(hashCaller(upload));
    cached.set(name, keys);
    return keys;
  };
}

/** The keys that belong to no caller, but to the service itself. */
export function keysOf(name: string): CallerKeys {
  return {
    requestsPerMinute: `oss-presign:{${name}}:requestsPerMinute`,
    bytesPerDay: `oss-presign:{${name}}:bytesPerDay`,
  };
}

/** SHA-256 in base64url, 43 characters. */
function hashCaller({ issuer, subject, rule }: LimitedUpload): string {
  // JSON quotes each part, so that no two different triples are written alike, and escapes what UTF-8 cannot tell apart.
  return hash('sha256', JSON.stringify([issuer, subject, rule]), 'base64url');
}
