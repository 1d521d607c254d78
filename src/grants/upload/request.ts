import { z } from 'zod';
import { TRANSFERS } from '../../policy/actions.ts';
import { isMediaType } from '../../policy/media-type.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { MAX_KEY_BYTES, MAX_METADATA_BYTES } from '../../storage/limits.ts';
import { HEADER_VALUE } from '../../text/header-value.ts';
import { type Found, faultsOf, invalidRequest, requireObject } from '../request-faults.ts';
import { boundedText, MD5, MD5_FAULT, target, validitySeconds } from '../request-fields.ts';

/** The most entries that fit into these bytes: each has a name and a value of one character. */
const MAX_METADATA_ENTRIES = Math.floor(MAX_METADATA_BYTES / 'x-oss-meta-nv'.length);

type Rejected = { readonly input?: unknown };

/** A header's value. The message names its first fault. */
const headerText = (notAscii: string) =>
  boundedText(1024).regex(HEADER_VALUE, {
    error: ({ input }: Rejected) => {
      if (input === '') return 'must not be empty';
      return /^[ -~]*$/.test(String(input)) ? 'must not begin or end with a blank' : notAscii;
    },
  });

const NOT_ASCII = 'must be printable ASCII';

const metadata = z
  .record(
    boundedText(128, 'as a name must have at most 128 characters').regex(
      /^[A-Za-z0-9-]+$/,
      'as a name must be letters, digits or "-", at least one',
    ),
    boundedText(MAX_METADATA_BYTES).regex(/^ *[!-~][ -~]*$/, {
      error: ({ input }: Rejected) =>
        /^ *$/.test(String(input))
          ? 'must not be blank'
          : 'must be printable ASCII; percent-encode it (encodeURIComponent) and decode it when you read it',
    }),
  )
  .superRefine((entries, context) => {
    let bytes = 0;
    const names = new Set<string>();
    for (const [sentName, value] of Object.entries(entries)) {
      const name = sentName.toLowerCase();
      bytes += `x-oss-meta-${name}`.length + value.trim().length;
      if (names.has(name)) {
        context.addIssue({
          code: 'custom',
          path: [sentName],
          message: 'is sent twice, because names are lower-cased',
        });
      }
      names.add(name);
    }
    if (bytes > MAX_METADATA_BYTES) {
      context.addIssue(
        `has ${bytes} bytes, names (with "x-oss-meta-") and values; at most ${MAX_METADATA_BYTES} are allowed`,
      );
    }
  })
  .transform((entries) =>
    Object.fromEntries(Object.entries(entries).map(([name, value]) => [name.toLowerCase(), value.trim()])),
  );

