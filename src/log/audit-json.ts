import { escapeInvisible } from '../text/log-text.ts';
import { escapeJsonString, jsonProperty } from './json.ts';

/** The fields that the audit lines of all operations have. */
type AuditHead<Outcome extends string = 'granted' | 'limited' | 'denied'> = {
  /** The kind of request. Not escaped. */
  readonly operation: string;
  /** Not escaped. */
  readonly outcome: Outcome;
  /** The stable codes of a rejection, or the limit that was reached. Not escaped. */
  readonly reasons: readonly string[];
  /** Of the token; of the uploader in a callback. Undefined in one whose id is not known. */
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
};

/** Why a request was denied. For operators only. */
type AuditedDenial = {
  /** The reasons of each of the nearest rules. */
  readonly denials?: readonly { readonly rule: string; readonly reasons: readonly string[] }[];
  /** How many rules are not in `denials`. */
  readonly otherRules?: number;
};

/** The audit of the request for one upload. */
export type UploadAudit = AuditHead<'granted' | 'limited' | 'denied' | 'exists' | 'error'> &
  AuditedDenial & {
    readonly operation: 'upload';
    /** The place in its batch, from 0; undefined for an upload that was requested alone. */
    readonly item?: number;
    /** Not escaped; undefined if the policy or a limit does not allow the upload. */
    readonly grantId?: string | undefined;
    readonly rule: string | undefined;
    readonly target: string | undefined;
    /** Null if neither a rule nor a known target applies. */
    readonly bucket: string | null;
    readonly key: string | undefined;
    /** `put`, `form` or `multipart`. Not escaped. */
    readonly transfer: string;
    readonly contentType: string;
    readonly contentLength: number | null;
    /** Of a form without a `contentLength`: the most bytes that it accepts. */
    readonly maxContentLength?: number | undefined;
    /**
     * When the granted URL, or the id of a multipart upload, expires (RFC 3339, not escaped); null
     * without a grant.
     */
    readonly expiresAt: string | null;
  };

/** The audit of an item of a batch that is not valid. */
export type InvalidItemAudit = AuditHead<'invalid'> & {
  readonly operation: 'upload';
  readonly item: number;
};

/** The audit of a call about an upload that was granted before. */
export type CompletionAudit = AuditHead<
  | ('stored' | 'not_notified' | 'absent' | 'mismatch')
  | ('granted' | 'open' | 'incomplete' | 'exists' | 'aborted')
  | ('invalid' | 'expired' | 'unauthenticated' | 'limited' | 'error')
> & {
  readonly operation: 'parts' | 'status' | 'complete' | 'abort' | 'callback';
  /**
   * The parts of the upload id; undefined for an id that this service did not make. The grant id is
   * not escaped.
   */
  readonly grantId: string | undefined;
  readonly rule: string | undefined;
  readonly target: string | undefined;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** The caller that it was granted to, if it is not the one of this call. */
  readonly uploaderIssuer: string | undefined;
  readonly uploaderSubject: string | undefined;
  /** The rule with `confirm` that lets the caller use the id of another one. */
  readonly confirmRule: string | undefined;
  /** Bytes of the object; undefined if it is not stored as granted. */
  readonly contentLength: number | undefined;
  /** How many parts were signed, and when their URLs expire (RFC 3339, not escaped). */
  readonly partCount: number | undefined;
  readonly expiresAt: string | undefined;
};

/** The audit of a request for downloads. */
export type DownloadAudit = AuditHead &
  AuditedDenial & {
    readonly operation: 'download';
    /** How many keys were requested. */
    readonly keyCount: number;
    /** Not escaped. */
    readonly disposition: 'attachment' | 'inline';
    /** The rule whose limit was reached. */
    readonly limitedRule?: string;
    /** Every granted key, by the rule that grants it. */
    readonly grants: readonly {
      readonly rule: string;
      readonly target: string;
      readonly bucket: string;
      readonly keys: readonly string[];
    }[];
    /** The denied keys; undefined if there are none. */
    readonly denied?: {
      readonly keyCount: number;
      /** How many keys have each code of `reasons`. Not escaped. */
      readonly codes: Readonly<Record<string, number>>;
      /** The first of the keys. */
      readonly keys: readonly string[];
    };
    /** When the granted URLs expire (RFC 3339, not escaped); null without a grant. */
    readonly expiresAt: string | null;
  };

