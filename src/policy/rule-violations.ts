import type { Caller } from '../auth/caller.ts';
import type { ViolationCode } from '../errors.ts';
import { MAX_METADATA_BYTES, MAX_MULTIPART_BYTES, MAX_PUT_BYTES } from '../storage/limits.ts';
import { claimTooLong, claimTooLongDetail } from './caller-size.ts';
import { CLIENT_HEADER_FIELDS, CLIENT_HEADERS } from './client-headers.ts';
import { downloadNameFault } from './download-name.ts';
import { GRANT_MARK_BYTES, isMarked } from './grant-mark.ts';
import { mediaTypeEssence } from './media-type.ts';
import { metadataBytes } from './metadata-size.ts';
import { formKeyFault, isTooLongKey, objectKeyFaults } from './object-key.ts';
import type { Rule } from './policy.ts';
import type { UnusableClaim } from './prefix-template.ts';
import type { UploadRequest } from './upload-request.ts';
import { mediaRangeAllows, whyNoWildcard } from './wildcard-types.ts';

/**
 * A reason why a request is not granted: an RFC 6901 pointer into it, a stable code, and what to
 * change in one sentence.
 */
export type Violation = { readonly pointer: string; readonly code: ViolationCode; readonly detail: string };

// The most that a server-made name can add to the prefix: a UUID, a dot and the longest extension.
const LONGEST_SERVER_MADE_NAME = 'x'.repeat(47);

/**
 * A request with everything about it that depends on no rule. It is computed once, however many
 * rules are compared.
 */
export class ExaminedRequest {
  readonly request: UploadRequest;
  readonly keyFaults: readonly string[];
  /** A key that is too long is not compared with prefixes, so this is its only fault. */
  readonly isKeyTooLong: boolean;
  /** `type/subtype` in lower case; undefined if the content type is not one media type. */
  readonly essence: string | undefined;
  readonly metadataNames: readonly string[];
  /** The claim that no upload id can hold. */
  readonly claimTooLong: 'iss' | 'sub' | undefined;
  #metadataBytes: number | undefined;
  #filenameFault: { readonly fault: string | undefined } | undefined;

  constructor(request: UploadRequest, caller: Pick<Caller, 'issuer' | 'subject'>) {
    const { key } = request;
    this.request = request;
    this.claimTooLong = claimTooLong(caller);
    this.keyFaults = key === undefined ? [] : faultsOfKey(key, request);
    this.isKeyTooLong = this.keyFaults.length > 0 && key !== undefined && isTooLongKey(key);
    this.essence = mediaTypeEssence(request.contentType);
    this.metadataNames = Object.keys(request.metadata);
  }

  get metadataBytes(): number {
    this.#metadataBytes ??= metadataBytes(this.request.metadata);
    return this.#metadataBytes;
  }

  /** Returns why Content-Disposition cannot hold the file name; undefined if it can. */
  get filenameFault(): string | undefined {
    this.#filenameFault ??= { fault: downloadNameFault(this.request.filename ?? '', this.essence ?? '') };
    return this.#filenameFault.fault;
  }
}

/** Lists the faults of a key for this transfer. A key that is too long has no other fault. */
function faultsOfKey(key: string, { transfer }: UploadRequest): readonly string[] {
  const faults = objectKeyFaults(key);
  const fault = transfer === 'form' && !isTooLongKey(key) ? formKeyFault(key) : undefined;
  return fault === undefined ? faults : [...faults, fault];
}

/**
 * Violations of one kind. They are described for the nearest rule only, because a request can have
 * hundreds of violations and a policy thousands of rules.
 */
export type Finding = {
  readonly code: ViolationCode;
  readonly count: number;
  readonly describe: () => readonly Violation[];
};

/**
 * Lists everything in the request that the rule does not allow. `prefix` is the rule's prefix for
 * this caller.
 */
export function ruleViolations(rule: Rule, prefix: string, examined: ExaminedRequest): readonly Violation[] {
  return ruleFindings(rule, prefix, examined).flatMap(({ describe }) => describe());
}

/** Returns the same violations as {@link ruleViolations}, counted and not yet described. */
export function ruleFindings(rule: Rule, prefix: string, examined: ExaminedRequest): readonly Finding[] {
  const findings: Finding[] = [];
  findCallerViolation(findings, rule, examined);
  findTransferViolation(findings, rule, examined);
  findKeyViolations(findings, rule, prefix, examined);
  findContentViolations(findings, rule, examined);
  findMetadataViolations(findings, rule, examined);
  findHeaderViolations(findings, rule, examined);
  findExpiryAndOverwriteViolations(findings, rule, examined);
  return findings;
}

function findCallerViolation(
  findings: Finding[],
  rule: Rule,
  { claimTooLong: claim }: ExaminedRequest,
): void {
  if (claim === undefined || !rule.receipts) return;
  add(findings, '', 'no_matching_rule', () => claimTooLongDetail(claim));
}

