/** A bounded cache. Keys are texts; every entry has a size, 1 by default. */
export type GenerationalMap<Value> = {
  get(key: string): Value | undefined;
  /** Whether the entry is in the current generation, which outlives the previous one. */
  isCurrent(key: string): boolean;
  /** Whether an entry of this size fits into the current generation. */
  hasRoomFor(size: number): boolean;
  /** Adds or replaces an entry of the current generation. If it is full, starts a new one first. */
  set(key: string, value: Value, size?: number): void;
  /** Makes the current generation the previous one, and drops the one before it. */
  startGeneration(): void;
};

/**
 * Keeps at least the newest half of `maxSize`, and never more than `maxSize`, in constant time.
 *
 * Entries are in two generations of half the size. Reading an entry does not extend its lifetime,
 * so a hit costs one or two look-ups and changes nothing.
 */
export function createGenerationalMap<Value>(maxSize: number): GenerationalMap<Value> {
  const maxGenerationSize = Math.floor(maxSize / 2);
  let current = new Map<string, Value>();
  let previous = current;
  let currentSize = 0;

  const hasRoomFor = (size: number) => currentSize + size <= maxGenerationSize;

  function startGeneration(): void {
    previous = current;
    current = new Map();
    currentSize = 0;
  }

  return {
    get: (key) => current.get(key) ?? previous.get(key),
    isCurrent: (key) => current.has(key),
    hasRoomFor,
    set(key, value, size = 1) {
      if (!current.has(key)) {
        if (!hasRoomFor(size)) startGeneration();
        currentSize += size;
      }
      current.set(key, value);
    },
    startGeneration,
  };
}
