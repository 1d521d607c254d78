/** A short list is searched faster than it is indexed. */
const MIN_INDEXED_LENGTH = 16;

type Index = { readonly values: ReadonlySet<unknown>; readonly sortedTexts: readonly string[] };

/**
 * Searches the lists that a token holds, such as scopes and groups, for what rules accept. Made for one decision: each long list is
 * indexed when the first rule looks into it. A token can hold thousands of groups and a policy thousands of rules, so comparing each
 * with each would take too long.
 */
export class HeldLists {
  #indexes: Map<readonly unknown[], Index> | undefined;

  has(list: readonly unknown[], value: unknown): boolean {
    return list.length < MIN_INDEXED_LENGTH ? list.includes(value) : this.#indexOf(list).values.has(value);
  }

  /** Whether a string of the list begins with the prefix. */
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

/** The first text that is not before `bound`; texts that begin with the bound directly follow it. */
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
