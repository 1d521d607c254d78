/**
 * Matches characters that `JSON.stringify` leaves unescaped although they are invisible or change
 * how the text around them is shown: controls, format characters (bidirectional overrides,
 * zero-width characters, tags), and line and paragraph separators.
 */
const INVISIBLE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/u;
const EACH_INVISIBLE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes the invisible characters of a JSON text as `\uXXXX`. Equivalent, because JSON has them in
 * strings only.
 */
export function escapeInvisible(json: string): string {
  return INVISIBLE.test(json) ? json.replace(EACH_INVISIBLE, toEscapes) : json;
}

function toEscapes(character: string): string {
  let escapes = '';
  for (let index = 0; index < character.length; index++)
    escapes += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  return escapes;
}

/** Longest text from outside that is logged or shown to an operator, in UTF-16 code units. */
const MAX_LOGGED_LENGTH = 256;

const LONE_LEADING_SURROGATE = /[\ud800-\udbff]$/;

/**
 * Cuts a text that a caller chose to {@link MAX_LOGGED_LENGTH}; the last character of a cut text is
 * an ellipsis.
 */
export function cutForLog(text: string): string {
  return text.length <= MAX_LOGGED_LENGTH
    ? text
    : `${text.slice(0, MAX_LOGGED_LENGTH - 1).replace(LONE_LEADING_SURROGATE, '')}…`;
}

/**
 * Control, format and line-separating characters: some terminals and log viewers interpret them.
 */
const NOT_FOR_A_LOG = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Returns an external value as text that is safe to show in a log or to an operator.
 *
 * The text has at most {@link MAX_LOGGED_LENGTH} characters and no control or format characters. A
 * list becomes its entries, separated by spaces; a value that is not text becomes the name of its
 * type.
 */
export function toLogText(value: unknown): string {
  const entries: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_LOGGED_LENGTH) : [value];
  let text = '';
  for (const entry of entries) {
    if (text.length > MAX_LOGGED_LENGTH) break;
    const part = typeof entry === 'string' ? entry.slice(0, MAX_LOGGED_LENGTH) : `(${typeof entry})`;
    text += text === '' ? part : ` ${part}`;
  }
  return text.slice(0, MAX_LOGGED_LENGTH).toWellFormed().replace(NOT_FOR_A_LOG, '');
}
