import type { ServiceError } from '../../errors.ts';
import type { DownloadRequest } from '../../policy/download-request.ts';
import {
  type Download,
  type DownloadsOutcome,
  type IssueDownloadsDependencies,
  issueDownloads,
} from '../download/issue-downloads.ts';
import type { CallerContext } from '../grant.ts';
import { clientOf } from '../prepared-storage.ts';
import { rejectionByStorage } from '../storage-failure.ts';
import {
  findCandidates,
  handleEach,
  hasSize,
  type LfsObject,
  type LfsRequest,
  lfsKey,
  storageCallsDeadline,
} from './lfs-object.ts';

/** One object of a request. */
export type LfsDownload = {
  readonly object: LfsObject;
  readonly result:
    | { readonly outcome: 'granted'; readonly url: string }
    /** `mismatch`: an object of another length is stored. */
    | { readonly outcome: 'absent' | 'mismatch' }
    | { readonly outcome: 'denied'; readonly denial: Extract<Download['decision'], { allowed: false }> };
};

export type LfsDownloads = {
  /** The keys that were decided. */
  readonly request: DownloadRequest;
  /** For all keys that were decided. Only the objects that are stored have a URL. */
  readonly decided: DownloadsOutcome;
  /** In the order of the request; empty if a limit is reached, or after a failure. */
  readonly downloads: readonly LfsDownload[];
  /** The storage or the source of the credentials prevents the response. */
  readonly failure?: ServiceError;
};

/**
 * Decides on each object below the prefixes of the rules for uploads and downloads, signs the URLs,
 * and asks the storage which of the objects it has. The limits count as {@link issueDownloads}
 * counts one request.
 * @throws ServiceError `unavailable` if there are no credentials, or they have less than 30 s left.
 */
export async function issueLfsDownloads(
  dependencies: IssueDownloadsDependencies,
  context: CallerContext,
  { target, objects }: LfsRequest,
): Promise<LfsDownloads> {
  const { storage, policy, caller } = context;
  const { prefixes } = findCandidates(policy, caller, target, ['upload', 'download']);
  // Without a rule, the whole policy states why.
  const tried = prefixes.length === 0 ? [''] : prefixes;
  const keys = objects.flatMap(({ oid }) => tried.map((prefix) => lfsKey(prefix, oid)));
  const request: DownloadRequest = { keys, disposition: 'attachment', target };
  const decided = await issueDownloads(dependencies, context, request);
  if (decided.outcome === 'limited') return { request, decided, downloads: [] };

  const deadline = storageCallsDeadline(dependencies.clock());
  const places = objects.map((object, index) => ({
    object,
    places: decided.downloads.slice(index * tried.length, (index + 1) * tried.length),
  }));
  try {
    const downloads = await handleEach(places, async (one) => ({
      object: one.object,
      result: await findObject(one.object, one.places),
    }));
    const sent = new Set(
      downloads.flatMap(({ result }) => (result.outcome === 'granted' ? [result.url] : [])),
    );
    return { request, decided: withoutOtherUrls(decided, sent), downloads };
  } catch (error) {
    const failure = rejectionByStorage(error);
    return { request, decided: withoutOtherUrls(decided, new Set()), downloads: [], failure };
  }

  async function findObject(object: LfsObject, places: readonly Download[]): Promise<LfsDownload['result']> {
    let outcome: 'absent' | 'mismatch' | undefined;
    for (const { key, decision, url } of places) {
      if (!decision.allowed || url === undefined) continue;
      const stored = await clientOf(storage, decision.grant.rule.target).headObject(key, deadline);
      if (stored && hasSize(stored, object)) return { outcome: 'granted', url };
      outcome = stored || outcome === 'mismatch' ? 'mismatch' : 'absent';
    }
    if (outcome) return { outcome };
    const denial = places[0]?.decision;
    if (!denial || denial.allowed) throw new TypeError('a signed key is not denied');
    return { outcome: 'denied', denial };
  }
}

/** Leaves out the URLs that the client does not get, so that no audit names them as granted. */
function withoutOtherUrls(decided: DownloadsOutcome, sent: ReadonlySet<string>): DownloadsOutcome {
  const downloads = decided.downloads.map(({ url, ...download }) =>
    url !== undefined && sent.has(url) ? { ...download, url } : download,
  );
  return { ...decided, downloads };
}