/**
 * The `audit` of a log line: the caller, what was requested and the decision. Holds no token, URL
 * or metadata value.
 */
export type Audit = UploadAudit | InvalidItemAudit | CompletionAudit | DownloadAudit;

/** The audit as JSON; properties that are undefined are left out. */
export function renderAuditJson(audit: Audit): string {
  return `{${headJson(audit)}${operationJson(audit)}}`;
}

function operationJson(audit: Audit): string {
  switch (audit.operation) {
    case 'upload':
      return audit.outcome === 'invalid' ? itemJson(audit) : `${itemJson(audit)}${uploadJson(audit)}`;
    case 'download':
      return downloadJson(audit);
    case 'parts':
    case 'status':
    case 'complete':
    case 'abort':
    case 'callback':
      return completionJson(audit);
  }
}

function headJson({ operation, outcome, reasons, issuer, subject }: AuditHead<string>): string {
  const codes = reasons.length === 0 ? '[]' : `["${reasons.join('","')}"]`;
  const caller = `${jsonProperty('issuer', issuer)}${jsonProperty('subject', subject)}`;
  return `"operation":"${operation}","outcome":"${outcome}","reasons":${codes}${caller}`;
}

function itemJson({ item }: { readonly item?: number }): string {
  return item === undefined ? '' : `,"item":${item}`;
}

function uploadJson(audit: UploadAudit): string {
  const { rule, target, bucket, key, transfer, contentType, contentLength, expiresAt } = audit;
  const { maxContentLength } = audit;
  const bucketJson = bucket === null ? 'null' : `"${escapeJsonString(bucket)}"`;
  const object = `${jsonProperty('rule', rule)}${jsonProperty('target', target)},"bucket":${bucketJson}${jsonProperty('key', key)}`;
  const content = `,"transfer":"${transfer}","contentType":"${escapeJsonString(contentType)}","contentLength":${contentLength}`;
  const range = maxContentLength === undefined ? '' : `,"maxContentLength":${maxContentLength}`;
  const id = audit.grantId === undefined ? '' : `,"grantId":"${audit.grantId}"`;
  return `${id}${object}${content}${range}${expiryJson(expiresAt)}${denialJson(audit)}`;
}

function completionJson(audit: CompletionAudit): string {
  const { grantId, rule, target, bucket, key, uploaderIssuer, uploaderSubject, confirmRule } = audit;
  const { contentLength, partCount, expiresAt } = audit;
  const id = grantId === undefined ? '' : `,"grantId":"${grantId}"`;
  const object = `${jsonProperty('rule', rule)}${jsonProperty('target', target)}${jsonProperty('bucket', bucket)}${jsonProperty('key', key)}`;
  const uploader = `${jsonProperty('uploaderIssuer', uploaderIssuer)}${jsonProperty('uploaderSubject', uploaderSubject)}`;
  const length = contentLength === undefined ? '' : `,"contentLength":${contentLength}`;
  const parts = partCount === undefined ? '' : `,"partCount":${partCount}`;
  const expiry = expiresAt === undefined ? '' : expiryJson(expiresAt);
  return `${id}${object}${uploader}${jsonProperty('confirmRule', confirmRule)}${length}${parts}${expiry}`;
}

function downloadJson(audit: DownloadAudit): string {
  const { keyCount, disposition, limitedRule, grants, denied, expiresAt } = audit;
  const request = `,"keyCount":${keyCount},"disposition":"${disposition}"${jsonProperty('limitedRule', limitedRule)}`;
  const keys = `,"grants":${escapeInvisible(JSON.stringify(grants))}`;
  const deniedKeys = denied === undefined ? '' : `,"denied":${escapeInvisible(JSON.stringify(denied))}`;
  return `${request}${keys}${deniedKeys}${expiryJson(expiresAt)}${denialJson(audit)}`;
}

function expiryJson(expiresAt: string | null): string {
  return expiresAt === null ? ',"expiresAt":null' : `,"expiresAt":"${expiresAt}"`;
}

function denialJson({ denials, otherRules }: AuditedDenial): string {
  const explanation = denials === undefined ? '' : `,"denials":${escapeInvisible(JSON.stringify(denials))}`;
  const count = otherRules === undefined ? '' : `,"otherRules":${otherRules}`;
  return `${explanation}${count}`;
}
