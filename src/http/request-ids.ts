/**
 * Makes the ids of requests: what this process calls itself, and a number. They tell requests of all copies apart, and those of one
 * in the order in which they came; nothing depends on nobody guessing one. A random id takes several times as long.
 * @param instance of letters, digits, `-` and `_`, and of no other process.
 */
export function createRequestIds(instance: string): () => string {
  let count = 0;
  return () => `${instance}-${(count++).toString(36)}`;
}
