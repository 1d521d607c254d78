import type { Clock } from '../../clock.ts';
import { summarizeFaults } from '../../errors.ts';
import type { Download, DownloadsOutcome } from '../../grants/download/issue-downloads.ts';
import { isoSeconds } from '../../text/iso-seconds.ts';
import { toProblem } from '../plugins/problem-json.ts';
import type { ManyDownloads } from './downloads-response.ts';
import { longListJson } from './long-list-json.ts';

/**
 * The body of the 200 for `keys`: an item for each of them.
 * @param result not `limited`, of which no key is granted or denied alone.
 */
export function downloadListJson(
  result: DownloadsOutcome,
  requestId: string,
  { clock, yieldToEventLoop }: { readonly clock: Clock; readonly yieldToEventLoop: () => Promise<void> },
): Promise<Buffer> {
  const none = { expires: null, expiresAt: null, expiresLimitedBy: null };
  const validity: Omit<ManyDownloads, 'items'> =
    result.outcome === 'granted'
      ? result.validity
      : { ...none, serverTime: isoSeconds(Math.floor(clock().getTime() / 1000)) };
  const toItem = (download: Download) => itemOf(download, requestId);
  return longListJson('items', result.downloads, toItem, validity, yieldToEventLoop);
}

function itemOf({ key, decision, url }: Download, requestId: string): ManyDownloads['items'][number] {
  if (!decision.allowed) {
    const { violations: errors } = decision;
    // Not an Error, because a thousand stack traces take too long.
    const denial = { code: 'policy_denied', detail: summarizeFaults(errors), errors, headers: {} } as const;
    return { key, ...toProblem(denial, requestId), status: 403 };
  }
  if (url === undefined) throw new TypeError('a granted key has a URL');
  return { key, status: 200, target: decision.grant.rule.target.name, method: 'GET', url };
}
