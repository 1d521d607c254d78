import type { Caller } from '../auth/caller.ts';

/** The longest issuer and subject of a caller with an upload id, in bytes of UTF-8 each. */
const MAX_IDENTITY_BYTES = 255;

/**
 * Returns which claim of a caller is too long for an upload id, which names the caller; undefined
 * if both fit.
 */
export function claimTooLong({
  issuer,
  subject,
}: Pick<Caller, 'issuer' | 'subject'>): 'iss' | 'sub' | undefined {
  if (isTooLong(subject)) return 'sub';
  return isTooLong(issuer) ? 'iss' : undefined;
}

/** A UTF-16 code unit has at most 3 bytes of UTF-8, so most texts need not be measured. */
function isTooLong(text: string): boolean {
  return text.length * 3 > MAX_IDENTITY_BYTES && new TextEncoder().encode(text).length > MAX_IDENTITY_BYTES;
}

/** Explains to a caller that a claim is too long for a rule with receipts. */
export function claimTooLongDetail(claim: 'iss' | 'sub'): string {
  return `The token's \`${claim}\` claim has more than ${MAX_IDENTITY_BYTES} bytes of UTF-8, so an upload of this caller cannot have a receipt, which the rule requires.`;
}
