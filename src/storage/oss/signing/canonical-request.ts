import type { CanonicalHeaders } from './canonical-headers.ts';
import { percentEncode } from './percent-encode.ts';

/**
 * Returns query parameters in canonical form: encoded, and sorted bytewise by encoded name. An
 * empty value becomes the name alone.
 * @param query names and values, not encoded; `''` stands for a name without a value.
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

/**
 * Returns the canonical request of OSS V4.
 * @param uri `/`, the bucket, `/` and the key, encoded. It has the bucket for every form of
 *   endpoint.
 * @param query the result of {@link canonicalQuery}.
 */
export function canonicalRequest(
  method: string,
  uri: string,
  query: string,
  { lines, additionalNames, payloadHash }: CanonicalHeaders,
): string {
  return `${method}\n${uri}\n${query}\n${lines}\n${additionalNames}\n${payloadHash}`;
}
