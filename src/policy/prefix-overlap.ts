import type { ClaimReference } from './claim-reference.ts';
import type { Rule } from './policy.ts';
import type { PrefixTemplate } from './prefix-template.ts';

type PrefixedRule = Pick<Rule, 'name' | 'prefix' | 'target' | 'who' | 'sharesPrefixWith'>;

/**
 * Two rules of one bucket whose prefixes can be the same folder, or nested folders, for different
 * callers.
 */
export type PrefixOverlap = {
  readonly bucket: string;
  readonly first: PrefixedRule;
  readonly second: PrefixedRule;
  /**
   * The condition under which they overlap, as the end of a sentence: `claim "tenant" is "users"`.
   */
  readonly when: string;
};

/** The text between two `/` of a prefix: a literal, or a claim with literal text around it. */
type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'claim';
      readonly before: string;
      readonly claim: ClaimReference;
      /** Distinguishes two claims, however they are written. */
      readonly path: string;
      readonly after: string;
      readonly issuer: string | undefined;
    };

/** Rules with the same prefix, bucket and issuer. */
type Group = { readonly segments: readonly Segment[]; readonly rules: readonly PrefixedRule[] };

/**
 * Finds rules whose prefixes can overlap for different callers. Different claims can have the same
 * value (`{sub}/` and `{tenant}/`), and a claim can have the value of a literal (`users/{sub}/` and
 * `users/shared/`). The same claim at the same place is the caller's own folder in both rules, and
 * no overlap, unless the rules are for different issuers. Rules that name each other in
 * `sharesPrefixWith` are left out.
 * @param maxCount the search ends after this many overlaps.
 */
export function overlappingPrefixes(
  rules: readonly PrefixedRule[],
  maxCount: number,
): readonly PrefixOverlap[] {
  const overlaps: PrefixOverlap[] = [];
  for (const [bucket, groups] of groupsByBucket(rules)) {
    for (const [index, one] of groups.entries()) {
      for (let other = 0; other < index; other++) {
        const group = groups[other];
        const when = group && meetingOf(group.segments, one.segments);
        if (when === undefined) continue;
        for (const first of group?.rules ?? []) {
          for (const second of one.rules) {
            if (sharesKnowingly(first, second)) continue;
            if (overlaps.length >= maxCount) return overlaps;
            overlaps.push({ bucket, first, second, when });
          }
        }
      }
    }
  }
  return overlaps;
}

/** A rule by which callers download what is below the prefix of another rule. */
export type ReadPrefix = {
  readonly bucket: string;
  /** The rule for downloads. */
  readonly reader: PrefixedRule;
  readonly owner: PrefixedRule;
};

/**
 * Finds rules for downloads whose prefix contains that of another rule, so that their callers read
 * what others upload. A caller's own folder inside a folder of its own is not reported, nor are
 * rules that name each other in `sharesPrefixWith`.
 * @param maxCount the search ends after this many.
 */
export function readPrefixes(
  readers: readonly PrefixedRule[],
  owners: readonly PrefixedRule[],
  maxCount: number,
): readonly ReadPrefix[] {
  const found: ReadPrefix[] = [];
  const ownersByBucket = groupsByBucket(owners);
  for (const [bucket, groups] of groupsByBucket(readers)) {
    for (const reading of groups) {
      for (const owned of ownersByBucket.get(bucket) ?? []) {
        if (!containsOthers(reading.segments, owned.segments)) continue;
        for (const reader of reading.rules) {
          for (const owner of owned.rules) {
            if (sharesKnowingly(reader, owner)) continue;
            if (found.length >= maxCount) return found;
            found.push({ bucket, reader, owner });
          }
        }
      }
    }
  }
  return found;
}

/** Reports whether `outer` always contains `inner`, and `inner` may belong to another caller. */
function containsOthers(outer: readonly Segment[], inner: readonly Segment[]): boolean {
  if (outer.length >= inner.length) return false;
  const isBelow = outer.every((segment, index) => {
    const other = inner[index];
    return other !== undefined && conditionOf(segment, other) === '';
  });
  const isForEveryone = outer.every(({ kind }) => kind === 'literal');
  return isBelow && (isForEveryone || inner.slice(outer.length).some(({ kind }) => kind === 'claim'));
}