/** The body of `POST /v1/uploads`, and the source of its part of `openapi.yaml`. */
export const uploadRequestBody = z
  .strictObject({
    // The policy checks the length first, and denies a key that is too long like any other bad key.
    key: z.string().optional().meta({
      maxLength: MAX_KEY_BYTES,
      description:
        'The whole object key, as it will be in the bucket: at most 1023 bytes of UTF-8. Send either `key` or `filename`.',
    }),
    filename: boundedText(1024).min(1, 'must not be empty').optional().meta({
      description:
        'The service creates the key: the rule’s prefix, a UUIDv7, and the name’s extension if files of contentType have it.',
    }),
    contentType: boundedText(255)
      .refine(isMediaType, {
        error: ({ input }: Rejected) =>
          input === ''
            ? 'is empty, because the browser does not know the type of the file; send a type that the policy allows, such as application/octet-stream'
            : 'must be one media type, such as image/png or text/plain; charset=UTF-8',
      })
      .meta({
        description:
          'One media type (RFC 9110 8.3.1), or what browsers produce for recordings, such as `video/webm;codecs=vp8,opus`. It is signed exactly as sent.',
        examples: ['image/png', 'text/plain; charset=UTF-8'],
      }),
    contentLength: z.int('must be a whole number of bytes').min(0, 'must not be negative').optional().meta({
      description:
        'The exact length in bytes. Required unless the rule has `maxSize: unlimited`, or `maxContentLength` is sent. With `"transfer": "multipart"` always required, and at least 1.',
    }),
    maxContentLength: z
      .int('must be a whole number of bytes')
      .min(0, 'must not be negative')
      .optional()
      .meta({
        description:
          'With `"transfer": "form"`, instead of `contentLength`: the storage accepts a file of 0 to this many bytes. Limits count this many.',
      }),
    partSize: z.int('must be a whole number of bytes').min(1, 'must be at least 1').optional().meta({
      description:
        'With `"transfer": "multipart"`: the bytes of each part but the last one. Ignored outside of 100 KiB to 5 GiB; the rule’s `partSize` then applies. The service raises either until there are at most 10,000 parts.',
    }),
    contentMd5: boundedText(24, MD5_FAULT).regex(MD5, MD5_FAULT).optional().meta({
      description:
        'Base64 of the 16 bytes of the MD5 (RFC 1864). OSS then rejects bytes that differ. With `"transfer": "put"` only.',
    }),
    metadata: metadata.default({}).meta({
      description:
        'Becomes `x-oss-meta-<name>`. Names are 1–128 letters, digits or `-`, and are lower-cased. Values are printable ASCII and are trimmed; percent-encode other characters. At most 8 KiB in all, names (with `x-oss-meta-`) and values.',
    }),
    cacheControl: headerText(NOT_ASCII).optional().meta({
      description: 'The object’s `Cache-Control`, if the rule’s `clientHeaders` allows it.',
    }),
    contentDisposition: headerText(
      "must be printable ASCII; write other characters of a file name as in attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf (RFC 6266)",
    )
      .optional()
      .meta({
        description:
          'The object’s `Content-Disposition`, if the rule’s `clientHeaders` allows it. Write a file name that is not ASCII as `filename*` (RFC 6266, RFC 8187).',
        examples: ["attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf"],
      }),
    contentEncoding: headerText(NOT_ASCII).optional().meta({
      description: 'The object’s `Content-Encoding`, if the rule’s `clientHeaders` allows it.',
    }),
    expiresIn: validitySeconds.optional().meta({
      description:
        'How long the URL is to be valid, in seconds. The rule has a default and a maximum; a higher value is denied, not reduced. Not with `"transfer": "multipart"`, whose parts are signed later.',
    }),
    overwrite: z.boolean().default(false).meta({
      description:
        '`true` replaces an existing object, if the rule allows it. If it is left out or `false`, an existing object is never replaced.',
    }),
    target,
    transfer: z.enum(TRANSFERS, 'must be put, form or multipart').default('put').meta({
      description:
        'How the bytes will be sent, if the rule’s `transfers` allows it: `put` (the default), `form` for mini programs and HTML forms, or `multipart` for large files.',
    }),
  })
  .meta({ oneOf: [{ required: ['key'] }, { required: ['filename'] }] });

/** The request field for each member of a browser's `File`, and for other common names. */
const FILE_MEMBERS: Readonly<Record<string, string>> = {
  name: 'filename',
  size: 'contentLength',
  fileSize: 'contentLength',
  type: 'contentType',
  mimeType: 'contentType',
  md5: 'contentMd5',
};

const KNOWN = { fields: Object.keys(uploadRequestBody.shape), aliases: FILE_MEMBERS };

// Generated by Zod: accepts valid bodies quickly. The schema checks the others and reports their
// faults.
const compiledBody = z.compile(uploadRequestBody);

const NO_FAULTS: readonly Found[] = [];

/**
 * Checks the body of `POST /v1/uploads` in linear time.
 * @throws ServiceError `invalid_request` with the faults, each by its JSON pointer (RFC 6901).
 */
export function parseUploadRequestBody(body: unknown): UploadRequest {
  return parseUploadRequest(requireObject(body), NO_FAULTS);
}

/**
 * Checks one upload request in linear time.
 * @param others further faults of the request, which are reported with those of the schema.
 * @throws ServiceError `invalid_request` with the faults, each by its JSON pointer (RFC 6901).
 */
export function parseUploadRequest(sent: object, others: readonly Found[]): UploadRequest {
  rejectTooManyEntries(sent);
  const parsed = compiledBody.safeParse(sent);
  if (
    parsed.success &&
    others.length === 0 &&
    Object.hasOwn(sent, 'key') !== Object.hasOwn(sent, 'filename') &&
    fitsTransfer(parsed.data)
  )
    return parsed.data;
  const found = [
    ...faultsOf(parsed.error?.issues ?? [], sent, KNOWN),
    ...namingFaults(sent),
    ...transferFaults(sent),
    ...others,
  ];
  throw invalidRequest(found);
}

