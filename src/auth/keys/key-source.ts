import type { ParsedToken } from '../parse-token.ts';
import type { VerificationKey } from './verification-key.ts';

export type KeysStatus = {
  /** Whether there are keys that may verify tokens now. */
  readonly keysLoaded: boolean;
  /** True if the keys could not be refreshed for so long that they may no longer be used. */
  readonly keysTooOld?: true;
  /** When the keys were last fetched; absent for configured keys. */
  readonly fetchedAt?: Date;
  /** Why the last fetch failed, if it did: host and system error code, never a secret. */
  readonly lastError?: string;
};

/**
 * The verification keys of one issuer.
 *
 * `find` returns the keys that may have signed a token with this header; an empty list if the
 * issuer has no such key. It returns at once if nothing has to be fetched or imported. It rejects
 * with ServiceError `unavailable` while it cannot know: the keys cannot be fetched, are too old, or
 * were fetched too often for key IDs that the issuer does not have.
 *
 * `load` fetches the keys if that is due. It never rejects.
 *
 * `keySet` identifies the current keys: it returns the same object until a key is changed, added or
 * removed. It returns undefined if there are no keys, if they are too old, or if a fetch is due.
 * `keySet` and `status` never throw and do not use the network.
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

/**
 * Describes the keys for /readyz and `check`: `loaded`, or why they cannot be used or refreshed.
 */
export function describeKeys({ keysLoaded, keysTooOld, fetchedAt, lastError }: KeysStatus): string {
  const reason = lastError === undefined ? '' : `: ${lastError}`;
  if (keysTooOld && fetchedAt) return `too old, last fetched at ${fetchedAt.toISOString()}${reason}`;
  if (!keysLoaded) return `not loaded${reason}`;
  return lastError === undefined ? 'loaded' : `loaded, but not refreshed${reason}`;
}
