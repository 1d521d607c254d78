import { escapeInvisible } from '../text/log-text.ts';
import { escapeJsonString, jsonProperty } from './json.ts';

/** The fields that the audit lines of all operations have. */
type AuditHead = {
  /** The kind of request. Not escaped. */
  readonly operation: string;
  readonly outcome: 'granted' | 'limited' | 'denied';
  /** The stable codes of a denial, or the limit that was reached. Not escaped. */
  readonly reasons: readonly string[];
  readonly issuer: string;
  readonly subject: string;
};

/** Why a request was denied. For operators only. */
type AuditedDenial = {
  /** The reasons of each of the nearest rules. */
  readonly denials?: readonly { readonly rule: string; readonly reasons: readonly string[] }[];
  /** How many rules are not in `denials`. */
  readonly otherRules?: number;
};

/** The audit of the request for one upload. */
export type UploadAudit = AuditHead &
  AuditedDenial & {
    readonly operation: 'upload';
    readonly rule: string | undefined;
    readonly target: string | undefined;
    /** Null if neither a rule nor a known target applies. */
    readonly bucket: string | null;
    readonly key: string | undefined;
    /** `put` or `form`. Not escaped. */
    readonly transfer: string;
    readonly contentType: string;
    readonly contentLength: number | null;
    /** Of a form without a `contentLength`: the most bytes that it accepts. */
    readonly maxContentLength?: number | undefined;
    /** When the granted URL expires (RFC 3339, not escaped); null without a grant. */
    readonly expiresAt: string | null;
  };

/**
 * The `audit` of a log line: the caller, what was requested and the decision. Holds no token, URL
 * or metadata value.
 */
export type Audit = UploadAudit;

/** The audit as JSON; properties that are undefined are left out. */
export function renderAuditJson(audit: Audit): string {
  return `{${headJson(audit)}${uploadJson(audit)}}`;
}

function headJson({ operation, outcome, reasons, issuer, subject }: AuditHead): string {
  const codes = reasons.length === 0 ? '[]' : `["${reasons.join('","')}"]`;
  const caller = `"issuer":"${escapeJsonString(issuer)}","subject":"${escapeJsonString(subject)}"`;
  return `"operation":"${operation}","outcome":"${outcome}","reasons":${codes},${caller}`;
}

function uploadJson(audit: UploadAudit): string {
  const { rule, target, bucket, key, transfer, contentType, contentLength, expiresAt } = audit;
  const { maxContentLength } = audit;
  const bucketJson = bucket === null ? 'null' : `"${escapeJsonString(bucket)}"`;
  const object = `${jsonProperty('rule', rule)}${jsonProperty('target', target)},"bucket":${bucketJson}${jsonProperty('key', key)}`;
  const content = `,"transfer":"${transfer}","contentType":"${escapeJsonString(contentType)}","contentLength":${contentLength}`;
  const range = maxContentLength === undefined ? '' : `,"maxContentLength":${maxContentLength}`;
  return `${object}${content}${range}${expiryJson(expiresAt)}${denialJson(audit)}`;
}

function expiryJson(expiresAt: string | null): string {
  return expiresAt === null ? ',"expiresAt":null' : `,"expiresAt":"${expiresAt}"`;
}

function denialJson({ denials, otherRules }: AuditedDenial): string {
  const explanation = denials === undefined ? '' : `,"denials":${escapeInvisible(JSON.stringify(denials))}`;
  const count = otherRules === undefined ? '' : `,"otherRules":${otherRules}`;
  return `${explanation}${count}`;
}
