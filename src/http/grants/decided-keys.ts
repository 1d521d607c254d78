import type { DownloadsOutcome } from '../../grants/download/issue-downloads.ts';
import type { DecidedKeys } from '../../grants/ports/observer.ts';

/** The keys of a request as the metrics count them: by outcome and rule. */
export function decidedKeysOf({ outcome, downloads }: DownloadsOutcome): readonly DecidedKeys[] {
  const counts = new Map<string, DecidedKeys>();
  for (const { decision } of downloads) {
    const rule = decision.allowed ? decision.grant.rule.name : decision.rule;
    const outcomeOfKey = decision.allowed ? outcome : 'denied';
    const id = `${outcomeOfKey} ${rule ?? ''}`;
    counts.set(id, { outcome: outcomeOfKey, rule, count: (counts.get(id)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
}
