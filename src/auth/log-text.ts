/** Longest external text, in UTF-16 code units, in a log line or an operator's message. */
const MAX_LENGTH = 256;

/**
 * Control, format and line-separating characters: some terminals and log viewers interpret them.
 */
const NOT_FOR_A_LOG = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Returns an external value as text that is safe to show in a log or to an operator.
 *
 * The text has at most 256 characters and no control or format characters. A list becomes its
 * entries, separated by spaces; a value that is not text becomes the name of its type.
 */
export function toLogText(value: unknown): string {
  const entries: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_LENGTH) : [value];
  let text = '';
  for (const entry of entries) {
    if (text.length > MAX_LENGTH) break;
    const part = typeof entry === 'string' ? entry.slice(0, MAX_LENGTH) : `(${typeof entry})`;
    text += text === '' ? part : ` ${part}`;
  }
  return text.slice(0, MAX_LENGTH).toWellFormed().replace(NOT_FOR_A_LOG, '');
}
