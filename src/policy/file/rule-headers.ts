import { z } from 'zod';
import { MAX_METADATA_BYTES } from '../../storage/limits.ts';
import { addedHeaderFault, addedHeadersFaults } from '../../storage/oss/header-values.ts';
import { METADATA_PREFIX } from '../../storage/oss/object-headers.ts';
import { CLIENT_HEADERS, type ClientHeader } from '../client-headers.ts';
import { GRANT_ID_METADATA } from '../grant-mark.ts';

/**
 * Signed unless the rule sets the header, allows clients to set it, or has `none`. Without these
 * defaults a client could choose both headers, because OSS stores headers that are not signed.
 */
const DEFAULT_HEADERS = {
  cacheControl: 'private, no-cache',
  contentDisposition: 'attachment',
} as const satisfies Partial<Record<ClientHeader, string>>;

/**
 * A rule's `headers`: signed and added to every response of the rule. Rejects what OSS would
 * reject.
 */
export const addedHeadersSchema = z
  .record(z.string(), z.union([z.string(), z.int()]).transform(String))
  .superRefine((headers, context) => {
    const values = new Map<string, string>();
    let metadataBytes = 0;
    for (const [header, value] of Object.entries(headers)) {
      // A rejected value may be of another type than the schema has.
      if (typeof value !== 'string') continue;
      const name = header.toLowerCase();
      if (values.has(name)) addIssue(header, 'is used twice');
      values.set(name, value);
      if (isTurnedOff(name, value)) continue;
      if (name.startsWith(METADATA_PREFIX)) metadataBytes += name.length + value.length;
      if (name === METADATA_PREFIX + GRANT_ID_METADATA)
        addIssue(header, 'is the header with which the service marks objects; use another name');
      const fault = addedHeaderFault(header, value);
      if (fault !== undefined) addIssue(header, fault);
    }
    if (metadataBytes > MAX_METADATA_BYTES) {
      context.addIssue(
        `has ${metadataBytes} bytes of x-oss-meta-… names and values; OSS takes at most ${MAX_METADATA_BYTES} for an object`,
      );
    }
    for (const fault of addedHeadersFaults(values)) context.addIssue(fault);

    function addIssue(header: string, message: string): void {
      context.addIssue({ code: 'custom', path: [header], message });
    }
  });

/**
 * Returns the headers that are signed for every request of a rule: its `headers`, and the defaults
 * for Content-Disposition and Cache-Control. A default is left out if the rule sets the header,
 * allows clients to set it, or has `none`.
 */
export function signedHeaders(
  headers: Readonly<Record<string, string>>,
  clientHeaders: readonly ClientHeader[],
): Readonly<Record<string, string>> {
  const signed = Object.fromEntries(
    Object.entries(headers)
      .filter(([header, value]) => !isTurnedOff(header.toLowerCase(), value))
      .map(([header, value]) => [usualSpelling(header), value]),
  );
  const named = new Set(Object.keys(headers).map((header) => header.toLowerCase()));
  for (const field of Object.keys(DEFAULT_HEADERS) as (keyof typeof DEFAULT_HEADERS)[]) {
    const header = CLIENT_HEADERS[field];
    if (named.has(header.toLowerCase()) || clientHeaders.includes(field)) continue;
    signed[header] = DEFAULT_HEADERS[field];
  }
  return signed;
}

/** Returns the metadata that a rule sets by its headers, by name without `x-oss-meta-`. */
export function metadataOfHeaders(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers)
      .map(([header, value]) => [header.toLowerCase(), value] as const)
      .filter(([name]) => name.startsWith(METADATA_PREFIX))
      .map(([name, value]) => [name.slice(METADATA_PREFIX.length), value]),
  );
}

/** Whether a header, in lower case, has a default that the value turns off. */
function isTurnedOff(name: string, value: string): boolean {
  return (
    value.toLowerCase() === 'none' &&
    Object.keys(DEFAULT_HEADERS).some((field) => CLIENT_HEADERS[field as ClientHeader].toLowerCase() === name)
  );
}

/**
 * Gives the headers that a request may also set one spelling, so that each occurs once in a
 * response.
 */
function usualSpelling(header: string): string {
  return (
    Object.values(CLIENT_HEADERS).find((usual) => usual.toLowerCase() === header.toLowerCase()) ?? header
  );
}
