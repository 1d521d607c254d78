/**
 * Creates a check that is true for this share of its calls (0 to 1), evenly spread: for 0.25, every
 * fourth.
 */
export function createEvenSampler(): (share: number) => boolean {
  let due = 0;
  return (share) => {
    due += share;
    if (due < 1) return false;
    due -= 1;
    return true;
  };
}