/**
 * Returns the reason why a rule does not apply to a caller whose claim cannot be part of the rule's
 * prefix.
 */
export function unusableClaim({ claim, reason }: UnusableClaim): Violation {
  const name = JSON.stringify(claim);
  const details: Readonly<Record<UnusableClaim['reason'], string>> = {
    missing: `The token has no claim ${name}.`,
    'wrong type': `The claim ${name} is neither a string nor a whole number, so it cannot be part of an object key.`,
    'inexact number': `The claim ${name} is a number with too many digits to be exact (above 9007199254740991), so it cannot be part of an object key; the issuer has to send it as a string.`,
    empty: `The claim ${name} is empty, so it cannot be part of an object key.`,
    'unsafe characters': `The claim ${name} cannot be part of an object key: it must be 1–128 printable ASCII characters without "/" or "\\", and not "." or "..".`,
  };
  return { pointer: '', code: 'no_matching_rule', detail: details[reason] };
}

/** Adds one violation. Its detail is created only if it is described. */
function add(findings: Finding[], pointer: string, code: ViolationCode, detail: () => string): void {
  findings.push({ code, count: 1, describe: () => [{ pointer, code, detail: detail() }] });
}

/** Adds one violation for each fault of the key. */
function addKeyFaults(
  findings: Finding[],
  pointer: string,
  faults: readonly string[],
  introduction = '',
): void {
  if (faults.length === 0) return;
  const code = 'key_not_allowed';
  findings.push({
    code,
    count: faults.length,
    describe: () => faults.map((fault) => ({ pointer, code, detail: `${introduction}${fault}` })),
  });
}

function findTransferViolation(
  findings: Finding[],
  { transfers }: Rule,
  { request: { transfer, isFromFixedClient } }: ExaminedRequest,
): void {
  if (transfers.includes(transfer)) return;
  add(findings, '/transfer', 'transfer_not_allowed', () =>
    isFromFixedClient
      ? `This rule does not allow the transfer "${transfer}", the only one of this client; the operator has to add it to "transfers" of the rule.`
      : `This rule does not allow the transfer "${transfer}"; allowed: ${transfers.join(', ')}.`,
  );
}

function findKeyViolations(findings: Finding[], rule: Rule, prefix: string, examined: ExaminedRequest): void {
  const { request, keyFaults, isKeyTooLong } = examined;
  const { key } = request;
  if (key === undefined) {
    if (rule.naming === 'client') {
      add(findings, '/filename', 'key_not_allowed', () =>
        request.isFromFixedClient
          ? 'This rule does not create keys, and this client cannot send one; the operator has to set "naming" of the rule to "server" or "either".'
          : 'This rule does not create keys; send the whole object key as "key" instead of "filename".',
      );
    }
    const faults = faultsOfKey(prefix + LONGEST_SERVER_MADE_NAME, request);
    addKeyFaults(findings, '', faults, "The rule's prefix for this caller cannot be used. ");
    if (rule.keepFilename) findFilenameViolation(findings, examined);
    return;
  }
  if (rule.naming === 'server') {
    add(
      findings,
      '/key',
      'key_not_allowed',
      () => 'This rule creates the key itself; send "filename" instead of "key".',
    );
  }
  addKeyFaults(findings, '/key', keyFaults);
  if (!isKeyTooLong && !key.startsWith(prefix)) {
    add(findings, '/key', 'key_outside_prefix', () => `The key must begin with ${JSON.stringify(prefix)}.`);
  }
}

function findFilenameViolation(findings: Finding[], { filenameFault: fault }: ExaminedRequest): void {
  if (fault === undefined) return;
  add(
    findings,
    '/filename',
    'key_not_allowed',
    () => `This rule offers the file under its name, and the filename ${fault}.`,
  );
}

function findContentViolations(findings: Finding[], rule: Rule, { request, essence }: ExaminedRequest): void {
  const { transfer, contentLength, maxContentLength } = request;
  if (essence === undefined || !rule.contentTypes.some((range) => mediaRangeAllows(range, essence))) {
    add(findings, '/contentType', 'content_type_not_allowed', () =>
      contentTypeDetail(rule.contentTypes, essence),
    );
  }
  const storageMaxBytes = transfer === 'multipart' ? MAX_MULTIPART_BYTES : MAX_PUT_BYTES;
  const maxBytes = Math.min(rule.maxSize ?? storageMaxBytes, storageMaxBytes);
  if (contentLength !== undefined) {
    if (contentLength <= maxBytes) return;
    add(
      findings,
      '/contentLength',
      'too_large',
      () => `The file has ${contentLength} bytes; ${tooLargeRemedy(rule, request, contentLength, maxBytes)}`,
    );
  } else if (maxContentLength !== undefined) {
    if (maxContentLength <= maxBytes) return;
    add(
      findings,
      '/maxContentLength',
      'too_large',
      () =>
        `The file could have ${maxContentLength} bytes; ${tooLargeRemedy(rule, request, maxContentLength, maxBytes)}`,
    );
  } else if (transfer === 'form') {
    add(
      findings,
      '/contentLength',
      'length_required',
      () => 'A form needs the exact length of the file in bytes, or its largest length as maxContentLength.',
    );
  } else if (rule.maxSize !== null || transfer === 'multipart') {
    add(
      findings,
      '/contentLength',
      'length_required',
      () => 'The exact length of the file in bytes is required.',
    );
  }
}

