import { z } from 'zod';
import { HEADER_VALUES, METADATA_VALUE } from '../../storage/oss/header-values.ts';
import { closestName } from '../../text/suggest.ts';
import { MAX_METADATA_BYTES } from '../metadata-size.ts';
import { describeIssue } from './issue-faults.ts';

export { HEADER_VALUE } from '../../storage/oss/header-values.ts';

/** The request fields that set a header of the object, and their headers. Signed whenever they are in the answer. */
export const CLIENT_HEADERS = {
  cacheControl: 'Cache-Control',
  contentDisposition: 'Content-Disposition',
  contentEncoding: 'Content-Encoding',
} as const;
export type ClientHeader = keyof typeof CLIENT_HEADERS;
/** Those fields, listed once for all requests. */
export const CLIENT_HEADER_FIELDS = Object.keys(CLIENT_HEADERS) as readonly ClientHeader[];

/**
 * Signed for every rule that neither sets the header, nor leaves it to clients, nor says `none`. OSS stores what a client
 * sends under a header that is not signed, so that without these a client could choose both.
 */
const DEFAULT_HEADERS = {
  cacheControl: 'private, no-cache',
  contentDisposition: 'attachment',
} as const satisfies Partial<Record<ClientHeader, string>>;

const METADATA_PREFIX = 'x-oss-meta-';

/** A rule's `headers`: what is added to every answer of the rule and signed. Rejects what OSS would not take. */
export const addedHeadersSchema = z
  .record(z.string(), z.union([z.string(), z.int()]).transform(String))
  .superRefine((headers, context) => {
    const seen = new Set<string>();
    let metadataBytes = 0;
    for (const [header, value] of Object.entries(headers)) {
      // A value that was rejected may be of another type than the schema says.
      if (typeof value !== 'string') continue;
      const name = header.toLowerCase();
      if (seen.has(name)) addIssue(header, 'is used twice');
      seen.add(name);
      if (isTurnedOff(name, value)) continue;
      const schema = valueSchema(name);
      if (!schema) {
        addIssue(header, `cannot be added by a rule; ${possibleHeaders(header)}`);
        continue;
      }
      if (name.startsWith(METADATA_PREFIX)) metadataBytes += name.length + value.length;
      for (const issue of schema.safeParse(value, { error: describeIssue }).error?.issues ?? [])
        addIssue(header, issue.message);
    }
    if (metadataBytes > MAX_METADATA_BYTES) {
      context.addIssue(
        `has ${metadataBytes} bytes of x-oss-meta-… names and values; OSS takes at most ${MAX_METADATA_BYTES} for an object`,
      );
    }
    const valueUnder = (name: string) =>
      Object.entries(headers).find(([header]) => header.toLowerCase() === name)?.[1];
    for (const name of [
      'x-oss-server-side-encryption-key-id',
      'x-oss-server-side-data-encryption',
    ] as const) {
      if (seen.has(name) && valueUnder('x-oss-server-side-encryption') !== 'KMS')
        context.addIssue(`sets ${name}, which needs x-oss-server-side-encryption: KMS`);
    }
    if (seen.has('x-oss-callback-var') && !seen.has('x-oss-callback'))
      context.addIssue('sets x-oss-callback-var, which needs x-oss-callback');

    function addIssue(header: string, message: string): void {
      context.addIssue({ code: 'custom', path: [header], message });
    }
  });

/**
 * Everything that is signed for a rule whatever a request asks for: its `headers`, and the defaults for Content-Disposition and
 * Cache-Control where it neither sets them, nor leaves them to clients, nor says `none`.
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

/** The metadata that a rule sets by its headers, by name without `x-oss-meta-`. */
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

/** Says whether a header, in lower case, has a default that the value turns off. */
function isTurnedOff(name: string, value: string): boolean {
  return (
    value.toLowerCase() === 'none' &&
    Object.keys(DEFAULT_HEADERS).some((field) => CLIENT_HEADERS[field as ClientHeader].toLowerCase() === name)
  );
}

function possibleHeaders(header: string): string {
  const known = Object.keys(HEADER_VALUES);
  const closest = closestName(header, known);
  if (closest !== undefined) return `did you mean "${closest}"?`;
  const standard = known.filter((name) => !name.startsWith('x-oss-'));
  return `possible: ${standard.join(', ')}, x-oss-meta-… and the x-oss-… headers of PutObject`;
}

function valueSchema(name: string): z.ZodType<string> | undefined {
  if (/^x-oss-meta-[a-z0-9-]{1,64}$/.test(name)) return METADATA_VALUE;
  return Object.hasOwn(HEADER_VALUES, name) ? HEADER_VALUES[name] : undefined;
}

/** The headers that a request may set as well have one spelling, so that each stands once in an answer. */
function usualSpelling(header: string): string {
  return (
    Object.values(CLIENT_HEADERS).find((usual) => usual.toLowerCase() === header.toLowerCase()) ?? header
  );
}
