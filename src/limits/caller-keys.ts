import { hash } from 'node:crypto';
import type { LimitedUpload, Limits } from '../grants/ports/limiter.ts';
import { nameCaller } from './name-caller.ts';

/** Under which keys the windows of one caller are stored. */
export type CallerKeys = Readonly<Record<keyof Limits, string>>;

/** About 0.4 kB each. */
const MAX_CALLERS = 20_000;

/**
 * Makes the keys of a caller, and remembers those of the last `maxCallers` or at least half as many: a SHA-256 per upload
 * would cost more than all else that is done here.
 *
 * `oss-presign:{<hash>}:<bound>` tells nobody who it is: subjects are often e-mail addresses, which have no business in a
 * shared store or its dumps. The braces put both keys of a caller into one slot of a cluster.
 */
export function createCallerKeys(maxCallers = MAX_CALLERS): (upload: LimitedUpload) => CallerKeys {
  let young = new Map<string, CallerKeys>();
  let old = young;

  return (upload) => {
    const name = nameCaller(upload);
    const known = young.get(name);
    if (known) return known;
    const keys = old.get(name) ?? keysOf(hashCaller(upload));
    if (young.size >= maxCallers / 2) {
      old = young;
      young = new Map();
    }
    young.set(name, keys);
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
