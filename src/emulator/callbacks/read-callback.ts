import { OssError } from '../oss-error.ts';
import { isPrivateHost } from './private-address.ts';

const MAX_BASE64_LENGTH = 5 * 1024;
const MAX_URLS = 5;
const BODY_TYPES = ['application/x-www-form-urlencoded', 'application/json'] as const;
/** Requests that OSS makes have these headers already, so a callback cannot set them. */
const OWN_HEADERS = [
  ...['host', 'connection', 'content-length', 'content-type', 'user-agent', 'authorization'],
  'transfer-encoding',
];

export type CallbackBodyType = (typeof BODY_TYPES)[number];

/** The call that an upload asks for. */
export type Callback = {
  /** To be tried in turn. */
  readonly urls: readonly URL[];
  /** The value of `Host` if it is not that of the URL. */
  readonly host: string | undefined;
  /** With variables `${…}`. */
  readonly body: string;
  readonly bodyType: CallbackBodyType;
  /** Whether TLS names the server (SNI). */
  readonly sendsServerName: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Those of the upload itself: `x:…`. */
  readonly variables: ReadonlyMap<string, string>;
};

/**
 * Reads the callback of PutObject or CompleteMultipartUpload from the headers or the query.
 * @returns null if there is none.
 * @throws OssError `InvalidArgument` for a callback in both, and for everything that OSS rejects.
 */
export function readRequestCallback(
  headers: ReadonlyMap<string, string>,
  query: readonly { readonly name: string; readonly value: string }[],
  allowPrivateAddresses: boolean,
): Callback | null {
  const parameters = new Map(query.map(({ name, value }) => [name, value]));
  const inHeader = ['x-oss-callback', 'x-oss-callback-var'].map((name) => headers.get(name));
  const inQuery = ['callback', 'callback-var'].map((name) => parameters.get(name));
  const isIn = (place: readonly (string | undefined)[]) => place.some((value) => value !== undefined);
  if (isIn(inHeader) && isIn(inQuery)) throw new OssError('callbackTwice', { ArgumentName: 'callback' });
  const [callback, variables] = isIn(inHeader) ? inHeader : inQuery;
  if (callback === undefined) return null;
  return parseCallback(callback, readVariables(variables), allowPrivateAddresses);
}

/**
 * Reads the callback of a form: the field `callback`, and a field `x:…` for each variable.
 * @returns null if there is none.
 * @throws OssError `InvalidArgument` for everything that OSS rejects.
 */
export function readFormCallback(
  fields: ReadonlyMap<string, string>,
  allowPrivateAddresses: boolean,
): Callback | null {
  const callback = fields.get('callback');
  if (callback === undefined) return null;
  const variables = new Map([...fields].filter(([name]) => name.startsWith('x:')));
  return parseCallback(callback, variables, allowPrivateAddresses);
}

function parseCallback(
  base64: string,
  variables: ReadonlyMap<string, string>,
  allowPrivateAddresses: boolean,
): Callback {
  const text = decodeBase64(base64) ?? fail('callbackNotBase64', 'callback', base64);
  const callback = parseObject(text) ?? fail('callbackNotJson', 'callback', base64);
  const { callbackBody, callbackBodyType = BODY_TYPES[0], callbackHost, callbackSNI = false } = callback;
  const urls = readUrls(callback.callbackUrl);
  if (!allowPrivateAddresses && urls.some(({ hostname }) => isPrivateHost(hostname))) {
    fail('callbackPrivate', 'callbackUrl', String(callback.callbackUrl));
  }
  if (typeof callbackBody !== 'string') fail('callbackBodyNotText', 'callbackBody', callbackBody);
  if (callbackBody === '') fail('callbackBodyEmpty', 'callbackBody', callbackBody);
  if (typeof callbackBodyType !== 'string') {
    fail('callbackBodyTypeNotText', 'callbackBodyType', callbackBodyType);
  }
  const bodyType =
    BODY_TYPES.find((type) => type === callbackBodyType) ??
    fail('invalidArgument', 'callbackBodyType', callbackBodyType);
  if (callbackHost !== undefined && !isHeaderValue(callbackHost)) {
    fail('invalidArgument', 'callbackHost', callbackHost);
  }
  if (typeof callbackSNI !== 'boolean') fail('invalidArgument', 'callbackSNI', callbackSNI);
  return {
    urls,
    host: callbackHost || undefined,
    body: callbackBody,
    bodyType,
    sendsServerName: callbackSNI,
    headers: readAdditionalHeaders(callback.additionalHeaders),
    variables,
  };
}

function readUrls(value: unknown): readonly URL[] {
  if (typeof value !== 'string') fail('callbackUrlInvalid', 'callbackUrl', value);
  const texts = value.split(';');
  const urls = texts.map((text) => parseUrl(text) ?? fail('callbackUrlInvalid', 'callbackUrl', value));
  if (urls.length > MAX_URLS) fail('callbackUrlInvalid', 'callbackUrl', value);
  return urls;
}

/** An IPv6 address is not accepted, nor is a character that has to be percent-encoded. */
function parseUrl(text: string): URL | null {
  if (!/^https?:\/\/[\x21-\x7e]+$/i.test(text)) return null;
  const url = URL.parse(text);
  if (!url || url.hostname.startsWith('[') || url.username !== '' || url.password !== '') return null;
  return url;
}

function readAdditionalHeaders(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isObject(value)) fail('callbackHeadersInvalid', 'additionalHeaders', value);
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) {
    const isName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !/^x-oss-/i.test(name);
    if (!isName || !isHeaderValue(text)) fail('callbackHeadersInvalid', 'additionalHeaders', value);
    if (!OWN_HEADERS.includes(name.toLowerCase())) headers[name] = text;
  }
  return headers;
}

function readVariables(base64: string | undefined): ReadonlyMap<string, string> {
  if (base64 === undefined) return new Map();
  const reject = () => fail('invalidArgument', 'callback-var', base64);
  const variables = Object.entries(parseObject(decodeBase64(base64) ?? reject()) ?? reject());
  return new Map(
    variables.map(([name, value]) => {
      const isVariable = /^x:[^A-Z]+$/.test(name) && typeof value === 'string';
      return isVariable ? ([name, value] as const) : reject();
    }),
  );
}

/** Null if it is not Base64 of UTF-8 of at most 5 KB. */
function decodeBase64(base64: string): string | null {
  if (base64.length > MAX_BASE64_LENGTH || base64.length % 4 !== 0) return null;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    return null;
  }
}

function parseObject(json: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Printable ASCII, so that no line break can begin another header. */
function isHeaderValue(value: unknown): value is string {
  return typeof value === 'string' && /^[\t\x20-\x7e]*$/.test(value);
}

function fail(fault: ConstructorParameters<typeof OssError>[0], name: string, value: unknown): never {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  throw new OssError(fault, { ArgumentName: name, ArgumentValue: text });
}
