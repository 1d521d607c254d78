import { z } from 'zod';

/** A string whose length is checked first. If it is too long, this is its only fault. */
export function boundedText(
  maxLength: number,
  message = `must have at most ${maxLength} characters`,
): z.ZodString {
  return z.string().max(maxLength, { message, abort: true });
}

/** Seconds for which a URL is to be valid. The policy compares it with the rule's maximum. */
export const validitySeconds = z.int('must be a whole number of seconds').min(1, 'must be at least 1');

/** The target of a request for a grant. */
export const target = boundedText(64).min(1, 'must not be empty').optional().meta({
  description: 'One of the policy’s targets. Only needed to choose among rules.',
});
