import leven from 'leven';

/** Longer names are not typing mistakes, and comparing them would cost time that grows with the square of their length. */
const MAX_NAME_LENGTH = 64;

/** About one edit for every three characters, at least one and at most three. */
const maxDistance = (name: string): number => Math.min(3, Math.max(1, Math.round(name.length / 3)));

/**
 * Finds the known name that a mistyped one most likely stands for: the same letters in another case or with other separators
 * (`content_type` for `contentType`), or a few edits away (`CORS_ORIGIN` for `CORS_ORIGINS`).
 * @returns a member of `known`, or undefined when none is close.
 */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const letters = lettersOf(name);
  let closest: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = leven(letters, lettersOf(candidate));
    if (distance <= maxDistance(letters) && (!closest || distance < closest.distance))
      closest = { name: candidate, distance };
  }
  return closest?.name;
}

/** The end of a message about an unknown name: ` Did you mean "filename"?`, or nothing when no known name is close. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const closest = closestName(name, known);
  return closest === undefined ? '' : ` Did you mean ${JSON.stringify(closest)}?`;
}

function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
