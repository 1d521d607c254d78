import { percentEncode, percentEncodePath } from './percent-encode.ts';

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

export type CanonicalRequestInput = {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  /** Query parameters as they are, not encoded; `''` stands for a name without a value. */
  readonly query: Readonly<Record<string, string>>;
  /** The request's headers by lower-case name, values trimmed. */
  readonly headers: Headers;
  /** From {@link additionalHeaderNames}. */
  readonly additionalHeaders: readonly string[];
};

/** Says whether OSS signs a header whenever the request carries it, without its being named. `name` is in lower case. */
export function isSignedByDefault(name: string): boolean {
  return name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-');
}

/**
 * The additional headers that count: lower-case, once each, sorted, without those that are signed by default and those
 * that the request does not carry.
 */
export function additionalHeaderNames(names: readonly string[], headers: Headers): readonly string[] {
  const lowerCase = new Set(names.map((name) => name.toLowerCase()));
  return [...lowerCase].filter((name) => !isSignedByDefault(name) && Object.hasOwn(headers, name)).sort();
}

/** The query in canonical form: encoded, sorted by encoded name bytewise, an empty value as the bare name. */
export function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&');
}

/** The canonical request of OSS V4. The payload of a presigned URL is never signed, unless a header says its hash. */
export function canonicalRequest(input: CanonicalRequestInput): string {
  const { method, bucket, key, query, headers, additionalHeaders } = input;
  const signed = Object.keys(headers)
    .filter((name) => isSignedByDefault(name) || additionalHeaders.includes(name))
    .sort();
  return [
    method,
    percentEncodePath(`/${bucket}/${key}`),
    canonicalQuery(query),
    ...signed.map((name) => `${name}:${headers[name]}`),
    '',
    additionalHeaders.join(';'),
    headers['x-oss-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
}
