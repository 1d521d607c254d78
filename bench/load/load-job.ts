/** What the load generator is to do, as JSON in its first argument. */
export type LoadJob = {
  readonly port: number;
  /** The server's process. */
  readonly pid: number;
  /** A JSON array of tokens, one per caller. */
  readonly tokensFile: string;
  /** The callers to take, from the first to before the last. */
  readonly callers: { readonly from: number; readonly to: number };
  /** Keep-alive connections, each with one request under way. */
  readonly connections: number;
  /** For how long, after a warm-up of the server's time on its core that does not count; or each caller once, the first of them uncounted. */
  readonly extent:
    | { readonly seconds: number; readonly warmUpSeconds: number }
    | { readonly onceEach: true; readonly warmUpRequests: number };
};

/** What it prints, as one line of JSON. */
export type LoadResult = {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** For each second that the server had on its core, whatever else ran there; null where the system does not tell. */
  readonly requestsPerCpuSecond: number | null;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly p999: number };
  /** The generator's own share of its core, 0…1: near 1 it would be what is measured. */
  readonly generatorBusy: number;
};
