import type { RuleDenial } from '../policy/explain-denial.ts';
import { jsonMember, jsonText } from '../text/json-text.ts';

/** Who asked for what, and what was decided. No token, no URL, no metadata values. */
export type Audit = {
  readonly outcome: 'granted' | 'limited' | 'denied';
  /** The stable codes of a denial, or the limit that was reached. */
  readonly reasons: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  readonly rule: string | undefined;
  readonly target: string | undefined;
  /** Null if no rule and no known target is concerned. */
  readonly bucket: string | null;
  readonly key: string | undefined;
  readonly contentType: string;
  readonly contentLength: number | null;
  /** When the granted URL expires (RFC 3339, not escaped); null without a grant. */
  readonly expiresAt: string | null;
  /** Of a denial: what each of the nearest rules does not allow. For operators only. */
  readonly denials?: readonly RuleDenial[];
  /** Of a denial: how many rules are not in `denials`. */
  readonly otherRules?: number;
};

/** The audit of one decision as JSON; members that are undefined are left out. */
export function auditText(audit: Audit): string {
  const { outcome, reasons, issuer, subject, rule, target, bucket, key } = audit;
  const { contentType, contentLength, expiresAt, denials, otherRules } = audit;
  const caller = `"issuer":"${jsonText(issuer)}","subject":"${jsonText(subject)}"`;
  const codes = reasons.length === 0 ? '[]' : `["${reasons.join('","')}"]`;
  const bucketText = bucket === null ? 'null' : `"${jsonText(bucket)}"`;
  const object = `${jsonMember('rule', rule)}${jsonMember('target', target)},"bucket":${bucketText}${jsonMember('key', key)}`;
  const content = `"contentType":"${jsonText(contentType)}","contentLength":${contentLength},"expiresAt":${expiresAt === null ? 'null' : `"${expiresAt}"`}`;
  const why = denials === undefined ? '' : `,"denials":[${denials.map(denialText).join(',')}]`;
  const more = otherRules === undefined ? '' : `,"otherRules":${otherRules}`;
  return `{"outcome":"${outcome}","reasons":${codes},${caller}${object},${content}${why}${more}}`;
}

function denialText({ rule, reasons }: RuleDenial): string {
  return `{"rule":"${jsonText(rule)}","reasons":[${reasons.map((reason) => `"${jsonText(reason)}"`).join(',')}]}`;
}
