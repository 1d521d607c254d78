/** Longest text, in UTF-16 code units, that a log line or an operator's message takes over from outside. */
const MAX_LENGTH = 256;

/** Control, format and line-separating characters: some terminals and log viewers obey them. */
const NOT_FOR_A_LOG = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A value from outside as text for a log or an operator: at most 256 characters, none of which is a control or format character.
 * A list becomes its entries, separated by spaces; what is no text becomes the name of its type.
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
