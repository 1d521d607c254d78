import leven from 'leven';

/**
 * Longer names are not typing mistakes. Comparing them takes time that grows with the square of
 * their length.
 */
const MAX_NAME_LENGTH = 64;

const MAX_EDITS = 3;

const MIN_CUT_LENGTH = 3;

/** About one edit for every three characters, at least one. */
const maxDistance = (name: string): number => Math.max(1, Math.round(name.length / 3));

/**
 * Finds the known name that a mistyped one most likely stands for.
 *
 * Uses {@link mistypedName} first, then looks for a name that was cut or continued (`meta` for
 * `metadata`, `warning` for `warn`).
 * @returns a member of `known`, or undefined if none is close.
 */
export function closestName(name: string, known: Iterable<string>, maxEdits = MAX_EDITS): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const names = [...known];
  return mistypedName(name, names, maxEdits) ?? cutName(lettersOf(name), names);
}

/**
 * Finds the known name that differs only in case, separators or a few edits.
 *
 * Examples: `content_type` for `contentType`, `CORS_ORIGIN` for `CORS_ORIGINS`.
 * @param maxEdits the most edits; the limit is lower for short names.
 * @returns a member of `known`, or undefined if none is close.
 */
export function mistypedName(
  name: string,
  known: Iterable<string>,
  maxEdits = MAX_EDITS,
): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const letters = lettersOf(name);
  const limit = Math.min(maxEdits, maxDistance(letters));
  let closest: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = leven(letters, lettersOf(candidate));
    if (distance <= limit && (!closest || distance < closest.distance))
      closest = { name: candidate, distance };
  }
  return closest?.name;
}

/**
 * Returns the known name that begins with `letters`, or with which they begin.
 *
 * Of `audience` and `audienceClaim`, it returns the shorter one. Two letters are too few.
 */
function cutName(letters: string, known: readonly string[]): string | undefined {
  const matches = known.filter((candidate) => {
    const other = lettersOf(candidate);
    return (
      Math.min(letters.length, other.length) >= MIN_CUT_LENGTH &&
      (letters.startsWith(other) || other.startsWith(letters))
    );
  });
  const [shortest] = matches.toSorted((a, b) => a.length - b.length);
  return matches.every((match) => match.startsWith(shortest ?? '')) ? shortest : undefined;
}

/**
 * Returns the end of a message about an unknown name: ` Did you mean "filename"?`. It is empty if
 * no known name is close.
 */
export function didYouMean(name: string, known: Iterable<string>): string {
  const closest = closestName(name, known);
  return closest === undefined ? '' : ` Did you mean ${JSON.stringify(closest)}?`;
}

function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
