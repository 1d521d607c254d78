/** Says yes to this share of the calls (0 to 1), evenly spread: to every fourth for a quarter. */
export function createShare(): (share: number) => boolean {
  let due = 0;
  return (share) => {
    due += share;
    if (due < 1) return false;
    due -= 1;
    return true;
  };
}
