// type "/" subtype and parameters (RFC 9110 8.3.1), without the "*" of media ranges. An unquoted
// parameter value may contain any visible character except quotation marks, ";" and "\", because
// browsers do not quote the types that they produce: `video/webm;codecs=vp8,opus` (WHATWG MIME
// Sniffing, "parse a MIME type").
const MEDIA_TYPE =
  /^([!#$%&'+.^_`|~0-9A-Za-z-]+\/[!#$%&'+.^_`|~0-9A-Za-z-]+)(?: *; *[!#$%&'+.^_`|~0-9A-Za-z-]+=(?:[!#-:<-[\]-~]+|"(?:[ !#-[\]-~]|\\[ -~])*"))*$/;
const MEDIA_RANGE = /^(?:\*\/\*|[!#$%&'+.^_`|~0-9A-Za-z-]+\/(?:\*|[!#$%&'+.^_`|~0-9A-Za-z-]+))$/;

/**
 * Reads a media type with its parameters, as RFC 9110 8.3.1 and browsers write it.
 * @returns `type/subtype` in lower case, or undefined if the text is not exactly one media type.
 */
export function mediaTypeEssence(contentType: string): string | undefined {
  const essence = MEDIA_TYPE.exec(contentType)?.[1];
  return essence === undefined || listsAnotherType(contentType) ? undefined : essence.toLowerCase();
}

/**
 * Reports whether the text is one media type, with or without parameters, as {@link
 * mediaTypeEssence} reads it.
 */
export function isMediaType(contentType: string): boolean {
  return MEDIA_TYPE.test(contentType) && !listsAnotherType(contentType);
}

/**
 * Browsers split Content-Type at commas and use the last part that is a media type (WHATWG Fetch,
 * "extract a MIME type"), so no "/" may follow a comma in a parameter, even inside quotation marks,
 * because not every parser honors them.
 */
function listsAnotherType(contentType: string): boolean {
  const firstComma = contentType.indexOf(',');
  if (firstComma < 0) return false;
  return contentType
    .slice(firstComma + 1)
    .split(',')
    .some((part) => part.split(';', 1)[0]?.includes('/'));
}

/**
 * Reports whether the text can be an entry of `contentTypes`: a media range without parameters,
 * such as `image/png` or `image/*`.
 */
export function isMediaRange(text: string): boolean {
  return MEDIA_RANGE.test(text);
}