function groupsByBucket(rules: readonly PrefixedRule[]): ReadonlyMap<string, readonly Group[]> {
  const buckets = new Map<string, Map<string, { segments: readonly Segment[]; rules: PrefixedRule[] }>>();
  for (const rule of rules) {
    const { bucket } = rule.target;
    const groups = buckets.get(bucket) ?? new Map();
    buckets.set(bucket, groups);
    const key = JSON.stringify([rule.prefix.source, rule.who.issuer]);
    const group = groups.get(key) ?? { segments: segmentsOf(rule.prefix, rule.who.issuer), rules: [] };
    groups.set(key, group);
    group.rules.push(rule);
  }
  return new Map([...buckets].map(([bucket, groups]) => [bucket, [...groups.values()]]));
}

function segmentsOf({ parts }: PrefixTemplate, issuer: string | undefined): readonly Segment[] {
  const segments: Segment[] = [];
  let before = '';
  let claim: ClaimReference | undefined;
  for (const part of parts) {
    if ('claim' in part) {
      claim = part.claim;
      continue;
    }
    const [head = '', ...tails] = part.literal.split('/');
    let text = head;
    for (const tail of tails) {
      segments.push(
        claim === undefined
          ? { kind: 'literal', text: before + text }
          : { kind: 'claim', before, claim, path: JSON.stringify(claim.path), after: text, issuer },
      );
      before = '';
      claim = undefined;
      text = tail;
    }
    before += text;
  }
  return segments;
}

/**
 * Returns when two prefixes can be the same folder or nested folders; undefined if never, or only
 * for one caller.
 */
function meetingOf(one: readonly Segment[], other: readonly Segment[]): string | undefined {
  const shared = Math.min(one.length, other.length);
  const conditions: string[] = [];
  for (let index = 0; index < shared; index++) {
    const [a, b] = [one[index], other[index]];
    if (!a || !b) return undefined;
    const condition = conditionOf(a, b);
    if (condition === undefined) return undefined;
    if (condition !== '') conditions.push(condition);
  }
  return conditions.length === 0 ? undefined : conditions.join(' and ');
}

/**
 * Returns when two segments are the same text: always (''), never (undefined), or under a
 * condition.
 */
function conditionOf(a: Segment, b: Segment): string | undefined {
  if (a.kind === 'literal' && b.kind === 'literal') return a.text === b.text ? '' : undefined;
  if (a.kind === 'literal') return conditionOf(b, a);
  if (b.kind === 'literal') {
    const value = b.text.slice(a.before.length, b.text.length - a.after.length);
    const isPossible =
      b.text.length > a.before.length + a.after.length &&
      b.text.startsWith(a.before) &&
      b.text.endsWith(a.after) &&
      value !== '.' &&
      value !== '..' &&
      /^[ -~]{1,128}$/.test(value);
    return isPossible ? `claim ${nameOf(a.claim)} is ${JSON.stringify(value)}` : undefined;
  }
  const canMeet =
    (a.before.startsWith(b.before) || b.before.startsWith(a.before)) &&
    (a.after.endsWith(b.after) || b.after.endsWith(a.after));
  if (!canMeet) return undefined;
  if (a.path !== b.path) return `claims ${nameOf(a.claim)} and ${nameOf(b.claim)} have matching values`;
  if (a.before !== b.before || a.after !== b.after)
    return `claim ${nameOf(a.claim)} has matching values for two callers`;
  const isOneIssuer = a.issuer === undefined || b.issuer === undefined || a.issuer === b.issuer;
  return isOneIssuer ? '' : `claim ${nameOf(a.claim)} has the same value in tokens of both issuers`;
}

function nameOf({ source }: ClaimReference): string {
  return JSON.stringify(source);
}

function sharesKnowingly(first: PrefixedRule, second: PrefixedRule): boolean {
  return first.sharesPrefixWith.includes(second.name) || second.sharesPrefixWith.includes(first.name);
}
