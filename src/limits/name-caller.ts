import type { LimitedUpload } from '../grants/ports/limiter.ts';

/**
 * Names one caller under one rule, in the clear: for the memory of this process only. The two lengths say where each part
 * ends, so that no two different triples are named alike, whatever characters they hold.
 */
export function nameCaller({
  issuer,
  subject,
  rule,
}: Pick<LimitedUpload, 'issuer' | 'subject' | 'rule'>): string {
  return `${issuer.length} ${rule.length} ${issuer}${rule}${subject}`;
}
