export type LoadReport = {
  readonly requests: number;
  /** How often each outcome occurred: a status, or the code of a network error. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Measured from the instant at which a request was due: a stall counts for each that it delays. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

export type Load = {
  /** How many requests have an outcome so far. */
  completed(): number;
  /** Stops sending, and reports when the last request has an outcome. */
  stop(): Promise<LoadReport>;
};

const TICK_MS = 5;

/**
 * Starts an open-loop load.
 *
 * Each request is sent when it is due, even if earlier ones are still open, like requests of
 * independent callers.
 * @param send sends one request and resolves with its outcome. A rejected promise is an outcome
 * too.
 */
export function startLoad(requestsPerSecond: number, send: (index: number) => Promise<string>): Load {
  const startedAt = performance.now();
  const outcomes: Record<string, number> = {};
  const latenciesMs: number[] = [];
  const open = new Set<Promise<void>>();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * requestsPerSecond;
    while (sent < due) launch(sent++);
  }, TICK_MS);

  return { completed: () => latenciesMs.length, stop };

  function launch(index: number): void {
    const dueAt = startedAt + (index / requestsPerSecond) * 1000;
    const request = send(index)
      .catch((error) => String(error.cause?.code ?? error.message))
      .then((outcome) => {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        latenciesMs.push(performance.now() - dueAt);
        open.delete(request);
      });
    open.add(request);
  }

  async function stop(): Promise<LoadReport> {
    clearInterval(timer);
    await Promise.all(open);
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    const quantile = (share: number) =>
      Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
    return { requests: sent, outcomes, p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs: quantile(1) };
  }
}
