import { z } from 'zod';
import {
  MAX_EXPIRES_IN_SECONDS,
  MAX_METADATA_BYTES,
  MAX_MULTIPART_BYTES,
  MAX_PART_BYTES,
  MAX_PUT_BYTES,
  MIN_PART_BYTES,
} from '../../storage/limits.ts';
import { isFormHeader } from '../../storage/oss/form-fields.ts';
import { canBeAdded } from '../../storage/oss/header-values.ts';
import { isMultipartHeader } from '../../storage/oss/multipart-headers.ts';
import { ACTIONS, type Action, TRANSFERS, type Transfer } from '../actions.ts';
import { parseClaimReference } from '../claim-reference.ts';
import { CLIENT_HEADERS, type ClientHeader } from '../client-headers.ts';
import { GRANT_ID_METADATA, GRANT_MARK_BYTES } from '../grant-mark.ts';
import { isMediaRange } from '../media-type.ts';
import { metadataBytes } from '../metadata-size.ts';
import type { ClaimCondition } from '../policy.ts';
import { parsePrefixTemplate } from '../prefix-template.ts';
import { deadRangeFault } from '../wildcard-types.ts';
import { notifySchema } from './notify-schema.ts';
import { addedHeadersSchema, metadataOfHeaders } from './rule-headers.ts';
import { durationSeconds, name, sizeBytes, text } from './schema-parts.ts';

const MAX_CLAIM_VALUE_LENGTH = 1024;

const acceptedValue = z.union([
  z
    .string()
    .min(1, 'must not be empty')
    .max(MAX_CLAIM_VALUE_LENGTH, `is longer than ${MAX_CLAIM_VALUE_LENGTH} characters`),
  z.int(),
  z.boolean(),
]);

/**
 * `who.claims`: the accepted values and patterns, by the name of a claim or a JSON pointer into
 * one.
 */
const claimConditions = z
  .record(z.string(), z.union([acceptedValue, z.array(acceptedValue).min(1, 'must not be empty')]))
  .transform((claims, context) => {
    const addIssue = (name: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [name], message });
    if (Object.keys(claims).length === 0) context.addIssue('must not be empty');
    return Object.entries(claims).flatMap(([name, accepted]): readonly ClaimCondition[] => {
      const claim = parseClaimReference(name);
      if (typeof claim === 'string') addIssue(name, `as the name of a claim ${claim}`);
      const all = [accepted].flat();
      const patterns = all.filter((value) => typeof value === 'string' && value.includes('*'));
      for (const fault of new Set(patterns.map(patternFault))) if (fault !== undefined) addIssue(name, fault);
      if (typeof claim === 'string') return [];
      return [
        {
          claim,
          values: all.filter((value) => !patterns.includes(value)),
          prefixes: patterns.map((pattern) => String(pattern).slice(0, -1)),
        },
      ];
    });
  });

/** Returns the fault of a value that contains a `*`, or undefined if it is a pattern. */
function patternFault(pattern: unknown): string | undefined {
  if (pattern === '*')
    return 'must name values, or a pattern such as eng-*; "*" alone would match every value';
  if (/^[^*]+\*$/.test(String(pattern))) return undefined;
  return 'has a "*" that is not at the end; a pattern has one "*", at its end, such as eng-*';
}

const whoSchema = z
  .strictObject({
    issuer: text.optional().meta({ description: 'An `issuer` of `issuers`.' }),
    scope: z
      .union([text, z.array(text).min(1)])
      .refine((scope) => ![scope].flat().some((one) => /,\s/.test(one)), {
        message: 'has a comma between scopes; write several as a list, such as [uploads:read, uploads:write]',
        abort: true,
      })
      .transform((scope) => [scope].flat().flatMap((one) => one.split(/\s+/)))
      .optional()
      .meta({ description: 'The token must have all of these scopes.' }),
    claims: claimConditions.optional().meta({
      description: 'By claim, or JSON pointer into one, the accepted values. A value may end in `*`.',
    }),
  })
  .refine((who) => Object.keys(who).length > 0, {
    message: 'would match every caller: name at least one of scope, claims and issuer',
  });

const metadataName = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, 'must be 1–64 characters of a-z, 0-9 and "-"')
  .refine(
    (name) => !name.startsWith('x-oss-meta-'),
    'must not begin with "x-oss-meta-", which the service adds',
  )
  .refine((name) => name !== GRANT_ID_METADATA, 'is the name under which the service marks objects');

/** The fields that a rule with `upload` needs; no default would be closed and useful. */
export const REQUIRED_FOR_UPLOADS = ['contentTypes', 'maxSize'] as const;

