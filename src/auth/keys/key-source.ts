import type { ParsedToken } from '../parse-token.ts';
import type { VerificationKey } from './verification-key.ts';

export type KeysStatus = {
  readonly keysLoaded: boolean;
  /** When the keys that are in use were fetched; absent where they are given. */
  readonly fetchedAt?: Date;
  /** Why the last attempt to fetch them failed, where it did; without any address or secret. */
  readonly lastError?: string;
};

/**
 * The keys of one issuer.
 *
 * `find` answers with the keys that may have signed a token with this header; an empty list when the issuer has no such
 * key. It answers at once where nothing has to be fetched or imported for it, so that most tokens wait for nothing. It
 * rejects with ServiceError `unavailable` when that cannot be known because the keys cannot be fetched.
 * `load` fetches the keys when that is due; it never rejects. `keySet` stands for all keys of this moment: another object once
 * any of them has changed or gone, the same one for as long as none has; undefined while there are none, and while fetching
 * them is due. `keySet` and `status` never throw and start no network.
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
