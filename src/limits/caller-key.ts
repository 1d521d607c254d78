import type { LimitedUpload } from '../grants/ports/limiter.ts';

/**
 * Identifies one caller under one rule. The text is not hashed, so keep it in memory only.
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
