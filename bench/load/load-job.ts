/** The job of the load generator: JSON in its first argument. */
export type LoadJob = {
  readonly port: number;
  /** The process id of the server. */
  readonly pid: number;
  /** A JSON array of tokens, one per caller. */
  readonly tokensFile: string;
  /** The callers to take, from the first to before the last. */
  readonly callers: { readonly from: number; readonly to: number };
  /** Keep-alive connections, each with one open request. */
  readonly connections: number;
  /**
   * Either a duration, after a warm-up that is measured in CPU time of the server; or one request
   * per caller, after a number of requests that are not counted.
   */
  readonly extent:
    | { readonly seconds: number; readonly warmUpSeconds: number }
    | { readonly onceEach: true; readonly warmUpRequests: number };
};

/** The output of the load generator: one line of JSON. */
export type LoadResult = {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Per second of the server's CPU time; null if the system does not report it. */
  readonly requestsPerCpuSecond: number | null;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly p999: number };
  /**
   * The share of its core that the generator used, 0…1. Near 1, the generator itself is the
   * bottleneck.
   */
  readonly generatorBusy: number;
};
