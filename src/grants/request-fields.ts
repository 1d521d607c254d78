import { z } from 'zod';
import { MAX_UPLOAD_ID_LENGTH } from './upload-id.ts';

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

/** The upload id of a call about an upload. Whether it is one is decided later. */
export const uploadId = boundedText(MAX_UPLOAD_ID_LENGTH)
  .min(1, 'must not be empty')
  .meta({ description: 'The `id` of the grant. A secret: keep it out of URLs and logs.' });

/** Base64 of 16 bytes, with the padding and no other spelling. */
export const MD5 = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
export const MD5_FAULT = 'must be the base64 of the 16 bytes of an MD5 (RFC 1864)';
