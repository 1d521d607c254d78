import type { ErrorCode } from '../../errors.ts';

/** One answer. No field holds anything that a caller can choose. */
export type Answered = {
  /** `other` where no route took the request. */
  readonly method: string;
  /** The pattern of a route; `none` where there was none. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
};

/** What came of one request for an upload. `rule` is missing where no rule came close. */
export type Decided = {
  readonly outcome: 'granted' | 'limited' | 'denied';
  readonly rule?: string | undefined;
  /** The stable codes of a denial. */
  readonly reasons: readonly string[];
};

/** Whoever counts what the service does. Its functions return at once and never throw. */
export type Observer = {
  answered(answer: Answered): void;
  decided(decision: Decided): void;
  /** A request that was rejected for anything but a denial by the policy. */
  rejected(code: Exclude<ErrorCode, 'policy_denied'>): void;
};
