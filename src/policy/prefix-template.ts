import { MAX_KEY_BYTES } from '../storage/limits.ts';
import { type ClaimReference, claimValue, parseClaimReference } from './claim-reference.ts';
import { objectKeyFaults } from './object-key.ts';

type Part = { readonly literal: string } | { readonly claim: ClaimReference };

/** A rule's prefix, cut into literal text and claims. Made by {@link parsePrefixTemplate}. */
export type PrefixTemplate = { readonly source: string; readonly parts: readonly Part[] };

/** A claim that cannot be part of a prefix, and the reason. */
export type UnusableClaim = {
  /** The claim as the policy file names it. */
  readonly claim: string;
  readonly reason: 'missing' | 'wrong type' | 'inexact number' | 'empty' | 'unsafe characters';
};

export type ResolvedPrefix =
  | { readonly ok: true; readonly prefix: string }
  | ({ readonly ok: false } & UnusableClaim);

/**
 * Reads a prefix such as `users/{sub}/` or `teams/{/org/team}/`.
 * @returns the template, or the fault, as the end of a sentence that begins with the prefix.
 */
export function parsePrefixTemplate(source: string): PrefixTemplate | string {
  if (source.length > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} characters`;
  if (source.startsWith('/')) return 'must not begin with "/"';
  if (!source.endsWith('/')) return 'must end in "/"';
  const parts: Part[] = [];
  for (const text of source.split(/(\{[^{}]*\})/)) {
    if (text.startsWith('{') && text.endsWith('}')) {
      const name = text.slice(1, -1);
      if (name === '') return 'has "{}" without the name of a claim';
      if (name.trim() !== name) return 'has blanks inside "{…}"';
      const claim = parseClaimReference(name);
      if (typeof claim === 'string') return `has a claim in "{…}" that ${claim}`;
      parts.push({ claim });
    } else if (/[{}]/.test(text)) {
      return 'has an unmatched "{" or "}"';
    } else if (text !== '') {
      parts.push({ literal: text });
    }
  }
  // Two claims in one segment would be ambiguous: {a}-{b} is "x-y-z" for ("x-y","z") and for
  // ("x","y-z").
  const shape = parts.map((part) => ('claim' in part ? '{}' : part.literal)).join('');
  if (shape.split('/').some((segment) => segment.split('{}').length > 2))
    return 'may hold at most one "{claim}" between two "/"';
  const [fault] = objectKeyFaults(`${shape.replaceAll('{}', 'x')}x`);
  if (fault !== undefined) return fault.replace(/^The key /, '').replace(/\.$/, '');
  return { source, parts };
}

/**
 * Returns the prefix with the caller's claims. Each claim must be a string or a whole number that
 * is one safe path segment. Otherwise the rule does not apply, and the result is the claim and the
 * reason.
 */
export function resolvePrefix(
  template: PrefixTemplate,
  claims: Readonly<Record<string, unknown>>,
): ResolvedPrefix {
  let prefix = '';
  for (const part of template.parts) {
    if ('literal' in part) {
      prefix += part.literal;
      continue;
    }
    const value = claimValue(claims, part.claim);
    const segment = Number.isSafeInteger(value) ? String(value) : value;
    if (typeof segment !== 'string' || !isSafeSegment(segment))
      return { ok: false, claim: part.claim.source, reason: unusableBecause(segment) };
    prefix += segment;
  }
  return { ok: true, prefix };
}

/**
 * Reports whether the template is a prefix of the key for some caller: each claim in it could have
 * a value that {@link resolvePrefix} accepts.
 */
export function canBegin({ parts }: PrefixTemplate, key: string): boolean {
  const values = new Map<string, string>();
  let rest = key;
  for (const [index, part] of parts.entries()) {
    if ('literal' in part) {
      if (!rest.startsWith(part.literal)) return false;
      rest = rest.slice(part.literal.length);
      continue;
    }
    // A segment has at most one claim, and the template ends in "/": the rest of the segment is the
    // literal that follows.
    const next = parts[index + 1];
    const after = next && 'literal' in next ? next.literal.slice(0, next.literal.indexOf('/')) : '';
    const segment = rest.slice(0, Math.max(0, rest.indexOf('/')));
    if (!segment.endsWith(after)) return false;
    const value = segment.slice(0, segment.length - after.length);
    const claim = JSON.stringify(part.claim.path);
    if (!isSafeSegment(value) || (values.get(claim) ?? value) !== value) return false;
    values.set(claim, value);
    rest = rest.slice(value.length);
  }
  return true;
}

function unusableBecause(value: unknown): UnusableClaim['reason'] {
  if (value === undefined) return 'missing';
  // JSON parsing rounds such a number, so two callers could get the same folder.
  if (Number.isInteger(value)) return 'inexact number';
  if (typeof value !== 'string') return 'wrong type';
  return value === '' ? 'empty' : 'unsafe characters';
}

/**
 * Reports whether a claim's value may be part of an object key: 1–128 printable ASCII characters,
 * no `/` or `\`, not `.` or `..`.
 */
function isSafeSegment(segment: string): boolean {
  return /^[ -.0-[\]-~]{1,128}$/.test(segment) && segment !== '.' && segment !== '..';
}
