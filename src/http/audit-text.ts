import { jsonMember, jsonText } from '../json-text.ts';

/** Who asked for what, and what came of it. No token, no URL, no metadata values. */
export type Audit = {
  readonly outcome: 'granted' | 'limited' | 'denied';
  /** The stable codes of a refusal. */
  readonly reasons: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  readonly rule: string | undefined;
  readonly target: string | undefined;
  readonly key: string | undefined;
  readonly contentType: string;
  readonly contentLength: number | null;
};

/** The audit of one decision as JSON; what is undefined is left out. */
export function auditText(audit: Audit): string {
  const { outcome, reasons, issuer, subject, rule, target, key, contentType, contentLength } = audit;
  const caller = `"issuer":"${jsonText(issuer)}","subject":"${jsonText(subject)}"`;
  const codes = reasons.length === 0 ? '[]' : `["${reasons.join('","')}"]`;
  const place = `${jsonMember('rule', rule)}${jsonMember('target', target)}${jsonMember('key', key)}`;
  const content = `"contentType":"${jsonText(contentType)}","contentLength":${contentLength}`;
  return `{"outcome":"${outcome}","reasons":${codes},${caller}${place},${content}}`;
}
