/** Items that are serialized in one turn of the event loop. */
const ITEMS_PER_TURN = 100;

/**
 * Returns the JSON of an object as UTF-8: a member with a long list, and then `others`. Other
 * requests get their turn in between, because a thousand URLs with long keys and a token are
 * megabytes.
 * @param toItem the value of each list item, which is made when it is serialized.
 * @param others at least one member.
 */
export async function longListJson<Item>(
  name: string,
  items: readonly Item[],
  toItem: (item: Item) => object,
  others: Readonly<Record<string, unknown>>,
  yieldToEventLoop: () => Promise<void>,
): Promise<Buffer> {
  const parts = [Buffer.from(`{${JSON.stringify(name)}:[`)];
  for (let start = 0; start < items.length; start += ITEMS_PER_TURN) {
    if (start > 0) await yieldToEventLoop();
    const texts = items.slice(start, start + ITEMS_PER_TURN).map((item) => JSON.stringify(toItem(item)));
    parts.push(Buffer.from(`${start > 0 ? ',' : ''}${texts.join(',')}`));
  }
  parts.push(Buffer.from(`],${JSON.stringify(others).slice(1)}`));
  return Buffer.concat(parts);
}
