import { objectKeyFaults } from './object-key.ts';

type Part = { readonly literal: string } | { readonly claim: string };

/** A rule's prefix, cut into literal text and claim names. Made by {@link parsePrefixTemplate}. */
export type PrefixTemplate = { readonly source: string; readonly parts: readonly Part[] };

export type ResolvedPrefix =
  | { readonly ok: true; readonly prefix: string }
  | { readonly ok: false; readonly claim: string };

/**
 * Reads a prefix such as `users/{sub}/`.
 * @returns the template, or one sentence that says what is wrong with it.
 */
export function parsePrefixTemplate(source: string): PrefixTemplate | string {
  if (!source.endsWith('/')) return 'must end in "/"';
  const parts = source
    .split(/(\{[^{}]*\})/)
    .filter((part) => part !== '')
    .map((part): Part => (part.startsWith('{') ? { claim: part.slice(1, -1) } : { literal: part }));
  if (parts.some((part) => 'claim' in part && part.claim.trim() !== part.claim))
    return 'has blanks inside "{…}"';
  if (parts.some((part) => 'claim' in part && part.claim === '')) return 'has "{}" without a claim name';
  if (parts.some((part) => 'literal' in part && /[{}]/.test(part.literal)))
    return 'has an unmatched "{" or "}"';
  // Two claims in one segment could meet in the middle: {a}-{b} is "x-y-z" for ("x-y","z") and for ("x","y-z").
  const shape = parts.map((part) => ('claim' in part ? '{}' : part.literal)).join('');
  if (shape.split('/').some((segment) => segment.split('{}').length > 2))
    return 'may hold at most one "{claim}" between two "/"';
  const faults = objectKeyFaults(`${shape.replaceAll('{}', 'x')}x`);
  if (faults[0] !== undefined) return `cannot begin an object key: ${faults[0]}`;
  return { source, parts };
}

/**
 * Puts the caller's claims into the prefix. Each must be a string (or a whole number) that is one safe path segment;
 * else the claim's name comes back, and the rule does not apply.
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
    const value = claims[part.claim];
    const segment = Number.isSafeInteger(value) ? String(value) : value;
    if (typeof segment !== 'string' || !isSafeSegment(segment)) return { ok: false, claim: part.claim };
    prefix += segment;
  }
  return { ok: true, prefix };
}

/** Says whether a claim's value may stand in a key: 1–128 printable ASCII characters, no `/` or `\`, not `.` or `..`. */
function isSafeSegment(segment: string): boolean {
  return /^[ -.0-[\]-~]{1,128}$/.test(segment) && segment !== '.' && segment !== '..';
}
