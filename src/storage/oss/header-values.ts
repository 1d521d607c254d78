import { HEADER_VALUE } from '../../text/header-value.ts';
import { closestName } from '../../text/suggest.ts';
import { MAX_METADATA_BYTES } from '../limits.ts';

// token, or token "=" ( token / quoted-string ), separated by commas (RFC 9111 5.2).
const CACHE_CONTROL =
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[ !#-[\]-~]|\\[ -~])*"))?(?: *, *[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[ !#-[\]-~]|\\[ -~])*"))?)*$/;
// token with parameters, separated by ";" (RFC 6266 4.1).
const DISPOSITION =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: *; *[!#$%&'*+.^_`|~0-9A-Za-z-]+=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[ !#-[\]-~]|\\[ -~])*"))*$/;
const LANGUAGES = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*(?: *, *[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

// https://www.iana.org/assignments/http-parameters (content codings)
const CONTENT_CODINGS = [
  'aes128gcm',
  'br',
  'compress',
  'dcb',
  'dcz',
  'deflate',
  'exi',
  'gzip',
  'identity',
].concat(['pack200-gzip', 'x-compress', 'x-gzip', 'zstd']);

/** OSS's limit for `x-oss-callback` and `x-oss-callback-var`, in characters of base64. */
const MAX_CALLBACK_LENGTH = 5120;

/**
 * Returns the fault of a value, as the end of a sentence that begins with the header; undefined if
 * OSS accepts it.
 */
type Fault = string | undefined;

/**
 * Returns the fault of a value of each header of PutObject, by header in lower case. The headers
 * that only a request decides are left out: Content-Type, Content-Length, Content-MD5,
 * x-oss-forbid-overwrite. Source: OSS PutObject, request headers; RFC 9110, 9111 and 6266.
 */
const VALUE_FAULTS: Readonly<Record<string, (text: string) => Fault>> = {
  'cache-control': atMost(1024, (text) =>
    CACHE_CONTROL.test(text)
      ? undefined
      : 'must be a list of directives (RFC 9111), such as private, max-age=60',
  ),
  'content-disposition': atMost(1024, dispositionFault),
  'content-encoding': atMost(1024, contentEncodingFault),
  'content-language': atMost(1024, (text) =>
    LANGUAGES.test(text) ? undefined : 'must be a list of language tags (RFC 9110), such as zh-CN, en',
  ),
  expires: atMost(64, (text) =>
    isHttpDate(text) ? undefined : 'must be an HTTP date (RFC 9110), such as Thu, 26 Nov 2026 10:00:00 GMT',
  ),
  'x-oss-object-acl': oneOf('default', 'private', 'public-read', 'public-read-write'),
  'x-oss-storage-class': oneOf('Standard', 'IA', 'Archive', 'ColdArchive', 'DeepColdArchive'),
  'x-oss-server-side-encryption': oneOf('AES256', 'KMS', 'SM4'),
  'x-oss-server-side-encryption-key-id': atMost(128, (text) =>
    /^[A-Za-z0-9][A-Za-z0-9_:/.-]*$/.test(text) ? undefined : 'must be the id of a KMS key',
  ),
  'x-oss-server-side-data-encryption': oneOf('SM4'),
  'x-oss-tagging': atMost(8192, taggingFault),
  'x-oss-callback': atMost(MAX_CALLBACK_LENGTH, callbackFault),
  'x-oss-callback-var': atMost(MAX_CALLBACK_LENGTH, callbackVarFault),
  'x-oss-traffic-limit': (text) =>
    /^\d{6,9}$/.test(text) && Number(text) >= 819_200 && Number(text) <= 838_860_800
      ? undefined
      : 'must be a number from 819200 to 838860800 (bit/s)',
  'x-oss-request-payer': oneOf('requester'),
};

/** The headers that a rule can add, in lower case; `x-oss-meta-…` come in addition. */
export const ADDED_HEADERS: readonly string[] = Object.keys(VALUE_FAULTS);

const METADATA_NAME = /^x-oss-meta-[a-z0-9-]{1,64}$/;
const metadataValueFault = atMost(MAX_METADATA_BYTES, () => undefined);

/**
 * Returns the fault of a header that is added to every upload, as the end of a sentence that begins
 * with the header. Returns undefined if OSS accepts it.
 * @param header in any case.
 */
export function addedHeaderFault(header: string, value: string): string | undefined {
  const name = header.toLowerCase();
  if (METADATA_NAME.test(name)) return metadataValueFault(value);
  const valueFault = Object.hasOwn(VALUE_FAULTS, name) ? VALUE_FAULTS[name] : undefined;
  return valueFault ? valueFault(value) : `cannot be added by a rule; ${possibleHeaders(header)}`;
}

/** Reports whether rules can add a header at all. The header is in any case. */
export function canBeAdded(header: string): boolean {
  const name = header.toLowerCase();
  return METADATA_NAME.test(name) || Object.hasOwn(VALUE_FAULTS, name);
}

/**
 * Lists the headers that need another header, which is missing. Names are in lower case. The
 * sentences begin with the field that holds the headers.
 */
export function addedHeadersFaults(headers: ReadonlyMap<string, string>): readonly string[] {
  const faults = ['x-oss-server-side-encryption-key-id', 'x-oss-server-side-data-encryption']
    .filter((name) => headers.has(name) && headers.get('x-oss-server-side-encryption') !== 'KMS')
    .map((name) => `sets ${name}, which needs x-oss-server-side-encryption: KMS`);
  if (headers.has('x-oss-callback-var') && !headers.has('x-oss-callback'))
    faults.push('sets x-oss-callback-var, which needs x-oss-callback');
  return faults;
}

function possibleHeaders(header: string): string {
  const known = Object.keys(VALUE_FAULTS);
  const closest = closestName(header, known);
  if (closest !== undefined) return `did you mean "${closest}"?`;
  const standard = known.filter((name) => !name.startsWith('x-oss-'));
  return `possible: ${standard.join(', ')}, x-oss-meta-… and the x-oss-… headers of PutObject`;
}

/**
 * A check of values of at most `maxLength` characters, all of which {@link HEADER_VALUE} allows.
 */
function atMost(maxLength: number, faultOf: (text: string) => Fault): (text: string) => Fault {
  return (text) => {
    if (text.length > maxLength) return `must have at most ${maxLength} characters`;
    if (!HEADER_VALUE.test(text)) return 'must be printable ASCII, without blanks at its ends, and not empty';
    return faultOf(text);
  };
}

function oneOf(...values: readonly string[]): (text: string) => Fault {
  return (text) => {
    if (values.includes(text)) return undefined;
    const closest = closestName(text, values);
    const hint = closest === undefined ? '' : `; did you mean "${closest}"?`;
    return `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}${hint}`;
  };
}

function dispositionFault(text: string): Fault {
  const type = DISPOSITION.exec(text)?.[1]?.toLowerCase();
  if (type === 'attachment' || type === 'inline') return undefined;
  return `must be attachment or inline, with parameters or without (RFC 6266), or none${suggestion(type ?? '', ['attachment', 'inline', 'none'])}`;
}

function contentEncodingFault(text: string): Fault {
  const unknown = text
    .split(',')
    .map((coding) => coding.trim())
    .find((coding) => !CONTENT_CODINGS.includes(coding.toLowerCase()));
  if (unknown === undefined) return undefined;
  return `must be a list of ${CONTENT_CODINGS.join(', ')}${suggestion(unknown, CONTENT_CODINGS)}`;
}

/**
 * Reports whether the text is an IMF-fixdate (RFC 9110 5.6.7) of an existing day with the right
 * weekday.
 */
function isHttpDate(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toUTCString() === text;
}

function taggingFault(text: string): Fault {
  const tags = text.split('&').map((tag) => tag.split('='));
  if (tags.length > 10) return `has ${tags.length} tags; OSS takes at most 10`;
  const names = new Set<string>();
  for (const [encodedName = '', encodedValue, ...rest] of tags) {
    const name = decodeTagText(encodedName);
    const tagValue = decodeTagText(encodedValue ?? '');
    if (!name || encodedValue === undefined || tagValue === undefined || rest.length > 0) {
      return 'must be name=value pairs, joined by "&" and percent-encoded, such as team=web&stage=test';
    }
    if (Buffer.byteLength(name) > 128) return 'has a tag name of more than 128 bytes';
    if (Buffer.byteLength(tagValue) > 256) return 'has a tag value of more than 256 bytes';
    if (names.has(name)) return `has the tag ${JSON.stringify(name)} twice`;
    names.add(name);
  }
  return undefined;
}

function decodeTagText(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Source: OSS "Callback", the members of the callback parameter. */
function callbackFault(text: string): Fault {
  const callback = base64Object(text);
  if (callback === undefined) return 'must be base64 of a JSON object';
  const { callbackUrl, callbackBody, callbackBodyType, callbackSNI } = callback;
  const urls = typeof callbackUrl === 'string' ? callbackUrl.split(';') : [];
  if (urls.length < 1 || urls.length > 5 || !urls.every(isCallbackUrl)) {
    return 'must hold callbackUrl: one to five http or https URLs, joined by ";"';
  }
  if (typeof callbackBody !== 'string' || callbackBody === '') {
    return 'must hold callbackBody, a string that is not empty';
  }
  const types: readonly unknown[] = [undefined, 'application/x-www-form-urlencoded', 'application/json'];
  if (!types.includes(callbackBodyType)) {
    return 'has a callbackBodyType that is neither application/x-www-form-urlencoded nor application/json';
  }
  if (callbackSNI !== undefined && typeof callbackSNI !== 'boolean') {
    return 'has a callbackSNI that is neither true nor false';
  }
  return undefined;
}

/** OSS also accepts an address without a scheme, and then uses http. */
function isCallbackUrl(text: string): boolean {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  return url !== null && /^https?:$/.test(url.protocol) && !url.hostname.startsWith('[');
}

function callbackVarFault(text: string): Fault {
  const variables = base64Object(text);
  if (variables === undefined) return 'must be base64 of a JSON object';
  for (const [name, variable] of Object.entries(variables)) {
    if (!/^x:[a-z0-9_.-]+$/.test(name) || typeof variable !== 'string') {
      return 'must hold strings, under names that begin with "x:" and are in lower case';
    }
  }
  return undefined;
}

function base64Object(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!BASE64.test(text)) return undefined;
  try {
    const content: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
    const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
    return isObject ? (content as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function suggestion(name: string, known: readonly string[]): string {
  const closest = closestName(name, known);
  return closest === undefined ? '' : `; did you mean ${closest}?`;
}
