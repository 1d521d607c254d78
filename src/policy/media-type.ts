// RFC 9110 5.6.2 and 8.3.1, less the "*" that would turn a media type into a media range.
const TOKEN = "[!#$%&'+.^_`|~0-9A-Za-z-]+";
const QUOTED_STRING = '"(?:[ !#-\\[\\]-~]|\\\\[ -~])*"';
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN})(?: *; *${TOKEN}=(?:${TOKEN}|${QUOTED_STRING}))*$`);
const MEDIA_RANGE = new RegExp(`^(?:\\*/\\*|${TOKEN}/(?:\\*|${TOKEN}))$`);

/**
 * Reads a media type with its parameters (RFC 9110 8.3.1).
 * @returns `type/subtype` in lower case, or undefined when the text is not one media type.
 */
export function mediaTypeEssence(contentType: string): string | undefined {
  return MEDIA_TYPE.exec(contentType)?.[1]?.toLowerCase();
}

/** Says whether the text is one media type, with or without parameters: whether {@link mediaTypeEssence} reads it. */
export function isMediaType(contentType: string): boolean {
  return MEDIA_TYPE.test(contentType);
}

/** Says whether the text is a media range without parameters, as a rule's `contentTypes` holds them: `image/png`, `image/*`. */
export function isMediaRange(text: string): boolean {
  return MEDIA_RANGE.test(text);
}
