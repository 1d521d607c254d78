import { CLIENT_HEADERS, type ClientHeader } from './file/rule-headers.ts';
import { MAX_PUT_BYTES } from './file/schema-parts.ts';
import { mediaRangeAllows, mediaTypeEssence } from './media-type.ts';
import { objectKeyFaults } from './object-key.ts';
import type { PolicyRule } from './policy.ts';
import type { UploadRequest } from './upload-request.ts';

export type ViolationCode =
  | 'no_matching_rule'
  | 'key_outside_prefix'
  | 'key_not_allowed'
  | 'content_type_not_allowed'
  | 'too_large'
  | 'length_required'
  | 'metadata_not_allowed'
  | 'metadata_missing'
  | 'expiry_too_long'
  | 'overwrite_not_allowed'
  | 'header_not_allowed';

/** Why a request is not granted: where in it (RFC 6901 pointer), a stable code, one sentence that says what to change. */
export type Violation = { readonly pointer: string; readonly code: ViolationCode; readonly detail: string };

// A UUID, a dot and the longest extension: what a server-made name can add to the prefix.
const LONGEST_SERVER_MADE_NAME = 'x'.repeat(47);

/** Everything in the request that the rule does not allow; `prefix` is the rule's own for this caller. */
export function ruleViolations(
  rule: PolicyRule,
  prefix: string,
  request: UploadRequest,
): readonly Violation[] {
  return [
    ...keyViolations(rule, prefix, request),
    ...contentViolations(rule, request),
    ...metadataViolations(rule, request),
    ...headerViolations(rule, request),
    ...expiryAndOverwriteViolations(rule, request),
  ];
}

/** Why a rule does not apply to a caller with a claim that its prefix needs and that no key can hold. */
export function unusableClaim(claim: string): Violation {
  return {
    pointer: '',
    code: 'no_matching_rule',
    detail: `The token's claim "${claim}" cannot be part of an object key: it must be 1–128 printable ASCII characters without "/" or "\\", and not "." or "..".`,
  };
}

function* keyViolations(rule: PolicyRule, prefix: string, { key }: UploadRequest): Iterable<Violation> {
  if (key === undefined) {
    if (rule.naming === 'client') {
      yield {
        pointer: '/filename',
        code: 'key_not_allowed',
        detail: 'This rule does not make keys; send the whole object key as "key" instead of "filename".',
      };
    }
    const faults = objectKeyFaults(prefix + LONGEST_SERVER_MADE_NAME);
    for (const detail of faults)
      yield {
        pointer: '',
        code: 'key_not_allowed',
        detail: `The rule's prefix for this caller cannot be used. ${detail}`,
      };
    return;
  }
  if (rule.naming === 'server') {
    yield {
      pointer: '/key',
      code: 'key_not_allowed',
      detail: 'This rule makes the key itself; send "filename" instead of "key".',
    };
  }
  for (const detail of objectKeyFaults(key)) yield { pointer: '/key', code: 'key_not_allowed', detail };
  if (!key.startsWith(prefix)) {
    yield {
      pointer: '/key',
      code: 'key_outside_prefix',
      detail: `The key must begin with ${JSON.stringify(prefix)}.`,
    };
  }
}

function* contentViolations(
  rule: PolicyRule,
  { contentType, contentLength }: UploadRequest,
): Iterable<Violation> {
  const essence = mediaTypeEssence(contentType);
  if (essence === undefined || !rule.contentTypes.some((range) => mediaRangeAllows(range, essence))) {
    yield {
      pointer: '/contentType',
      code: 'content_type_not_allowed',
      detail: `The content type must be one of: ${rule.contentTypes.join(', ')} (what a browser runs is never part of a "*").`,
    };
  }
  if (contentLength === undefined) {
    if (rule.maxSize !== null)
      yield {
        pointer: '/contentLength',
        code: 'length_required',
        detail: 'The exact length of the file in bytes is required.',
      };
    return;
  }
  const maxBytes = rule.maxSize ?? MAX_PUT_BYTES;
  if (contentLength > maxBytes) {
    yield {
      pointer: '/contentLength',
      code: 'too_large',
      detail: `The file has ${contentLength} bytes; at most ${maxBytes} are allowed.`,
    };
  }
}

function* metadataViolations(
  { metadata: { allowed, required } }: PolicyRule,
  { metadata }: UploadRequest,
): Iterable<Violation> {
  for (const name of Object.keys(metadata)) {
    if (allowed.includes(name)) continue;
    yield {
      pointer: `/metadata/${name}`,
      code: 'metadata_not_allowed',
      detail: `The metadata entry "${name}" is not allowed; possible are: ${allowed.join(', ') || 'none'}.`,
    };
  }
  for (const name of required) {
    if (Object.hasOwn(metadata, name)) continue;
    yield {
      pointer: `/metadata/${name}`,
      code: 'metadata_missing',
      detail: `The metadata entry "${name}" is required.`,
    };
  }
}

function* headerViolations(rule: PolicyRule, request: UploadRequest): Iterable<Violation> {
  for (const field of Object.keys(CLIENT_HEADERS) as ClientHeader[]) {
    if (request[field] === undefined || rule.clientHeaders.includes(field)) continue;
    yield {
      pointer: `/${field}`,
      code: 'header_not_allowed',
      detail: `This rule does not let the client set ${CLIENT_HEADERS[field]}; leave "${field}" out.`,
    };
  }
}

function* expiryAndOverwriteViolations(
  rule: PolicyRule,
  { expiresIn, overwrite }: UploadRequest,
): Iterable<Violation> {
  if (expiresIn !== undefined && expiresIn > rule.expiresIn.maxSeconds) {
    yield {
      pointer: '/expiresIn',
      code: 'expiry_too_long',
      detail: `The URL may be valid for at most ${rule.expiresIn.maxSeconds} seconds.`,
    };
  }
  if (overwrite && !rule.overwrite) {
    yield {
      pointer: '/overwrite',
      code: 'overwrite_not_allowed',
      detail:
        'This rule does not let an existing object be replaced; send "overwrite": false or choose another key.',
    };
  }
}
