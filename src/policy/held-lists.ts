/** Searching a shorter list is faster than indexing it. */
const MIN_INDEXED_LENGTH = 16;

type Index = { readonly values: ReadonlySet<unknown>; readonly sortedTexts: readonly string[] };

/**
 * Searches the lists of a token, such as scopes and groups, for values that rules accept. Create
 * one for each decision. It indexes a long list when the first rule searches it. A token can have
 * thousands of groups and a policy thousands of rules, so comparing each group with each rule would
 * take too long.
 */
export class HeldLists {
  #indexes: Map<readonly unknown[], Index> | undefined;

  has(list: readonly unknown[], value: unknown): boolean {
    return list.length < MIN_INDEXED_LENGTH ? list.includes(value) : this.#indexOf(list).values.has(value);
  }

  /** Reports whether a string of the list begins with the prefix. */
  hasPrefix(list: readonly unknown[], prefix: string): boolean {
    if (list.length < MIN_INDEXED_LENGTH) {
      return list.some((value) => typeof value === 'string' && value.startsWith(prefix));
    }
    return firstNotBefore(prefix, this.#indexOf(list).sortedTexts)?.startsWith(prefix) ?? false;
  }

  #indexOf(list: readonly unknown[]): Index {
    this.#indexes ??= new Map();
    let index = this.#indexes.get(list);
    if (!index) {
      const texts = list.filter((value) => typeof value === 'string');
      index = { values: new Set(list), sortedTexts: texts.sort() };
      this.#indexes.set(list, index);
    }
    return index;
  }
}

/**
 * Returns the index of the first text that is not before `bound`. Texts that begin with `bound`
 * start there.
 */
function firstNotBefore(bound: string, sorted: readonly string[]): string | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < bound) low = middle + 1;
    else high = middle;
  }
  return sorted[low];
}
