export type LoadReport = {
  readonly requests: number;
  /** How often each outcome was seen: a status, or the code of the error that came in place of an answer. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** From the instant at which a request was due, so that a stall counts for each that it delays. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

export type Load = {
  /** How many requests were answered until now. */
  answered(): number;
  /** Sends no more, and reports when the last answer is there. */
  stop(): Promise<LoadReport>;
};

const TICK_MS = 5;

/**
 * Open-loop load: a request is sent when it is due, whether those before it were answered or not, as callers do who know
 * nothing of each other.
 * @param send sends one request and resolves with its outcome; a rejection is one as well.
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

  return { answered: () => latenciesMs.length, stop };

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
