import type { Caller } from '../../auth/caller.ts';
import type { Action } from '../../policy/actions.ts';
import { HeldLists } from '../../policy/held-lists.ts';
import type { Policy, Rule } from '../../policy/policy.ts';
import { resolvePrefix } from '../../policy/prefix-template.ts';
import { ruleMatchesCaller } from '../../policy/rule-matches-caller.ts';
import type { StoredObject } from '../../storage/object-storage.ts';

/** A file of a repository: the SHA-256 of its bytes in lower-case hexadecimal, and their number. */
export type LfsObject = { readonly oid: string; readonly size: number };

export type LfsRequest = {
  readonly target: string;
  /** 1 to 100. */
  readonly objects: readonly LfsObject[];
};

/** The most prefixes that are tried for one object. */
export const MAX_PREFIXES = 8;

/** Objects that the storage is asked for at the same time. */
const CONCURRENT_CALLS = 8;

/**
 * How long all calls to the storage for one request may take, in milliseconds. git-lfs gives up
 * after 30 s without a byte.
 */
const STORAGE_CALLS_WITHIN_MS = 20_000;

/** When the calls to the storage for one request have to end. */
export function storageCallsDeadline(now: Date): Date {
  return new Date(now.getTime() + STORAGE_CALLS_WITHIN_MS);
}

/** The key of an object below the prefix of a rule, which is empty or ends with a slash. */
export function lfsKey(prefix: string, oid: string): string {
  return `${prefix}lfs/${oid.slice(0, 2)}/${oid}`;
}

/** Whether a key is that of an object below any prefix. */
export function isKeyOf(key: string, oid: string): boolean {
  const suffix = lfsKey('', oid);
  return key === suffix || key.endsWith(`/${suffix}`);
}

/** The rules with one of these actions for a caller and a target, and where they begin. */
export type Candidates = {
  /** In the order of the policy. */
  readonly rules: readonly Rule[];
  /** Their different prefixes, at most {@link MAX_PREFIXES}; empty if there are no rules. */
  readonly prefixes: readonly string[];
};

/** Finds the rules that can allow an object of the target. Called once per request. */
export function findCandidates(
  { rules }: Pick<Policy, 'rules'>,
  caller: Caller,
  target: string,
  actions: readonly Action[],
): Candidates {
  const lists = new HeldLists();
  const matching: Rule[] = [];
  const prefixes = new Set<string>();
  for (const rule of rules) {
    if (rule.target.name !== target || !actions.some((action) => rule.actions.includes(action))) continue;
    if (!ruleMatchesCaller(rule, caller, lists)) continue;
    const resolved = resolvePrefix(rule.prefix, caller.claims);
    if (!resolved.ok) continue;
    matching.push(rule);
    if (prefixes.size < MAX_PREFIXES) prefixes.add(resolved.prefix);
  }
  return { rules: matching, prefixes: [...prefixes] };
}

/** Whether the object in the bucket has the length of the file. */
export function hasSize({ contentLength }: StoredObject, { size }: LfsObject): boolean {
  return contentLength === size;
}

/**
 * Handles each item, in their order, some at the same time.
 * @param handle after it has rejected, no further item is begun.
 * @returns the results in the order of the items.
 */
export async function handleEach<Item, Result>(
  items: readonly Item[],
  handle: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  let hasFailed = false;
  async function work(): Promise<void> {
    // The workers share the iterator: each item is handled once.
    for (const [index, item] of waiting) {
      if (hasFailed) return;
      try {
        results[index] = await handle(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_CALLS }, work));
  return results;
}
