/**
 * Characters that are escaped in a JSON text: those that JSON requires (RFC 8259 7), lone surrogates, and every character that is
 * invisible or changes how the text around it is shown: controls, format characters (bidirectional overrides, zero-width
 * characters, tags), and line and paragraph separators.
 */
const ESCAPED = /["\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** The part of them that `JSON.stringify` leaves unchanged. */
const UNESCAPED_BY_STRINGIFY = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/u;
const EACH_UNESCAPED_BY_STRINGIFY = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A text as it appears between the quotation marks of JSON. It parses to the same text; invisible characters are escaped as `\uXXXX`.
 * Building JSON of a known shape from such parts takes half the time of `JSON.stringify` on an object.
 */
export function jsonText(text: string): string {
  return ESCAPED.test(text) ? escapeInvisible(JSON.stringify(text).slice(1, -1)) : text;
}

/** A member that follows others in an object, with its comma; nothing if the text is undefined, as `JSON.stringify` does. */
export function jsonMember(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":"${jsonText(text)}"`;
}

/** JSON with its invisible characters escaped (see {@link jsonText}); equivalent, because JSON has them in strings only. */
export function escapeInvisible(json: string): string {
  return UNESCAPED_BY_STRINGIFY.test(json) ? json.replace(EACH_UNESCAPED_BY_STRINGIFY, toEscapes) : json;
}

function toEscapes(character: string): string {
  let escapes = '';
  for (let index = 0; index < character.length; index++)
    escapes += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  return escapes;
}

/** How many characters of a text that a caller chose are logged. */
const MAX_LOGGED_CHARACTERS = 256;

/** A text cut to what the log takes of what a caller chose, 256 characters; the last one is then an ellipsis. */
export function cutForLog(text: string): string {
  return text.length <= MAX_LOGGED_CHARACTERS
    ? text
    : `${text.slice(0, MAX_LOGGED_CHARACTERS - 1).replace(LONE_LEADING_SURROGATE, '')}…`;
}

const LONE_LEADING_SURROGATE = /[\ud800-\udbff]$/;
