/** The most characters of a text that a message shows. Names in the policy file are not longer. */
const MAX_SHOWN_LENGTH = 60;

/**
 * Returns a text of the policy file for a message: shortened, on one line, without invisible
 * characters.
 */
export function shown(text: string): string {
  return quote(text).slice(1, -1).replaceAll('\\"', '"');
}

/** The same, between double quotes. */
export function quote(text: string): string {
  const short = text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH - 1)}…` : text;
  return JSON.stringify(short).replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
