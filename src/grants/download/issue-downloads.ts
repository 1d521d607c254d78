import type { Caller } from '../../auth/caller.ts';
import {
  type DownloadRules,
  decideDownload,
  findDownloadRules,
  type RequestedKey,
} from '../../policy/decide-download.ts';
import type { Decision } from '../../policy/decision.ts';
import { dispositionWithName } from '../../policy/download-name.ts';
import type { DownloadRequest } from '../../policy/download-request.ts';
import type { Rule } from '../../policy/policy.ts';
import type { CallerContext, GrantDependencies } from '../grant.ts';
import { type Limiter, type LimitVerdict, shareLeft } from '../ports/limiter.ts';
import { bucketOf } from '../prepared-storage.ts';
import { startSigning, usableCredentials, type Validity } from '../signing.ts';

export type IssueDownloadsDependencies = GrantDependencies & {
  /** Resolves in a later turn of the event loop, so that other requests get their turn. */
  readonly yieldToEventLoop: () => Promise<void>;
};

/** One requested key. */
export type Download = {
  readonly key: string;
  readonly decision: Decision;
  /** Undefined if the key is denied, or if nothing is granted because a limit is reached. */
  readonly url?: string;
};

/** The outcome for all keys of a request. */
export type DownloadsOutcome = {
  /** In the order of the request. */
  readonly downloads: readonly Download[];
} & (
  | {
      /** At least one key is granted. */
      readonly outcome: 'granted';
      /** The same for every URL. */
      readonly validity: Validity;
      /** Of the limits of the granting rules, the one with the least left. */
      readonly verdict: LimitVerdict | undefined;
    }
  | {
      readonly outcome: 'limited';
      /** The rule whose limit is reached. */
      readonly rule: Rule;
      readonly verdict: LimitVerdict;
    }
  | { readonly outcome: 'denied' }
);

/**
 * Other requests get their turn after this many keys. With the slowest keys and thousands of rules,
 * one key takes 0.1 ms.
 */
const KEYS_PER_TURN = 100;

/** The keys of a request, in their order. */
export function requestedKeys({ key, keys = [] }: DownloadRequest): readonly RequestedKey[] {
  if (key !== undefined) return [{ key, pointer: '/key' }];
  return keys.map((one, index) => ({ key: one, pointer: `/keys/${index}` }));
}

/**
 * Decides which of these objects the caller may download, and signs their URLs.
 *
 * The request counts once against the limits of each rule that grants a key. If one of them is
 * reached, nothing is granted. All URLs have the same expiry: the requested one, or the lowest
 * default of these rules.
 * @throws ServiceError `unavailable` if there are no credentials, or they have less than 30 s left.
 */
export async function issueDownloads(
  dependencies: IssueDownloadsDependencies,
  { caller, policy, storage }: CallerContext,
  request: DownloadRequest,
): Promise<DownloadsOutcome> {
  const { limiter, clock, beforeGrant, yieldToEventLoop } = dependencies;
  const rules = findDownloadRules(policy, caller, request);
  const decided = await decideEach(rules, requestedKeys(request), yieldToEventLoop);
  const granting = grantingRules(decided);
  if (granting.length === 0) return { outcome: 'denied', downloads: decided };
  beforeGrant?.();
  const credentials = await usableCredentials(dependencies);
  const counted = await countEach(limiter, caller, granting);
  if (counted && !counted.verdict.allowed) return { outcome: 'limited', downloads: decided, ...counted };

  const defaultSeconds = Math.min(...granting.map(({ expiresIn }) => expiresIn.defaultSeconds));
  const { signing, validity } = startSigning(credentials, clock(), request.expiresIn, defaultSeconds);
  const contentDisposition = dispositionOf(request);
  const downloads: Download[] = [];
  for (const [index, { key, decision }] of decided.entries()) {
    if (index > 0 && index % KEYS_PER_TURN === 0) await yieldToEventLoop();
    if (!decision.allowed) downloads.push({ key, decision });
    else {
      const bucket = bucketOf(storage, decision.grant.rule.target);
      const { url } = bucket.presignDownload({ key, contentDisposition }, signing);
      downloads.push({ key, decision, url });
    }
  }
  return { outcome: 'granted', downloads, validity, verdict: counted?.verdict };
}

async function decideEach(
  rules: DownloadRules,
  keys: readonly RequestedKey[],
  yieldToEventLoop: () => Promise<void>,
): Promise<readonly Download[]> {
  const decided: Download[] = [];
  for (const [index, asked] of keys.entries()) {
    if (index > 0 && index % KEYS_PER_TURN === 0) await yieldToEventLoop();
    decided.push({ key: asked.key, decision: decideDownload(rules, asked) });
  }
  return decided;
}

/** The rules that grant a key, each once. */
function grantingRules(decided: readonly Download[]): readonly Rule[] {
  const rules = new Set<Rule>();
  for (const { decision } of decided) if (decision.allowed) rules.add(decision.grant.rule);
  return [...rules];
}

type Counted = { readonly rule: Rule; readonly verdict: LimitVerdict };

/**
 * Counts one request against each rule, all at the same time: a shared store is asked once.
 * @returns the first verdict that rejects; otherwise the one with the smallest share left.
 */
async function countEach(
  limiter: Limiter,
  { issuer, subject }: Caller,
  rules: readonly Rule[],
): Promise<Counted | undefined> {
  const verdicts = await Promise.all(
    rules.map(({ name, limits: { requestsPerMinute } }) =>
      limiter.consume({ rule: name, issuer, subject, bytes: 0, limits: { requestsPerMinute } }),
    ),
  );
  const counted = rules.flatMap((rule, index) => {
    const verdict = verdicts[index];
    return verdict ? [{ rule, verdict }] : [];
  });
  const byShareLeft = counted.toSorted((one, other) => shareLeft(one.verdict) - shareLeft(other.verdict));
  return counted.find(({ verdict }) => !verdict.allowed) ?? byShareLeft[0];
}

function dispositionOf({ disposition, filename }: DownloadRequest): string {
  return filename === undefined ? disposition : dispositionWithName(disposition, filename);
}
