/** Does what it is given, one at a time for each name, in order. */
export type Locks = <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;

/** Names cost memory only while there is work for them. */
export function createLocks(): Locks {
  const last = new Map<string, Promise<unknown>>();
  return async (name, work) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(work, work);
    last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (last.get(name) === turn) last.delete(name);
    }
  };
}
