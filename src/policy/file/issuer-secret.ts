import { MIN_SECRET_BYTES } from '../../auth/issuer.ts';
import { decodeBase64 } from '../../text/base64.ts';

export const SECRET_ENCODINGS = ['utf8', 'base64', 'base64url'] as const;
export type SecretEncoding = (typeof SECRET_ENCODINGS)[number];

/** A longer text is not a secret, but a file that was named by mistake. */
const MAX_SECRET_CHARACTERS = 4096;

/**
 * A random secret of 32 characters has more distinct characters, even if all are decimal digits.
 */
const MIN_DIFFERENT_BYTES = 6;

/**
 * Returns the bytes of a secret for HS256. Rejects common mistakes: a line break or quotes that
 * became part of the secret, another encoding, or a placeholder.
 * @param subject begins the sentence of a fault, such as `names JWT_SECRET, which`.
 * @returns the bytes, or the fault, which never contains the secret.
 */
export function decodeSecret(text: string, encoding: SecretEncoding, subject: string): Uint8Array | string {
  const fault = secretTextFault(text, subject);
  if (fault !== undefined) return fault;
  if (text.includes('\ufffd') || !text.isWellFormed())
    return `${subject} is not UTF-8 text; encode the bytes and set secretEncoding: base64`;
  const bytes = encoding === 'utf8' ? new TextEncoder().encode(text) : decodeBase64(text, encoding);
  if (!bytes) return `${subject} is not ${encoding}, which secretEncoding requires`;
  if (bytes.length < MIN_SECRET_BYTES)
    return `${subject} holds ${bytes.length} bytes${encoding === 'utf8' ? '' : ' once decoded'}; HS256 needs at least ${MIN_SECRET_BYTES}`;
  if (isEasyToGuess(bytes)) return `${subject} ${EASY_TO_GUESS}`;
  return bytes;
}

/** The rest of a fault that begins with what holds the secret. */
export const EASY_TO_GUESS = `is too easy to guess: it consists of fewer than ${MIN_DIFFERENT_BYTES} different bytes`;

export function isEasyToGuess(bytes: Uint8Array): boolean {
  return new Set(bytes).size < MIN_DIFFERENT_BYTES;
}

/**
 * Returns the fault of a text that holds secrets: a line break or quotes that became part of it, or
 * an invisible character; undefined if there is none. A fault never contains the secret.
 * @param subject begins the sentence of a fault, such as `names JWT_SECRET, which`.
 */
export function secretTextFault(text: string, subject: string): string | undefined {
  if (text.length > MAX_SECRET_CHARACTERS)
    return `${subject} holds more than ${MAX_SECRET_CHARACTERS} characters`;
  if (text.trim() === '') return `${subject} is empty`;
  if (/^\s/.test(text) || /\s$/.test(text))
    return `${subject} begins or ends with a blank or a line break; remove it`;
  if (/^(?:(["'`]).*\1|“.*”|‘.*’|„.*“|«.*»)$/s.test(text))
    return `${subject} has quotes around it, which would be part of the secret; remove them`;
  if (/\p{Cc}/u.test(text)) return `${subject} contains a line break or another control character`;
  if (/\p{Cf}/u.test(text)) return `${subject} contains an invisible character, such as U+200B; remove it`;
  return undefined;
}
