import { downloadNameFault } from './download-name.ts';
import { CLIENT_HEADER_FIELDS, CLIENT_HEADERS } from './file/rule-headers.ts';
import { MAX_PUT_BYTES } from './file/schema-parts.ts';
import { mediaTypeEssence } from './media-type.ts';
import { MAX_METADATA_BYTES, metadataBytes } from './metadata-size.ts';
import { objectKeyFaults } from './object-key.ts';
import type { PolicyRule } from './policy.ts';
import type { UnusableClaim } from './prefix-template.ts';
import type { UploadRequest } from './upload-request.ts';
import { mediaRangeAllows, whyNoWildcard } from './wildcard-types.ts';

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
  const violations: Violation[] = [];
  addKeyViolations(violations, rule, prefix, request);
  addContentViolations(violations, rule, request);
  addMetadataViolations(violations, rule, request);
  addHeaderViolations(violations, rule, request);
  addExpiryAndOverwriteViolations(violations, rule, request);
  return violations;
}

/** Why a rule does not apply to a caller without a usable value of a claim that the rule's prefix needs. */
export function unusableClaim({ claim, reason }: UnusableClaim): Violation {
  const name = JSON.stringify(claim);
  const details: Readonly<Record<UnusableClaim['reason'], string>> = {
    missing: `The token has no claim ${name}.`,
    'wrong type': `The claim ${name} is neither a string nor a whole number, so it cannot be part of an object key.`,
    empty: `The claim ${name} is empty, so it cannot be part of an object key.`,
    'unsafe characters': `The claim ${name} cannot be part of an object key: it must be 1–128 printable ASCII characters without "/" or "\\", and not "." or "..".`,
  };
  return { pointer: '', code: 'no_matching_rule', detail: details[reason] };
}

function addKeyViolations(
  violations: Violation[],
  rule: PolicyRule,
  prefix: string,
  request: UploadRequest,
): void {
  const { key } = request;
  if (key === undefined) {
    if (rule.naming === 'client') {
      violations.push({
        pointer: '/filename',
        code: 'key_not_allowed',
        detail: 'This rule does not make keys; send the whole object key as "key" instead of "filename".',
      });
    }
    for (const fault of objectKeyFaults(prefix + LONGEST_SERVER_MADE_NAME)) {
      const detail = `The rule's prefix for this caller cannot be used. ${fault}`;
      violations.push({ pointer: '', code: 'key_not_allowed', detail });
    }
    if (rule.keepFilename) addFilenameViolations(violations, request);
    return;
  }
  if (rule.naming === 'server') {
    violations.push({
      pointer: '/key',
      code: 'key_not_allowed',
      detail: 'This rule makes the key itself; send "filename" instead of "key".',
    });
  }
  for (const detail of objectKeyFaults(key)) {
    violations.push({ pointer: '/key', code: 'key_not_allowed', detail });
  }
  if (!key.startsWith(prefix)) {
    violations.push({
      pointer: '/key',
      code: 'key_outside_prefix',
      detail: `The key must begin with ${JSON.stringify(prefix)}.`,
    });
  }
}

function addFilenameViolations(violations: Violation[], { filename = '', contentType }: UploadRequest): void {
  const fault = downloadNameFault(filename, mediaTypeEssence(contentType) ?? '');
  if (fault === undefined) return;
  violations.push({
    pointer: '/filename',
    code: 'key_not_allowed',
    detail: `This rule offers the file under its name, and the filename ${fault}.`,
  });
}

function addContentViolations(
  violations: Violation[],
  rule: PolicyRule,
  { contentType, contentLength }: UploadRequest,
): void {
  const essence = mediaTypeEssence(contentType);
  if (essence === undefined || !rule.contentTypes.some((range) => mediaRangeAllows(range, essence))) {
    violations.push({
      pointer: '/contentType',
      code: 'content_type_not_allowed',
      detail: contentTypeDetail(rule.contentTypes, essence),
    });
  }
  if (contentLength === undefined) {
    if (rule.maxSize === null) return;
    violations.push({
      pointer: '/contentLength',
      code: 'length_required',
      detail: 'The exact length of the file in bytes is required.',
    });
    return;
  }
  const maxBytes = rule.maxSize ?? MAX_PUT_BYTES;
  if (contentLength > maxBytes) {
    violations.push({
      pointer: '/contentLength',
      code: 'too_large',
      detail: `The file has ${contentLength} bytes; at most ${maxBytes} are allowed.`,
    });
  }
}

function contentTypeDetail(ranges: readonly string[], essence: string | undefined): string {
  const allowed = `The content type must be one of: ${ranges.join(', ')}.`;
  const reason = essence === undefined ? undefined : whyNoWildcard(ranges, essence);
  return reason === undefined ? allowed : `${allowed} ${reason}`;
}

function addMetadataViolations(
  violations: Violation[],
  { metadata: { allowed, required }, metadataBytes: ownBytes }: PolicyRule,
  { metadata }: UploadRequest,
): void {
  if (ownBytes > 0 && ownBytes + metadataBytes(metadata) > MAX_METADATA_BYTES) {
    violations.push({
      pointer: '/metadata',
      code: 'metadata_not_allowed',
      detail: `The metadata has ${metadataBytes(metadata)} bytes, names (with "x-oss-meta-") and values, and the rule adds ${ownBytes}; at most ${MAX_METADATA_BYTES} are allowed in all.`,
    });
  }
  for (const name of Object.keys(metadata)) {
    if (allowed.includes(name)) continue;
    violations.push({
      pointer: `/metadata/${name}`,
      code: 'metadata_not_allowed',
      detail: `The metadata entry "${name}" is not allowed; possible are: ${allowed.join(', ') || 'none'}.`,
    });
  }
  for (const name of required) {
    if (Object.hasOwn(metadata, name)) continue;
    violations.push({
      pointer: `/metadata/${name}`,
      code: 'metadata_missing',
      detail: `The metadata entry "${name}" is required.`,
    });
  }
}

function addHeaderViolations(violations: Violation[], rule: PolicyRule, request: UploadRequest): void {
  for (const field of CLIENT_HEADER_FIELDS) {
    if (request[field] === undefined || rule.clientHeaders.includes(field)) continue;
    violations.push({
      pointer: `/${field}`,
      code: 'header_not_allowed',
      detail: `This rule does not let the client set ${CLIENT_HEADERS[field]}; leave "${field}" out.`,
    });
  }
}

function addExpiryAndOverwriteViolations(
  violations: Violation[],
  rule: PolicyRule,
  { expiresIn, overwrite }: UploadRequest,
): void {
  if (expiresIn !== undefined && expiresIn > rule.expiresIn.maxSeconds) {
    violations.push({
      pointer: '/expiresIn',
      code: 'expiry_too_long',
      detail: `The URL may be valid for at most ${rule.expiresIn.maxSeconds} seconds.`,
    });
  }
  if (overwrite && !rule.overwrite) {
    violations.push({
      pointer: '/overwrite',
      code: 'overwrite_not_allowed',
      detail:
        'This rule does not let an existing object be replaced; send "overwrite": false or choose another key.',
    });
  }
}