/** The fields that mean nothing in a rule whose `transfers` does not have `multipart`. */
export const MULTIPART_FIELDS = ['partSize', 'uploadExpiresIn'] as const;

const DEFAULT_PART_SIZE = 8 * 1024 ** 2;

const UPLOAD_FIELDS = [
  ...REQUIRED_FOR_UPLOADS,
  ...(['naming', 'keepFilename', 'transfers', 'metadata', 'overwrite', 'clientHeaders', 'headers'] as const),
  ...(['receipts', 'receiptAudience', 'receiptExpiresIn', 'callback', 'notify'] as const),
  ...MULTIPART_FIELDS,
] as const;

/**
 * The fields that belong to some actions only. In a rule with none of these actions the field is an
 * error, because it would mean nothing.
 */
export const FIELD_ACTIONS: Readonly<Record<string, readonly Action[]>> = {
  ...Object.fromEntries(UPLOAD_FIELDS.map((field) => [field, ['upload']])),
  expiresIn: ['upload', 'download'],
  inline: ['download'],
};

/**
 * One entry of `rules`. Every bound is required, or its default allows nothing. `parse-policy.ts`
 * checks which fields belong to its actions.
 */
export const ruleSchema = z
  .strictObject({
    name: name.meta({ description: 'The name of the rule, for logs, metrics and other rules.' }),
    actions: z
      .array(z.enum(ACTIONS))
      .min(1, 'must name at least one action')
      .default(['upload'])
      .transform((actions) => [...new Set(actions)])
      .meta({
        description:
          'The actions that the rule allows: `upload`, `download`, and `confirm` for the uploads of other callers.',
      }),
    who: whoSchema.meta({ description: 'The conditions that a token must meet; at least one.' }),
    target: name.meta({ description: 'A name of `targets`.' }),
    prefix: z
      .string()
      .meta({
        description: 'Every key begins with this. `{claim}` becomes the value of that claim. It ends in `/`.',
      })
      .transform((source, context) => {
        const template = parsePrefixTemplate(source);
        if (typeof template !== 'string') return template;
        context.addIssue(template);
        return z.NEVER;
      }),
    naming: z.enum(['client', 'server', 'either']).default('either').meta({
      description:
        'Whether the client (`key`) or the service (`filename`) creates the object key, or either.',
    }),
    keepFilename: z
      .boolean()
      .default(false)
      .meta({ description: 'Signs the file name into `Content-Disposition` (with `filename`).' }),
    transfers: z
      .array(z.enum(TRANSFERS))
      .min(1, 'must name at least one transfer')
      .default(['put'])
      .transform((transfers) => [...new Set(transfers)])
      .meta({
        description: 'How clients may send the bytes: in a `PUT`, in a `form`, or in parts (`multipart`).',
      }),
    partSize: sizeBytes
      .refine(
        (bytes) => bytes >= MIN_PART_BYTES && bytes <= MAX_PART_BYTES,
        'must be a size from 100KiB to 5GiB, the limits of OSS for a part',
      )
      .default(DEFAULT_PART_SIZE)
      .meta({
        description: 'The size of the parts of a multipart upload, 100KiB to 5GiB. By default 8MiB.',
      }),
    uploadExpiresIn: durationSeconds.default(MAX_EXPIRES_IN_SECONDS).meta({
      description: 'How long a multipart upload can be continued, up to 7d. By default 7d.',
    }),
    contentTypes: z
      .array(
        z
          .string()
          .refine(
            isMediaRange,
            'must be a media type such as image/png, or a range such as image/*, without parameters',
          )
          .transform((range, context) => {
            const lowerCase = range.toLowerCase();
            const fault = deadRangeFault(lowerCase);
            if (fault !== undefined) context.addIssue(fault);
            return lowerCase;
          }),
      )
      .min(1, 'must name at least one media type')
      .optional()
      .meta({
        description:
          'Media types, and ranges such as `image/*`, which match registered types only. Required for `upload`.',
      }),
    maxSize: z
      .union([z.literal('unlimited').transform(() => null), sizeBytes], {
        error: () => 'must be "unlimited" or a size greater than 0, such as 500KiB, 50MiB or 1GB',
      })
      .refine(
        (bytes) => bytes === null || bytes <= MAX_MULTIPART_BYTES,
        'must not be more than 48.8 TiB, the limit of OSS for an object',
      )
      .optional()
      .meta({
        description:
          'The largest upload, up to 5GiB, or 48.8TiB with `multipart`; or `unlimited`, which leaves the length of a PUT unsigned. Required for `upload`.',
      }),
    expiresIn: z
      .union([
        durationSeconds.transform((seconds) => ({ default: seconds, max: seconds })),
        z.strictObject({
          default: durationSeconds
            .optional()
            .meta({ description: 'The lifetime if the request has no `expiresIn`.' }),
          max: durationSeconds
            .optional()
            .meta({ description: 'The longest lifetime that a request may ask for.' }),
        }),
      ])
      .default({})
      .transform((expiresIn) => {
        const maxSeconds = expiresIn.max ?? Math.max(expiresIn.default ?? 0, 3600);
        return { defaultSeconds: expiresIn.default ?? Math.min(600, maxSeconds), maxSeconds };
      })
      .refine(
        (expiresIn) => expiresIn.defaultSeconds <= expiresIn.maxSeconds,
        'has a default that is longer than its max',
      )
      .meta({
        description: 'How long a URL is valid, up to 7d. One duration sets both. By default 10m and 1h.',
      }),
    metadata: z
      .strictObject({
        allowed: z
          .array(metadataName)
          .default([])
          .meta({ description: 'Names that clients may send, without `x-oss-meta-`.' }),
        required: z.array(metadataName).default([]).meta({ description: 'Names that clients must send.' }),
      })
      .default({ allowed: [], required: [] })
      .transform(({ allowed, required }) => ({ allowed: [...new Set([...allowed, ...required])], required }))
      .meta({ description: 'The metadata names that clients may send, and must send.' }),
    overwrite: z
      .boolean()
      .default(false)
      .meta({ description: 'Lets a request with `overwrite: true` replace an object.' }),
    sharesPrefixWith: z
      .array(name)
      .default([])
      .meta({ description: 'Rules whose callers may use the same folder, without a warning.' }),
    clientHeaders: z
      .array(z.enum(Object.keys(CLIENT_HEADERS) as [ClientHeader, ...ClientHeader[]]))
      .default([])
      .meta({ description: 'The headers that requests may set.' }),
    headers: addedHeadersSchema
      .default({})
      .meta({ description: 'Headers that are added to every upload and signed.' }),
    inline: z
      .boolean()
      .default(false)
      .meta({ description: 'Lets a download ask to be shown in the browser.' }),
    receipts: z.boolean().default(true).meta({
      description: 'Whether an upload has an id, and a receipt once the service has seen the object.',
    }),
    receiptAudience: text
      .max(1024)
      .optional()
      .meta({ description: 'The `aud` of receipts. By default `PUBLIC_URL`.' }),
    receiptExpiresIn: durationSeconds
      .default(3600)
      .meta({ description: 'How long a receipt is valid, up to 7d. By default 1h.' }),
    callback: z.boolean().default(false).meta({
      description:
        'Whether OSS calls the service when a PUT or a form is stored, so that the upload is confirmed at once.',
    }),
    notify: notifySchema.optional().meta({
      description: 'The backend that the service notifies of each confirmed upload.',
    }),
    limits: z
      .strictObject({
        requestsPerMinute: z
          .int()
          .min(1)
          .max(1_000_000)
          .optional()
          .meta({ description: 'Requests per minute that the policy allows a caller under this rule.' }),
        bytesPerDay: sizeBytes
          .optional()
          .meta({ description: 'Granted bytes of a caller per day; needs a `maxSize`.' }),
      })
      .default({})
      .meta({ description: 'Limits per caller.' }),
  })
  .superRefine((rule, context) => {
    const ownBytes = metadataBytes(metadataOfHeaders(rule.headers));
    if (rule.receipts && rule.naming !== 'server' && ownBytes + GRANT_MARK_BYTES > MAX_METADATA_BYTES) {
      context.addIssue({
        code: 'custom',
        path: ['headers'],
        message: `has ${ownBytes} bytes of x-oss-meta-… names and values, and the service adds ${GRANT_MARK_BYTES} for receipts; OSS takes at most ${MAX_METADATA_BYTES} for an object`,
      });
    }
    const addedNames = new Set(Object.keys(rule.headers).map((header) => header.toLowerCase()));
    for (const header of rule.clientHeaders) {
      if (!addedNames.has(CLIENT_HEADERS[header].toLowerCase())) continue;
      context.addIssue({
        code: 'custom',
        path: ['headers'],
        message: `sets ${CLIENT_HEADERS[header]}, which clientHeaders leaves to the client; remove one of the two`,
      });
    }
    for (const message of rule.keepFilename ? keepFilenameFaults(rule) : []) {
      context.addIssue({ code: 'custom', path: ['keepFilename'], message });
    }
    for (const header of rule.transfers.includes('form') ? Object.keys(rule.headers) : []) {
      if (isFormHeader(header) || !canBeAdded(header)) continue;
      context.addIssue({
        code: 'custom',
        path: ['headers', header],
        message: 'cannot be part of a form; remove it, or leave form out of transfers',
      });
    }
    if (rule.notify && !rule.receipts) {
      context.addIssue({
        code: 'custom',
        path: ['receipts'],
        message:
          'must not be false with notify, because uploads are confirmed by their upload id; remove one of the two',
      });
    }
    for (const { path, message } of rule.transfers.includes('multipart')
      ? multipartFaults(rule)
      : tooLargeFaults(rule))
      context.addIssue({ code: 'custom', path: [...path], message });
    for (const { path, message } of rule.callback ? callbackFaults(rule) : [])
      context.addIssue({ code: 'custom', path: [...path], message });
    for (const metadata of rule.metadata.allowed) {
      if (!addedNames.has(`x-oss-meta-${metadata}`)) continue;
      context.addIssue({
        code: 'custom',
        path: ['headers'],
        message: `sets x-oss-meta-${metadata}, which metadata leaves to the client`,
      });
    }
    if (rule.limits.bytesPerDay !== undefined && rule.maxSize === null) {
      context.addIssue({
        code: 'custom',
        path: ['limits', 'bytesPerDay'],
        message: 'needs a maxSize: bytes cannot be counted where the length is not bound',
      });
    }
  });

