import { z } from 'zod';

/** The request fields that set a header of the object, and their headers. Signed whenever they are in the answer. */
export const CLIENT_HEADERS = {
  cacheControl: 'Cache-Control',
  contentDisposition: 'Content-Disposition',
  contentEncoding: 'Content-Encoding',
} as const;
export type ClientHeader = keyof typeof CLIENT_HEADERS;
/** Those fields, listed once for all requests. */
export const CLIENT_HEADER_FIELDS = Object.keys(CLIENT_HEADERS) as readonly ClientHeader[];

/** Values that every HTTP client sends as they are: printable ASCII without blanks at the ends (OSS facts, 1.6). */
export const HEADER_VALUE = /^[!-~](?:[ -~]*[!-~])?$/;

const anyValue = z
  .string()
  .regex(HEADER_VALUE, 'must be printable ASCII, without blanks at its ends, and not empty');

// What PutObject takes besides what the request itself decides (Content-Type, Content-Length, Content-MD5,
// x-oss-forbid-overwrite). Source: OSS PutObject, request headers.
const ADDED_HEADERS: Readonly<Record<string, z.ZodType<string>>> = {
  'cache-control': anyValue,
  'content-disposition': anyValue,
  'content-encoding': anyValue,
  expires: anyValue,
  'x-oss-object-acl': z.enum(['default', 'private', 'public-read', 'public-read-write']),
  'x-oss-storage-class': z.enum(['Standard', 'IA', 'Archive', 'ColdArchive', 'DeepColdArchive']),
  'x-oss-server-side-encryption': z.enum(['AES256', 'KMS', 'SM4']),
  'x-oss-server-side-encryption-key-id': anyValue,
  'x-oss-server-side-data-encryption': z.enum(['SM4']),
  'x-oss-tagging': anyValue,
  'x-oss-callback': anyValue,
  'x-oss-callback-var': anyValue,
  'x-oss-traffic-limit': z
    .string()
    .refine((value) => /^\d{6,9}$/.test(value) && Number(value) >= 819_200 && Number(value) <= 838_860_800, {
      message: 'must be 819200 to 838860800 (bit/s)',
    }),
  'x-oss-request-payer': z.enum(['requester']),
};

/** A rule's `headers`: what is added to every answer of the rule and signed. Refuses what OSS would not take. */
export const addedHeadersSchema = z
  .record(z.string(), z.union([z.string(), z.int()]).transform(String))
  .superRefine((headers, context) => {
    const seen = new Set<string>();
    for (const [header, value] of Object.entries(headers)) {
      const name = header.toLowerCase();
      const schema = /^x-oss-meta-[a-z0-9-]{1,64}$/.test(name)
        ? anyValue
        : Object.hasOwn(ADDED_HEADERS, name)
          ? ADDED_HEADERS[name]
          : undefined;
      if (seen.has(name)) addIssue(header, 'stands twice');
      seen.add(name);
      if (!schema) {
        addIssue(
          header,
          `cannot be added by a rule; possible are ${Object.keys(ADDED_HEADERS).join(', ')} and x-oss-meta-…`,
        );
        continue;
      }
      for (const issue of schema.safeParse(value).error?.issues ?? []) addIssue(header, issue.message);
    }

    function addIssue(header: string, message: string): void {
      context.addIssue({ code: 'custom', path: [header], message });
    }
  });
