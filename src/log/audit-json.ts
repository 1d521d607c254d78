import { escapeInvisible } from '../text/log-text.ts';
import { escapeJsonString, jsonProperty } from './json.ts';

/**
 * The `audit` of a log line: the caller, what was requested and the decision. Holds no token, URL
 * or metadata value.
 */
export type Audit = {
  readonly outcome: 'granted' | 'limited' | 'denied';
  /** The stable codes of a denial, or the limit that was reached. Not escaped. */
  readonly reasons: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  readonly rule: string | undefined;
  readonly target: string | undefined;
  /** Null if neither a rule nor a known target applies. */
  readonly bucket: string | null;
  readonly key: string | undefined;
  readonly contentType: string;
  readonly contentLength: number | null;
  /** When the granted URL expires (RFC 3339, not escaped); null without a grant. */
  readonly expiresAt: string | null;
  /** Of a denial: what each of the nearest rules does not allow. For operators only. */
  readonly denials?: readonly { readonly rule: string; readonly reasons: readonly string[] }[];
  /** Of a denial: how many rules are not in `denials`. */
  readonly otherRules?: number;
};

/** The audit as JSON; properties that are undefined are left out. */
export function renderAuditJson(audit: Audit): string {
  const { outcome, reasons, issuer, subject, rule, target, bucket, key } = audit;
  const { contentType, contentLength, expiresAt, denials, otherRules } = audit;
  const caller = `"issuer":"${escapeJsonString(issuer)}","subject":"${escapeJsonString(subject)}"`;
  const codes = reasons.length === 0 ? '[]' : `["${reasons.join('","')}"]`;
  const bucketJson = bucket === null ? 'null' : `"${escapeJsonString(bucket)}"`;
  const object = `${jsonProperty('rule', rule)}${jsonProperty('target', target)},"bucket":${bucketJson}${jsonProperty('key', key)}`;
  const expiry = expiresAt === null ? 'null' : `"${expiresAt}"`;
  const content = `"contentType":"${escapeJsonString(contentType)}","contentLength":${contentLength},"expiresAt":${expiry}`;
  const explanation = denials === undefined ? '' : `,"denials":${escapeInvisible(JSON.stringify(denials))}`;
  const count = otherRules === undefined ? '' : `,"otherRules":${otherRules}`;
  return `{"outcome":"${outcome}","reasons":${codes},${caller}${object},${content}${explanation}${count}}`;
}