function rejectTooManyEntries(body: object): void {
  const sent = (body as { readonly metadata?: unknown }).metadata;
  if (typeof sent !== 'object' || sent === null) return;
  let count = 0;
  for (const _name in sent) count++;
  if (count <= MAX_METADATA_ENTRIES) return;
  const detail = `metadata has ${count} entries; at most ${MAX_METADATA_ENTRIES} are allowed.`;
  throw invalidRequest([() => ({ pointer: '/metadata', code: 'invalid_value', detail })]);
}

function namingFaults(body: object): readonly Found[] {
  const hasKey = Object.hasOwn(body, 'key');
  if (hasKey !== Object.hasOwn(body, 'filename')) return [];
  return [
    () =>
      hasKey
        ? { pointer: '/filename', code: 'conflict', detail: 'Send either key or filename, not both.' }
        : { pointer: '/key', code: 'required', detail: 'Send key or filename.' },
  ];
}

/** Whether a request has the fields that its transfer needs, and none that it cannot have. */
function fitsTransfer({ transfer, contentLength, ...request }: UploadRequest): boolean {
  const { contentMd5, maxContentLength, partSize, expiresIn } = request;
  switch (transfer) {
    case 'put':
      return maxContentLength === undefined && partSize === undefined;
    case 'form':
      return (
        contentMd5 === undefined &&
        partSize === undefined &&
        (contentLength === undefined || maxContentLength === undefined)
      );
    case 'multipart':
      return (
        contentLength !== undefined &&
        contentLength >= 1 &&
        contentMd5 === undefined &&
        maxContentLength === undefined &&
        expiresIn === undefined
      );
  }
}

function transferFaults(body: object): readonly Found[] {
  const { transfer = 'put', contentLength } = body as Readonly<Record<string, unknown>>;
  const has = (field: string) => Object.hasOwn(body, field);
  switch (transfer) {
    case 'put':
      return [
        ...(has('maxContentLength') ? [maxContentLengthWithoutForm] : []),
        ...(has('partSize') ? [partSizeWithoutParts] : []),
      ];
    case 'form':
      return [
        ...(has('contentLength') && has('maxContentLength') ? [twoLengths] : []),
        ...(has('contentMd5') ? [md5OfForm] : []),
        ...(has('partSize') ? [partSizeWithoutParts] : []),
      ];
    case 'multipart':
      return [
        ...(has('contentLength') ? [] : [lengthOfParts('required')]),
        ...(contentLength === 0 ? [lengthOfParts('invalid_value')] : []),
        ...(has('maxContentLength') ? [maxContentLengthWithoutForm] : []),
        ...(has('contentMd5') ? [md5OfParts] : []),
        ...(has('expiresIn') ? [expiryOfParts] : []),
      ];
    default:
      return [];
  }
}

/** The fault of a field that a request cannot have together with another one. */
const conflict =
  (field: string, detail: string): Found =>
  () => ({ pointer: `/${field}`, code: 'conflict', detail });

const maxContentLengthWithoutForm = conflict(
  'maxContentLength',
  'maxContentLength is for "transfer": "form" only; send the exact contentLength.',
);
const partSizeWithoutParts = conflict(
  'partSize',
  'partSize is for "transfer": "multipart" only; leave it out.',
);
const twoLengths = conflict('maxContentLength', 'Send either contentLength or maxContentLength, not both.');
const md5OfForm = conflict(
  'contentMd5',
  'OSS cannot bind the MD5 of a form; leave contentMd5 out, or send "transfer": "put".',
);
const md5OfParts = conflict(
  'contentMd5',
  'OSS binds the MD5 of each part, not of the whole; leave contentMd5 out here, and send the MD5s of parts with POST /v1/uploads/parts.',
);
const expiryOfParts = conflict(
  'expiresIn',
  'The URLs of parts are signed later, and are valid as long as the rule allows; leave expiresIn out.',
);
const lengthOfParts =
  (code: 'required' | 'invalid_value'): Found =>
  () => ({
    pointer: '/contentLength',
    code,
    detail: 'A multipart upload needs the exact contentLength in bytes, at least 1.',
  });
