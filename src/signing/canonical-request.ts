import { percentEncode } from './percent-encode.ts';

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

export type CanonicalRequestInput = {
  readonly method: string;
  readonly bucket: string;
  /** From `percentEncodePath`. */
  readonly encodedKey: string;
  /** From {@link canonicalQuery}. */
  readonly query: string;
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

/**
 * Query parameters in canonical form: encoded, sorted by encoded name bytewise, an empty value as the bare name.
 * @param query names and values as they are, not encoded; `''` stands for a name without a value.
 */
export function canonicalQuery(query: Readonly<Record<string, string>>): string {
  const values = new Map(Object.entries(query).map(([name, value]) => [percentEncode(name), value]));
  return [...values.keys()]
    .sort()
    .map((name) => {
      const value = values.get(name);
      return value ? `${name}=${percentEncode(value)}` : name;
    })
    .join('&');
}

/** The canonical request of OSS V4. The payload of a presigned URL is never signed, unless a header says its hash. */
export function canonicalRequest(input: CanonicalRequestInput): string {
  const { method, bucket, encodedKey, query, headers, additionalHeaders } = input;
  const signed = Object.keys(headers)
    .filter((name) => isSignedByDefault(name) || additionalHeaders.includes(name))
    .sort();
  return [
    method,
    `/${percentEncode(bucket)}/${encodedKey}`,
    query,
    ...signed.map((name) => `${name}:${headers[name]}`),
    '',
    additionalHeaders.join(';'),
    headers['x-oss-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
}