type Fault = { readonly path: readonly string[]; readonly message: string };

/** Reports the fields of a rule that contradict `multipart` in `transfers`. */
function multipartFaults({
  receipts,
  headers,
}: {
  readonly receipts: boolean;
  readonly headers: Readonly<Record<string, string>>;
}): readonly Fault[] {
  const faults: Fault[] = [];
  if (!receipts)
    faults.push({
      path: ['receipts'],
      message:
        'must not be false with multipart in transfers, because parts need the upload id; remove one of the two',
    });
  for (const header of Object.keys(headers))
    if (!isMultipartHeader(header) && canBeAdded(header))
      faults.push({
        path: ['headers', header],
        message: 'cannot be part of a multipart upload; remove it, or leave multipart out of transfers',
      });
  return faults;
}

/** Reports the fields of a rule that contradict `callback: true`. */
function callbackFaults({
  receipts,
  transfers,
  headers,
}: {
  readonly receipts: boolean;
  readonly transfers: readonly Transfer[];
  readonly headers: Readonly<Record<string, string>>;
}): readonly Fault[] {
  const faults: Fault[] = [];
  if (!receipts)
    faults.push({
      path: ['receipts'],
      message:
        'must not be false with callback: true, because the callback sends the upload id; remove one of the two',
    });
  if (!transfers.includes('put') && !transfers.includes('form'))
    faults.push({
      path: ['callback'],
      message:
        'needs put or form in transfers, because the service completes multipart uploads itself; leave it out',
    });
  for (const header of Object.keys(headers))
    if (/^x-oss-callback/i.test(header))
      faults.push({
        path: ['headers', header],
        message:
          'cannot be used with callback: true, which signs a callback of the service; remove one of the two',
      });
  return faults;
}