/** Names the limit, and the transfer that does not have it if the rule allows the size in parts. */
function tooLargeRemedy(
  { transfers, maxSize }: Rule,
  { isFromFixedClient }: UploadRequest,
  bytes: number,
  maxBytes: number,
): string {
  const fitsInParts = transfers.includes('multipart') && bytes <= (maxSize ?? MAX_MULTIPART_BYTES);
  if (!fitsInParts) return `at most ${maxBytes} are allowed.`;
  return isFromFixedClient
    ? `at most ${maxBytes} fit into one request, and this client cannot send parts.`
    : `at most ${maxBytes} fit into one request; send "transfer": "multipart".`;
}

function contentTypeDetail(ranges: readonly string[], essence: string | undefined): string {
  const allowed = `The content type must be one of: ${ranges.join(', ')}.`;
  const reason = essence === undefined ? undefined : whyNoWildcard(ranges, essence);
  return reason === undefined ? allowed : `${allowed} ${reason}`;
}

function findMetadataViolations(findings: Finding[], rule: Rule, examined: ExaminedRequest): void {
  const { allowed, required } = rule.metadata;
  const { metadataNames } = examined;
  const { metadata } = examined.request;
  const ownBytes = rule.metadataBytes + (isMarked(rule, examined.request) ? GRANT_MARK_BYTES : 0);
  if (ownBytes > 0 && ownBytes + examined.metadataBytes > MAX_METADATA_BYTES) {
    add(
      findings,
      '/metadata',
      'metadata_not_allowed',
      () =>
        `The metadata has ${examined.metadataBytes} bytes, names (with "x-oss-meta-") and values, and the rule adds ${ownBytes}; at most ${MAX_METADATA_BYTES} are allowed in all.`,
    );
  }
  const allowedCount = countAllowed(metadataNames, allowed, metadata);
  if (allowedCount < metadataNames.length) {
    const code = 'metadata_not_allowed';
    findings.push({
      code,
      count: metadataNames.length - allowedCount,
      describe: () => {
        const names = new Set(allowed);
        const possible = allowed.join(', ') || 'none';
        return metadataNames
          .filter((name) => !names.has(name))
          .map((name) => ({
            pointer: `/metadata/${name}`,
            code,
            detail: `The metadata entry "${name}" is not allowed; allowed entries: ${possible}.`,
          }));
      },
    });
  }
  for (const name of required) {
    if (Object.hasOwn(metadata, name)) continue;
    add(findings, `/metadata/${name}`, 'metadata_missing', () =>
      examined.request.isFromFixedClient
        ? `The metadata entry "${name}" is required, and this client cannot send it; the operator has to remove it from "metadata" of the rule.`
        : `The metadata entry "${name}" is required.`,
    );
  }
}

/**
 * Counts the names that are allowed. Of many names it checks the rule's, because there may be
 * thousands of rules.
 */
function countAllowed(
  names: readonly string[],
  allowed: readonly string[],
  metadata: UploadRequest['metadata'],
): number {
  let count = 0;
  if (names.length <= 8) {
    for (const name of names) if (allowed.includes(name)) count++;
  } else {
    for (const name of new Set(allowed)) if (Object.hasOwn(metadata, name)) count++;
  }
  return count;
}

function findHeaderViolations(findings: Finding[], rule: Rule, { request }: ExaminedRequest): void {
  for (const field of CLIENT_HEADER_FIELDS) {
    if (request[field] === undefined || rule.clientHeaders.includes(field)) continue;
    add(
      findings,
      `/${field}`,
      'header_not_allowed',
      () => `This rule does not let the client set ${CLIENT_HEADERS[field]}; leave "${field}" out.`,
    );
  }
}

function findExpiryAndOverwriteViolations(
  findings: Finding[],
  rule: Rule,
  { request: { expiresIn, overwrite } }: ExaminedRequest,
): void {
  if (expiresIn !== undefined && expiresIn > rule.expiresIn.maxSeconds) {
    add(
      findings,
      '/expiresIn',
      'expiry_too_long',
      () => `The URL may be valid for at most ${rule.expiresIn.maxSeconds} seconds.`,
    );
  }
  if (overwrite && !rule.overwrite) {
    add(
      findings,
      '/overwrite',
      'overwrite_not_allowed',
      () =>
        'This rule does not let an existing object be replaced; send "overwrite": false or choose another key.',
    );
  }
}
