/** An issue that Zod found in a value. */
type Issue = { readonly path: readonly PropertyKey[]; readonly origin?: string };

/**
 * Leaves out that a whole number is beyond ±(2⁵³ − 1) if the same value has another issue, such as
 * a closer bound, so that one mistake is reported once. Zod reports both.
 */
export function withClosestBounds<Found extends Issue>(issues: readonly Found[]): readonly Found[] {
  const faulty = new Set(issues.filter((issue) => !isBoundOfExactNumbers(issue)).map(addressOf));
  return issues.filter((issue) => !isBoundOfExactNumbers(issue) || !faulty.has(addressOf(issue)));
}

/** Zod names `int` as the origin of this bound only. */
function isBoundOfExactNumbers({ origin }: Issue): boolean {
  return origin === 'int';
}

function addressOf({ path }: Issue): string {
  return JSON.stringify(path);
}