/** Reports a size that neither a PUT nor a form can have. */
function tooLargeFaults({ maxSize }: { readonly maxSize?: number | null | undefined }): readonly Fault[] {
  if (maxSize === undefined || maxSize === null || maxSize <= MAX_PUT_BYTES) return [];
  const message =
    'must not be more than 5 GiB, the limit of OSS for one PUT; for larger files, add multipart to transfers';
  return [{ path: ['maxSize'], message }];
}

/** Reports the fields of a rule that contradict `keepFilename: true`. */
function keepFilenameFaults(rule: {
  readonly naming: string;
  readonly clientHeaders: readonly ClientHeader[];
  readonly headers: Readonly<Record<string, string>>;
}): readonly string[] {
  const faults: string[] = [];
  if (rule.naming === 'client') {
    faults.push('needs naming: server or either, because with naming: client a request has no file name');
  }
  if (rule.clientHeaders.includes('contentDisposition')) {
    faults.push('sets Content-Disposition, which clientHeaders leaves to the client; remove one of the two');
  }
  for (const [header, value] of Object.entries(rule.headers)) {
    if (header.toLowerCase() !== 'content-disposition' || /^(?:attachment|inline)$/i.test(value)) continue;
    faults.push(
      'adds the file name to Content-Disposition, which headers may then set to attachment or inline only',
    );
  }
  return faults;
}
