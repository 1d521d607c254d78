import {
  type Download,
  type DownloadsOutcome,
  requestedKeys,
} from '../../grants/download/issue-downloads.ts';
import type { CallerContext } from '../../grants/grant.ts';
import type { DownloadAudit } from '../../log/audit-json.ts';
import { downloadQuestion } from '../../policy/decide-download.ts';
import type { DownloadRequest } from '../../policy/download-request.ts';
import { explainDenial } from '../../policy/explain-denial.ts';
import type { Rule } from '../../policy/policy.ts';
import { cutForLog } from '../../text/log-text.ts';

/** The most denied keys of one request that are logged. */
const MAX_DENIED_KEYS = 10;

/**
 * The audit of a request for downloads: every granted key whole, the first denied keys cut, and why
 * the first of them is denied.
 */
export function downloadAudit(
  context: CallerContext,
  request: DownloadRequest,
  result: DownloadsOutcome,
): DownloadAudit {
  const { issuer, subject } = context.caller;
  const { outcome, downloads } = result;
  const denied = deniedKeys(downloads);
  const head = { operation: 'download', outcome, issuer, subject } as const;
  return {
    ...head,
    reasons: outcome === 'limited' ? [result.verdict.limitedBy] : Object.keys(denied?.codes ?? {}),
    keyCount: downloads.length,
    disposition: request.disposition,
    ...(outcome === 'limited' && { limitedRule: result.rule.name }),
    grants: grantsOf(downloads),
    ...(denied && { denied }),
    expiresAt: outcome === 'granted' ? result.validity.expiresAt : null,
    ...explainFirstDenial(context, request, downloads),
  };
}

function grantsOf(downloads: readonly Download[]): DownloadAudit['grants'] {
  const keysByRule = new Map<Rule, string[]>();
  for (const { key, decision, url } of downloads) {
    if (!decision.allowed || url === undefined) continue;
    const { rule } = decision.grant;
    const keys = keysByRule.get(rule) ?? [];
    keysByRule.set(rule, keys);
    keys.push(key);
  }
  return [...keysByRule].map(([{ name, target }, keys]) => ({
    rule: name,
    target: target.name,
    bucket: target.bucket,
    keys,
  }));
}

function deniedKeys(downloads: readonly Download[]): DownloadAudit['denied'] {
  const codes: Record<string, number> = {};
  const keys: string[] = [];
  let keyCount = 0;
  for (const { key, decision } of downloads) {
    if (decision.allowed) continue;
    keyCount += 1;
    if (keys.length < MAX_DENIED_KEYS) keys.push(cutForLog(key));
    for (const code of new Set(decision.violations.map((violation) => violation.code)))
      codes[code] = (codes[code] ?? 0) + 1;
  }
  return keyCount === 0 ? undefined : { keyCount, codes, keys };
}

function explainFirstDenial(
  { policy, caller }: CallerContext,
  request: DownloadRequest,
  downloads: readonly Download[],
): Pick<DownloadAudit, 'denials' | 'otherRules'> {
  const index = downloads.findIndex(({ decision }) => !decision.allowed);
  const [asked, decision] = [requestedKeys(request)[index], downloads[index]?.decision];
  if (!asked || !decision || decision.allowed) return {};
  return explainDenial(policy, caller, downloadQuestion(request, asked), decision.rule);
}
