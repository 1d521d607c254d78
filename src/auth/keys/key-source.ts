import type { ParsedToken } from '../parse-token.ts';
import type { VerificationKey } from './verification-key.ts';

export type KeysStatus = {
  /** Whether there are keys that verify tokens now. */
  readonly keysLoaded: boolean;
  /** True when there are keys that could not be refreshed for so long that they do not verify any more. */
  readonly keysTooOld?: true;
  /** When the keys were last fetched; absent if they are given. */
  readonly fetchedAt?: Date;
  /** Why the last attempt to fetch them failed, if it did. It names the host and the system's code, never a secret. */
  readonly lastError?: string;
};

/**
 * The verification keys of one issuer.
 *
 * `find` returns the keys that may have signed a token with this header; an empty list when the issuer has no such key. It
 * returns at once if nothing has to be fetched or imported, so that most tokens wait for nothing. It rejects with ServiceError
 * `unavailable` while that cannot be known: the keys cannot be fetched, are too old, or were fetched too often already for key
 * IDs that the issuer did not have.
 * `load` fetches the keys when that is due; it never rejects. `keySet` stands for all keys of this moment: another object once
 * any of them has changed or gone, the same one as long as none has; undefined while there are none, while they are too old and
 * while fetching them is due. `keySet` and `status` never throw and start no network.
 */
export type KeySource = {
  find(
    header: ParsedToken['header'],
    now: Date,
  ): readonly VerificationKey[] | Promise<readonly VerificationKey[]>;
  load(): Promise<void>;
  keySet(now: Date): object | undefined;
  status(): KeysStatus;
};

/** One sentence part for /readyz and `check`: `loaded`, or why there are no usable keys. */
export function describeKeys({ keysLoaded, keysTooOld, fetchedAt, lastError }: KeysStatus): string {
  const reason = lastError === undefined ? '' : `: ${lastError}`;
  if (keysTooOld && fetchedAt) return `too old, last fetched at ${fetchedAt.toISOString()}${reason}`;
  if (!keysLoaded) return `not loaded${reason}`;
  return lastError === undefined ? 'loaded' : `loaded, but not refreshed${reason}`;
}
