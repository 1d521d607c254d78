import { z } from 'zod';
import { type Fault, ServiceError, summarizeFaults } from '../errors.ts';
import { HEADER_VALUE } from '../policy/file/rule-headers.ts';
import { isMediaType } from '../policy/media-type.ts';
import type { UploadRequest } from '../policy/upload-request.ts';

/** OSS's limit for all `x-oss-meta-*` headers of an object together, names and values. */
const MAX_METADATA_BYTES = 8192;

const headerText = z
  .string()
  .max(1024, 'must have at most 1024 characters')
  .regex(HEADER_VALUE, 'must be printable ASCII, without blanks at its ends, and not empty');

const metadata = z
  .record(
    z.string().regex(/^[A-Za-z0-9-]{1,128}$/, 'as a name must be 1–128 letters, digits or "-"'),
    z.string().regex(/^[ -~]*[!-~][ -~]*$/, 'must be printable ASCII and not blank'),
  )
  .superRefine((entries, context) => {
    const names = Object.keys(entries).map((name) => name.toLowerCase());
    const bytes = Object.entries(entries).reduce(
      (sum, [name, value]) => sum + `x-oss-meta-${name}`.length + value.trim().length,
      0,
    );
    if (bytes > MAX_METADATA_BYTES) {
      context.addIssue(
        `has ${bytes} bytes, names (with "x-oss-meta-") and values; at most ${MAX_METADATA_BYTES} are allowed`,
      );
    }
    for (const [index, name] of Object.keys(entries).entries()) {
      if (names.indexOf(name.toLowerCase()) === index) continue;
      context.addIssue({ code: 'custom', path: [name], message: 'stands twice; names are lower-cased' });
    }
  })
  .transform((entries) =>
    Object.fromEntries(Object.entries(entries).map(([name, value]) => [name.toLowerCase(), value.trim()])),
  );

/** The body of `POST /v1/uploads`; also the source of its part of `openapi.yaml`. */
export const uploadRequestBody = z.strictObject({
  key: z.string().optional().meta({
    description: 'The whole object key, as it will be in the bucket. Either key or filename, never both.',
  }),
  filename: z
    .string()
    .min(1, 'must not be empty')
    .max(1024, 'must have at most 1024 characters')
    .optional()
    .meta({
      description: 'The service makes the key: the rule’s prefix, a UUIDv7, and a safe lower-case extension.',
    }),
  contentType: z
    .string()
    .max(255, 'must have at most 255 characters')
    .refine(isMediaType, {
      message: 'must be one media type (RFC 9110), such as image/png or text/plain; charset=utf-8',
    })
    .meta({ description: 'A media type (RFC 9110 8.3.1).', examples: ['image/png'] }),
  contentLength: z
    .int('must be a whole number of bytes')
    .min(0, 'must not be negative')
    .optional()
    .meta({ description: 'The exact length in bytes; required unless the rule says maxSize: unlimited.' }),
  contentMd5: z
    .string()
    .regex(/^[A-Za-z0-9+/]{21}[AQgw]==$/, 'must be the base64 of the 16 bytes of an MD5 (RFC 1864)')
    .optional()
    .meta({ description: 'Base64 of the 16 bytes of the MD5 (RFC 1864); OSS then refuses damaged bytes.' }),
  metadata: metadata.default({}).meta({
    description: 'Becomes `x-oss-meta-<name>`. Names are lower-cased, values trimmed; 8 KiB in all.',
  }),
  cacheControl: headerText.optional().meta({ description: 'Where the rule’s clientHeaders allows it.' }),
  contentDisposition: headerText
    .optional()
    .meta({ description: 'Where the rule’s clientHeaders allows it.' }),
  contentEncoding: headerText.optional().meta({ description: 'Where the rule’s clientHeaders allows it.' }),
  expiresIn: z.int('must be a whole number of seconds').min(1, 'must be at least 1').optional().meta({
    description:
      'Seconds. Default and maximum come from the rule; more than the maximum is refused, not cut.',
  }),
  overwrite: z
    .boolean()
    .default(false)
    .meta({ description: 'true needs a rule that allows it; else an existing object is never replaced.' }),
  target: z
    .string()
    .min(1, 'must not be empty')
    .max(64, 'must have at most 64 characters')
    .optional()
    .meta({ description: 'One of the policy’s targets; only needed to choose among rules.' }),
});

// Zod's code generator: takes what the schema takes, and leaves everything else to the schema, which says why.
const compiledBody = z.compile(uploadRequestBody);

/**
 * Checks the body of `POST /v1/uploads`.
 * @throws ServiceError `invalid_request` with every fault at once, each by its JSON pointer (RFC 6901).
 */
export function parseUploadRequestBody(body: unknown): UploadRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ServiceError('invalid_request', 'The body must be a JSON object.');
  }
  const parsed = compiledBody.safeParse(body);
  if (parsed.success && Object.hasOwn(body, 'key') !== Object.hasOwn(body, 'filename')) return parsed.data;
  const errors = [...(parsed.error?.issues ?? []).flatMap(faultsOf), ...keyOrFilenameFaults(body)];
  throw new ServiceError('invalid_request', summarizeFaults(errors), { errors });
}

function keyOrFilenameFaults(body: object): readonly Fault[] {
  const hasKey = Object.hasOwn(body, 'key');
  if (hasKey !== Object.hasOwn(body, 'filename')) return [];
  return [
    hasKey
      ? { pointer: '/filename', code: 'conflict', detail: 'Send either key or filename, not both.' }
      : { pointer: '/key', code: 'required', detail: 'Send key or filename.' },
  ];
}

function faultsOf(issue: z.core.$ZodIssue): readonly Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: pointerOf([...issue.path, key]),
      code: 'unknown_field',
      detail: `The field ${JSON.stringify(key)} is not known; leave it out.`,
    }));
  }
  const pointer = pointerOf(issue.path);
  const field = String(issue.path.at(-1) ?? 'body');
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({
      pointer,
      code: 'invalid_value',
      detail: `${field} ${message}.`,
    }));
  }
  if (issue.code === 'invalid_type') {
    const isMissing = issue.message.endsWith('received undefined');
    return [
      isMissing
        ? { pointer, code: 'required', detail: `${field} is required.` }
        : {
            pointer,
            code: 'invalid_type',
            detail: `${field} must be ${TYPE_NAMES[issue.expected] ?? issue.expected}.`,
          },
    ];
  }
  return [{ pointer, code: 'invalid_value', detail: `${field} ${issue.message}.` }];
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  record: 'an object of strings',
  object: 'an object',
};

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
