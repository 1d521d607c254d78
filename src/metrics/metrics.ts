import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { Observer } from '../http/observer.ts';
import type { PolicyStatus } from '../live-policy.ts';
import type { CredentialsSource } from '../uploads/credentials-source.ts';
import type { Limiter } from '../uploads/limiter.ts';
import { registerHistogram, type Series } from './histogram.ts';

/** What is asked anew whenever the metrics are read. None of it starts any network. */
export type MetricsSources = {
  readonly credentials: Pick<CredentialsSource, 'describe' | 'expiresAt'>;
  readonly issuers: TokenVerifier['status'];
  readonly policy: () => PolicyStatus;
  readonly limiter: Pick<Limiter, 'mode'>;
  readonly isReady: () => boolean;
};

export type Metrics = {
  readonly observer: Observer;
  /** Wraps a function that signs, to see how long it takes. */
  timeSigning<Args extends readonly unknown[], Signed>(
    sign: (...args: Args) => Signed,
  ): (...args: Args) => Signed;
  policyReloaded(result: 'applied' | 'refused'): void;
  /** Prometheus text exposition format. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
};

/** Answers come from memory and two public-key operations at most; the upper end is for issuers that are slow. */
const ANSWER_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIGNING_BUCKETS_SECONDS = [0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02];

/**
 * Creates the metrics of one service, in a registry of their own. Every label's values come from the policy file, from this
 * source or from the configuration: nothing that a caller sends can become one.
 *
 * @param options.seconds a clock that never goes back, e.g. `performance.now() / 1000`.
 * @param options.ofProcess whether memory, CPU, event-loop lag and garbage collection of the process are told as well.
 */
export function createMetrics(
  sources: MetricsSources,
  { seconds, ofProcess }: { readonly seconds: () => number; readonly ofProcess: boolean },
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (ofProcess) collectDefaultMetrics({ register: registry });

  const granted = new Map<string, number>();
  new Counter({
    name: 'oss_presign_grants_total',
    help: 'Presigned URLs issued, by rule.',
    labelNames: ['rule'],
    registers,
    collect() {
      this.reset();
      for (const [rule, urls] of granted) this.inc({ rule }, urls);
    },
  });
  const denials = new Counter({
    name: 'oss_presign_denials_total',
    help: 'Uploads that the policy denied, by nearest rule and reason. A denial with several reasons counts once for each.',
    labelNames: ['rule', 'code'],
    registers,
  });
  const rejections = new Counter({
    name: 'oss_presign_rejections_total',
    help: 'Requests rejected for anything but a denial by the policy, by code.',
    labelNames: ['code'],
    registers,
  });
  const answerSeries = registerHistogram({
    name: 'oss_presign_http_request_duration_seconds',
    help: 'Time from the request’s headers to the end of the answer.',
    bounds: ANSWER_BUCKETS_SECONDS,
    registry,
  });
  const answers = new Map<string, Series>();
  const signing = registerHistogram({
    name: 'oss_presign_signing_duration_seconds',
    help: 'Time to sign one URL.',
    bounds: SIGNING_BUCKETS_SECONDS,
    registry,
  })({});
  const reloads = new Counter({
    name: 'oss_presign_policy_reloads_total',
    help: 'New versions of the policy file, by what became of them.',
    labelNames: ['result'],
    registers,
  });
  // What appears only with its first failure has no rise that an alert could see.
  for (const result of ['applied', 'refused']) reloads.inc({ result }, 0);
  for (const status of [500, 503]) answersTo('POST', '/v1/uploads', status);
  registerGauges(sources, registers);

  return {
    observer: {
      answered: ({ method, route, status, seconds }) => answersTo(method, route, status).observe(seconds),
      decided({ outcome, rule = 'none', reasons }) {
        if (outcome === 'granted') granted.set(rule, (granted.get(rule) ?? 0) + 1);
        if (outcome === 'denied') for (const code of reasons) denials.inc({ rule, code });
      },
      rejected: (code) => rejections.inc({ code }),
    },
    timeSigning:
      (sign) =>
      (...args) => {
        const startedAt = seconds();
        const signed = sign(...args);
        signing.observe(seconds() - startedAt);
        return signed;
      },
    policyReloaded: (result) => reloads.inc({ result }),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };

  function answersTo(method: string, route: string, status: number): Series {
    const key = `${status} ${method} ${route}`;
    const known = answers.get(key);
    if (known) return known;
    const series = answerSeries({ method, route, status });
    answers.set(key, series);
    return series;
  }
}

function registerGauges(
  { credentials, issuers, policy, limiter, isReady }: MetricsSources,
  registers: Registry[],
): void {
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: (gauge: Gauge<Label>) => void,
  ) =>
    new Gauge<Label>({
      name: `oss_presign_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        // What is gone, such as an issuer of an earlier policy, is told no more.
        this.reset();
        read(this);
      },
    });
  const unixSeconds = (instant: Date) => instant.getTime() / 1000;
  const asNumber = (is: boolean) => (is ? 1 : 0);

  gauge('ready', '1 while /readyz says 200.', [], (ready) => ready.set(asNumber(isReady())));
  gauge('credentials_usable', '1 while there are credentials that can sign.', [], (usable) =>
    usable.set(asNumber(credentials.describe().ok)),
  );
  gauge(
    'credentials_expiry_timestamp_seconds',
    'When the credentials end (Unix time); +Inf where they do not, or where nobody knows.',
    [],
    (expiry) => {
      const expiresAt = credentials.expiresAt();
      expiry.set(expiresAt ? unixSeconds(expiresAt) : Number.POSITIVE_INFINITY);
    },
  );
  gauge('issuer_keys_loaded', '1 while there are keys of the issuer.', ['issuer'], (loaded) => {
    for (const { issuer, keysLoaded } of issuers()) loaded.set({ issuer }, asNumber(keysLoaded));
  });
  gauge(
    'issuer_keys_fetched_timestamp_seconds',
    'When the keys in use were fetched (Unix time); missing where they are given.',
    ['issuer'],
    (fetched) => {
      for (const { issuer, fetchedAt } of issuers())
        if (fetchedAt) fetched.set({ issuer }, unixSeconds(fetchedAt));
    },
  );
  gauge('issuer_keys_failing', '1 while the last fetch of the keys failed.', ['issuer'], (failing) => {
    for (const { issuer, lastError } of issuers()) failing.set({ issuer }, asNumber(lastError !== undefined));
  });
  gauge('policy_info', '1 for the version of the policy in force.', ['version'], (info) =>
    info.set({ version: policy().version }, 1),
  );
  gauge('policy_rules', 'Rules of the policy in force.', [], (rules) => rules.set(policy().rules));
  gauge('policy_loaded_timestamp_seconds', 'Since when the policy is in force (Unix time).', [], (loaded) =>
    loaded.set(unixSeconds(policy().loadedAt)),
  );
  gauge('policy_file_refused', '1 while the policy file holds a version that was refused.', [], (refused) =>
    refused.set(asNumber(policy().refusedVersion !== undefined)),
  );
  gauge(
    'limiter_mode',
    '1 for where limits are counted: redis, memory, or degraded (no Redis).',
    ['mode'],
    (mode) => {
      for (const one of ['redis', 'memory', 'degraded'] as const)
        mode.set({ mode: one }, asNumber(limiter.mode() === one));
    },
  );
}
