import type { LimitedUpload } from '../grants/ports/limiter.ts';

/**
 * Identifies one caller under one rule, in plain text: for the memory of this process only.
 *
 * The two lengths make the text unambiguous, whatever characters issuer, subject and rule contain.
 */
export function callerKey({
  issuer,
  subject,
  rule,
}: Pick<LimitedUpload, 'issuer' | 'subject' | 'rule'>): string {
  return `${issuer.length} ${rule.length} ${issuer}${rule}${subject}`;
}
