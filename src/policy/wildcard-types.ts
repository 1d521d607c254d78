import { closestName } from '../text/suggest.ts';
import { REGISTERED_TYPES } from './registered-types.ts';

// Registered types of objects that some browser, or a plug-in of it, runs when it opens them.
// Sources: https://mimesniff.spec.whatwg.org/ (scriptable, JavaScript and XML MIME types), RFC 2557
// (MHTML, a message with HTML in it), WAP-193 (WMLScript).
const ACTIVE_TYPES: ReadonlySet<string> = new Set([
  'application/java-archive',
  'application/vnd.adobe.flash.movie',
  'application/vnd.wap.wmlc',
  'application/vnd.wap.wmlscriptc',
  'application/wasm',
  'application/xml',
  'application/xml-dtd',
  'application/xml-external-parsed-entity',
  'message/external-body',
  'message/global',
  'message/partial',
  'message/rfc822',
  'text/cache-manifest',
  'text/vnd.wap.wml',
  'text/vnd.wap.wmlscript',
  'text/xml',
  'text/xml-external-parsed-entity',
]);
const ACTIVE_PATTERN = /\+xml$|(?:java|ecma|j|live|vb)script|^multipart\/|html|^image\/svg/;

const REGISTERED: ReadonlySet<string> = new Set(
  Object.entries(REGISTERED_TYPES).flatMap(([top, subtypes]) =>
    subtypes
      .trim()
      .split(/\s+/)
      .map((subtype) => `${top}/${subtype}`),
  ),
);

/** The types that browsers record (MediaRecorder). WebM is in wide use and was never registered. */
const RECORDING_TYPES = ['audio/webm', 'video/webm'];

/**
 * Every type that a wildcard can match, in lower case: registered with IANA, or WebM, and not run
 * by browsers.
 */
export const WILDCARD_TYPES: ReadonlySet<string> = new Set(
  [...REGISTERED, ...RECORDING_TYPES].filter((type) => !isActiveType(type)),
);

/**
 * Reports whether some browser runs an object of this type when it opens it. `essence` is in lower
 * case.
 */
export function isActiveType(essence: string): boolean {
  return ACTIVE_TYPES.has(essence) || ACTIVE_PATTERN.test(essence);
}

/**
 * Reports whether a range of a rule's `contentTypes` allows a media type. A wildcard matches {@link
 * WILDCARD_TYPES} only; a rule must name every other type. `range` and `essence` are in lower case.
 */
export function mediaRangeAllows(range: string, essence: string): boolean {
  if (!range.endsWith('/*')) return range === essence;
  return (range === '*/*' || essence.startsWith(range.slice(0, -1))) && WILDCARD_TYPES.has(essence);
}

/**
 * Returns why a range can never match, as the end of a sentence that begins with the field. Returns
 * undefined if it can match. `range` is in lower case.
 */
export function deadRangeFault(range: string): string | undefined {
  if (!range.endsWith('/*') || range === '*/*') return undefined;
  const start = range.slice(0, -1);
  if (startsWith(WILDCARD_TYPES, start)) return undefined;
  if (startsWith(REGISTERED, start)) {
    return `matches nothing, because a "*" never matches a type that browsers run: replace ${range} by the types that you mean, each by its full name`;
  }
  const meant = closestName(range.slice(0, -2), Object.keys(REGISTERED_TYPES));
  const suggestion = meant === undefined ? '' : `; did you mean ${meant}/*?`;
  return `matches nothing, because a "*" matches registered (IANA) media types only and none begins with ${start}: replace ${range} by the types that you mean, each by its full name${suggestion}`;
}

/**
 * Explains in one sentence why a wildcard among the ranges does not allow a media type that it
 * would match by name. Returns undefined if there is no such wildcard. All texts are in lower case.
 */
export function whyNoWildcard(ranges: readonly string[], essence: string): string | undefined {
  const covers = (range: string) =>
    range === '*/*' || (range.endsWith('/*') && essence.startsWith(range.slice(0, -1)));
  if (!ranges.some(covers) || WILDCARD_TYPES.has(essence)) return undefined;
  const reason = isActiveType(essence)
    ? `A "*" never matches ${essence}, because browsers run it`
    : `A "*" matches registered (IANA) media types only, and ${essence} is not one`;
  return `${reason}: the rule has to name it in contentTypes.`;
}

function startsWith(types: ReadonlySet<string>, start: string): boolean {
  for (const type of types) if (type.startsWith(start)) return true;
  return false;
}
