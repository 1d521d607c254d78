import { percentEncode } from './percent-encode.ts';
import type { SignedHeaders } from './signed-headers.ts';

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

/**
 * The canonical request of OSS V4.
 * @param uri from `/`, encoded: the bucket, whatever the endpoint, and the key.
 * @param query from {@link canonicalQuery}.
 */
export function canonicalRequest(method: string, uri: string, query: string, headers: SignedHeaders): string {
  return `${method}\n${uri}\n${query}\n${headers.lines}\n${headers.additionalNames}\n${headers.payloadHash}`;
}
