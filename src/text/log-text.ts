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

/** Longest text chosen by a caller that is logged, in UTF-16 code units. */
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
