import type { Caller } from '../auth/caller.ts';
import type { Clock } from '../clock.ts';
import type { Decision, Denial, Grant } from '../policy/decision.ts';
import type { Policy } from '../policy/policy.ts';
import type { Signing } from '../storage/object-storage.ts';
import type { CredentialsSource } from './ports/credentials-source.ts';
import type { Limiter, LimitVerdict } from './ports/limiter.ts';
import type { PreparedStorage } from './prepared-storage.ts';
import { startSigning, usableCredentials, type Validity } from './signing.ts';

/** A verified caller, and the policy and storage that apply to its request. */
export type CallerContext = {
  readonly caller: Caller;
  readonly policy: Policy;
  readonly storage: PreparedStorage;
};

export type GrantDependencies = {
  readonly credentials: Pick<CredentialsSource, 'get'>;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /**
   * Called when the policy allows the request, before the request is counted against limits. Throws
   * to reject it.
   */
  readonly beforeGrant?: () => void;
};

/** The part of a request that every kind of grant has. */
export type GrantRequest<Response, Granted extends Grant = Grant> = {
  readonly caller: Caller;
  readonly decision: Decision<Granted>;
  /** Counted against `bytesPerDay`. */
  readonly bytes: number;
  /** Seconds, if the request names them. */
  readonly expiresIn: number | undefined;
  readonly sign: (grant: Granted, signing: Signing, validity: Validity) => Response;
};

export type GrantOutcome<Response, Granted extends Grant = Grant> =
  | {
      readonly outcome: 'granted';
      readonly rule: string;
      readonly grant: Granted;
      readonly response: Response;
      /** Undefined if the rule has no limits. */
      readonly verdict: LimitVerdict | undefined;
    }
  | { readonly outcome: 'limited'; readonly grant: Grant; readonly verdict: LimitVerdict }
  | ({ readonly outcome: 'denied' } & Omit<Denial, 'allowed'>);

/**
 * Takes the steps that every kind of grant has: decide by the policy, get credentials, count
 * against limits, sign. A denial is a value. Only getting credentials can fail.
 * @throws ServiceError `unavailable` if there are no credentials, or they have less than 30 s left.
 */
export async function issueGrant<Response, Granted extends Grant>(
  { credentials, limiter, clock, beforeGrant }: GrantDependencies,
  { caller, decision, bytes, expiresIn, sign }: GrantRequest<Response, Granted>,
): Promise<GrantOutcome<Response, Granted>> {
  if (!decision.allowed) {
    const { allowed: _, ...denied } = decision;
    return { outcome: 'denied', ...denied };
  }
  beforeGrant?.();
  const { grant } = decision;
  const { rule } = grant;
  const current = await usableCredentials({ credentials, clock });
  const verdict = await limiter.consume({
    rule: rule.name,
    issuer: caller.issuer,
    subject: caller.subject,
    bytes,
    limits: rule.limits,
  });
  if (verdict && !verdict.allowed) return { outcome: 'limited', grant, verdict };

  const { signing, validity } = startSigning(current, clock(), expiresIn, rule.expiresIn.defaultSeconds);
  const response = sign(grant, signing, validity);
  return { outcome: 'granted', rule: rule.name, grant, response, verdict };
}
