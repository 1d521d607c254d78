import type { ErrorCode } from '../../errors.ts';

/** A response that was sent. A caller cannot choose the value of any field. */
export type SentResponse = {
  /** `other` if no route accepts the request. */
  readonly method: string;
  /** The pattern of a route; `none` if no route accepts the request. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
};

/**
 * The outcome of one upload request. `rule` is missing if no rule is close to the request.
 */
export type Decided = {
  /**
   * `exists` and `error`: the storage did not begin a multipart upload that the policy allows.
   * `exists` without a reason: git-lfs need not send the object.
   */
  readonly outcome: 'granted' | 'limited' | 'denied' | 'exists' | 'error';
  readonly rule?: string | undefined;
  /** The stable codes of a denial or an error, or the limit that was reached. */
  readonly reasons: readonly string[];
};

/** The end of a call about an upload that was granted before. */
export type Completed = {
  readonly outcome:
    | ('stored' | 'absent' | 'mismatch')
    // Stored as well, but the receiver of the rule was not notified.
    | 'not_notified'
    // Of multipart uploads only.
    | ('granted' | 'open' | 'incomplete' | 'exists' | 'aborted')
    | ('invalid' | 'expired' | 'error')
    // Of callbacks only.
    | 'unauthenticated';
  /** The rule of the upload; missing for an id that the caller may not use. */
  readonly rule?: string | undefined;
};

/** Keys of a request for downloads with the same outcome under the same rule. */
export type DecidedKeys = {
  readonly outcome: 'granted' | 'limited' | 'denied';
  /** Missing if no rule is close to the keys. */
  readonly rule?: string | undefined;
  readonly count: number;
};

/** Counts what the service does. Its functions return at once and never throw. */
export type Observer = {
  responded(response: SentResponse): void;
  decided(decision: Decided): void;
  completed(completion: Completed): void;
  decidedKeys(keys: readonly DecidedKeys[]): void;
  /** Counts a request that was rejected for any reason except a denial by the policy. */
  rejected(code: Exclude<ErrorCode, 'policy_denied'>): void;
};
