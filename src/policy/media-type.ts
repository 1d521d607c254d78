// RFC 9110 5.6.2 and 8.3.1, less the "*" that would turn a media type into a media range.
const TOKEN = "[!#$%&'+.^_`|~0-9A-Za-z-]+";
const QUOTED_STRING = '"(?:[ !#-\\[\\]-~]|\\\\[ -~])*"';
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN})(?: *; *${TOKEN}=(?:${TOKEN}|${QUOTED_STRING}))*$`);
const MEDIA_RANGE = new RegExp(`^(?:\\*/\\*|${TOKEN}/(?:\\*|${TOKEN}))$`);

// What a browser runs, or sniffs and then runs, when it opens such an object from the bucket's own origin.
// https://mimesniff.spec.whatwg.org/#scriptable-mime-type, #javascript-mime-type, #xml-mime-type and 7.1 (unknown types).
const ACTIVE_TYPES: ReadonlySet<string> = new Set([
  'text/html',
  'text/xml',
  'text/xsl',
  'text/x-component',
  'text/x-scriptlet',
  'text/cache-manifest',
  'application/xml',
  'application/xml-dtd',
  'application/xml-external-parsed-entity',
  'text/xml-external-parsed-entity',
  'application/hta',
  'application/wasm',
  'application/unknown',
  'unknown/unknown',
  'application/x-shockwave-flash',
  'application/java-archive',
  'application/x-java-applet',
  'application/x-mimearchive',
  'application/vnd.mozilla.xul',
  'message/rfc822',
]);
const ACTIVE_PATTERN = /\+xml$|(?:java|ecma|j|live|vb)script|^multipart\/|html|^image\/svg/;

const ACTIVE_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    'html htm shtml xhtml xht xml xsl xslt svg svgz js mjs cjs jsx wasm hta htc swf jar mht mhtml eml xul xbl ' +
    'rdf rss atom mathml mml appcache vbs php phtml asp aspx jsp cgi'
  ).split(' '),
);

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

/** Says whether a browser that opens an object of this type runs what is in it. `essence` is in lower case. */
export function isActiveType(essence: string): boolean {
  return ACTIVE_TYPES.has(essence) || ACTIVE_PATTERN.test(essence);
}

/** Says whether file servers commonly map this extension to something that a browser or the server runs. */
export function isActiveExtension(extension: string): boolean {
  return ACTIVE_EXTENSIONS.has(extension);
}

/**
 * Says whether a media type is one that the range allows. A wildcard never allows what a browser runs: such a type
 * has to be named. `essence` and `range` are in lower case.
 */
export function mediaRangeAllows(range: string, essence: string): boolean {
  if (!range.endsWith('/*')) return range === essence;
  return (range === '*/*' || essence.startsWith(range.slice(0, -1))) && !isActiveType(essence);
}
