/** The longest name of, or pointer to, a claim that a policy file may hold. */
export const MAX_CLAIM_REFERENCE_LENGTH = 255;

/**
 * The place of a value in a token: the name of a claim, or a JSON pointer (RFC 6901) into one. Made
 * by {@link parseClaimReference}.
 */
export type ClaimReference = {
  /** As written in the policy file: `role`, `/realm_access/roles`. */
  readonly source: string;
  /** The claim's name, then the names of the members of nested objects. */
  readonly path: readonly [string, ...string[]];
};

/**
 * Reads the name of a claim. Only a text that begins with `/` is a JSON pointer, so names with
 * dots, colons or later slashes (`https://example.com/roles`) keep their literal meaning. A claim
 * that is literally named `/x` is written `/~1x`.
 * @returns the reference, or the fault, as the end of a sentence that begins with the name.
 */
export function parseClaimReference(source: string): ClaimReference | string {
  if (source.length > MAX_CLAIM_REFERENCE_LENGTH)
    return `is longer than ${MAX_CLAIM_REFERENCE_LENGTH} characters`;
  if (source.trim() === '') return 'must not be empty';
  if (source.trim() !== source) return 'must not begin or end with a blank';
  if (!source.startsWith('/')) return { source, path: [source] };
  const [, first = '', ...rest] = source.split('/');
  const names = [first, ...rest];
  if (names.includes('')) return 'is a JSON pointer with an empty name; write it as /realm_access/roles';
  if (names.some((name) => /~(?![01])/.test(name)))
    return 'is a JSON pointer with a "~" that is not part of "~0" (for "~") or "~1" (for "/")';
  return { source, path: [unescapeName(first), ...rest.map(unescapeName)] };
}

/**
 * Returns the value that a reference points to, or undefined if the token has none. Follows own
 * members of objects only, so that it finds neither `constructor` nor an element of a list.
 */
export function claimValue(
  claims: Readonly<Record<string, unknown>>,
  { path }: Pick<ClaimReference, 'path'>,
): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** RFC 6901 section 4: `~1` first, so that `~01` becomes `~1` and not `/`. */
function unescapeName(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}
