import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { CredentialsSource } from '../grants/ports/credentials-source.ts';
import { NOTIFICATION_OUTCOMES, type NotificationObserver } from '../grants/ports/notifier.ts';
import type { Observer } from '../grants/ports/observer.ts';
import { LIMITER_MODES, type LimiterStatus } from '../limits/running-limiter.ts';
import type { LogOutputStatus } from '../log/output.ts';
import type { PolicyStatus } from '../policy/policy-status.ts';
import type { ServiceKeysStatus } from '../service-keys/live-service-keys.ts';
import {
  STORAGE_OPERATIONS,
  STORAGE_OUTCOMES,
  type StorageObserver,
  type StorageOperation,
} from '../storage/storage-observer.ts';
import { registerHistogram, type Series } from './histogram.ts';

/** The state that each scrape reads. None of it uses the network. */
export type MetricsSources = {
  readonly credentials: Pick<CredentialsSource, 'describe' | 'expiresAt'>;
  readonly issuers: TokenVerifier['status'];
  readonly policy: () => PolicyStatus;
  /** The names of the rules that have a receiver of notifications. */
  readonly notifyingRules: () => readonly string[];
  readonly serviceKeys: () => ServiceKeysStatus;
  readonly limiter: Pick<LimiterStatus, 'mode'>;
  readonly isReady: () => boolean;
  readonly logOutput: () => LogOutputStatus;
  readonly build: BuildInfo;
};

/** Versions and configuration of this replica. */
export type BuildInfo = {
  readonly version: string;
  readonly nodeVersion: string;
  readonly credentialsSource: string;
  readonly limiterMode: 'memory' | 'redis';
  /** The number of allowed origins; a label per origin would be unbounded. */
  readonly corsOrigins: number;
};

export type Metrics = {
  readonly observer: Observer;
  readonly storageObserver: StorageObserver;
  readonly notificationObserver: NotificationObserver;
  /** Wraps a function that signs, and observes how long it takes. */
  timeSigning<Args extends readonly unknown[], Signed>(
    sign: (...args: Args) => Signed,
  ): (...args: Args) => Signed;
  policyReloaded(result: 'applied' | 'refused'): void;
  /** Prometheus text exposition format. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
};

/**
 * Most responses need no network. Up to 10 s are for issuers whose keys are slow to fetch, and up
 * to 75 s for completing a multipart upload.
 */
const RESPONSE_BUCKETS_SECONDS = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 75],
];
/** A call ends after 5 s at the latest; one that completes a multipart upload, after 60 s. */
const STORAGE_BUCKETS_SECONDS = [
  ...[0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60],
];
/** A delivery ends after 10 s at the latest. */
const NOTIFICATION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIGNING_BUCKETS_SECONDS = [0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02];

/**
 * Creates the metrics of one service, in their own registry.
 *
 * Label values come from the policy file, the source code or the configuration, never from a
 * request.
 * @param options.seconds a monotonic clock, for example `performance.now() / 1000`.
 * @param options.includeProcessMetrics whether to include memory, CPU, event-loop lag and garbage
 *   collection.
 */
export function createMetrics(
  sources: MetricsSources,
  {
    seconds,
    includeProcessMetrics,
  }: { readonly seconds: () => number; readonly includeProcessMetrics: boolean },
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (includeProcessMetrics) collectDefaultMetrics({ register: registry });

  const granted = new Map<string, number>();
  new Counter({
    name: 'oss_presign_grants_total',
    help: 'Uploads granted, as a URL or as a form, by rule. Downloads are counted by oss_presign_downloads_total.',
    labelNames: ['rule'],
    registers,
    collect() {
      this.reset();
      for (const [rule, uploads] of granted) this.inc({ rule }, uploads);
    },
  });
  const denials = new Counter({
    name: 'oss_presign_denials_total',
    help: 'Uploads that the policy denied, by nearest rule and reason. A denial with several reasons counts once for each.',
    labelNames: ['rule', 'code'],
    registers,
  });
  const completions = new Counter({
    name: 'oss_presign_completions_total',
    help: 'Calls about granted uploads (parts, status, complete, abort, callback), by rule of the upload and outcome.',
    labelNames: ['rule', 'outcome'],
    registers,
  });
  const downloads = new Counter({
    name: 'oss_presign_downloads_total',
    help: 'Requested downloads, one for each key, by rule and outcome; the rule is empty if none is near.',
    labelNames: ['rule', 'outcome'],
    registers,
  });
  const rejections = new Counter({
    name: 'oss_presign_rejections_total',
    help: 'Requests rejected for anything but a denial by the policy, by code.',
    labelNames: ['code'],
    registers,
  });
  const responseSeries = registerHistogram({
    name: 'oss_presign_http_request_duration_seconds',
    help: 'Time from the end of the request headers to the end of the response.',
    bounds: RESPONSE_BUCKETS_SECONDS,
    registry,
  });
  const responses = new Map<string, Series>();
  const signing = registerHistogram({
    name: 'oss_presign_signing_duration_seconds',
    help: 'Time to sign one upload: a URL or a form.',
    bounds: SIGNING_BUCKETS_SECONDS,
    registry,
  })({});
  const reloads = new Counter({
    name: 'oss_presign_policy_reloads_total',
    help: 'New versions of the policy file, by result.',
    labelNames: ['result'],
    registers,
  });
  // Initialize to 0: `increase()` misses a series that starts at 1.
  for (const result of ['applied', 'refused']) reloads.inc({ result }, 0);
  for (const status of [500, 503]) responsesOf('POST', '/v1/uploads', status);
  registerGauges(sources, registers);
  new Counter({
    name: 'oss_presign_log_lines_lost_total',
    help: 'Log lines that were dropped because standard output failed or was blocked.',
    registers,
    collect() {
      this.reset();
      this.inc(sources.logOutput().lostLines);
    },
  });

  return {
    observer: {
      responded: ({ method, route, status, seconds }) => responsesOf(method, route, status).observe(seconds),
      decided({ outcome, rule = 'none', reasons }) {
        if (outcome === 'granted') granted.set(rule, (granted.get(rule) ?? 0) + 1);
        if (outcome === 'denied') for (const code of reasons) denials.inc({ rule, code });
      },
      completed: ({ outcome, rule = 'none' }) => completions.inc({ rule, outcome }),
      decidedKeys(keys) {
        for (const { outcome, rule = '', count } of keys) downloads.inc({ rule, outcome }, count);
      },
      rejected: (code) => rejections.inc({ code }),
    },
    storageObserver: observeStorage(registry, seconds),
    notificationObserver: observeNotifications(registry, seconds, sources.notifyingRules),
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

  function responsesOf(method: string, route: string, status: number): Series {
    const key = `${status} ${method} ${route}`;
    const known = responses.get(key);
    if (known) return known;
    const series = responseSeries({ method, route, status });
    responses.set(key, series);
    return series;
  }
}

function observeStorage(registry: Registry, seconds: () => number): StorageObserver {
  const registers = [registry];
  const calls = new Counter({
    name: 'oss_presign_storage_calls_total',
    help: 'Calls of the service to the object storage, by operation and outcome.',
    labelNames: ['operation', 'outcome'],
    registers,
  });
  const inProgress = new Gauge({
    name: 'oss_presign_storage_calls_in_progress',
    help: 'Calls of the service to the object storage that are in progress.',
    registers,
  });
  const durationOf = registerHistogram({
    name: 'oss_presign_storage_call_seconds',
    help: 'Duration of a call to the object storage, with its second try.',
    bounds: STORAGE_BUCKETS_SECONDS,
    registry,
  });
  const durations = new Map<StorageOperation, Series>();
  for (const operation of STORAGE_OPERATIONS) {
    durations.set(operation, durationOf({ operation }));
    for (const outcome of STORAGE_OUTCOMES) calls.inc({ operation, outcome }, 0);
  }
  return {
    callStarted(operation) {
      const startedAt = seconds();
      inProgress.inc();
      return (outcome) => {
        inProgress.dec();
        calls.inc({ operation, outcome });
        durations.get(operation)?.observe(seconds() - startedAt);
      };
    },
  };
}

function observeNotifications(
  registry: Registry,
  seconds: () => number,
  notifyingRules: () => readonly string[],
): NotificationObserver {
  const notifications = new Counter({
    name: 'oss_presign_notifications_total',
    help: 'Notifications about stored uploads, by rule and outcome.',
    labelNames: ['rule', 'outcome'],
    registers: [registry],
    collect() {
      for (const rule of notifyingRules())
        for (const outcome of NOTIFICATION_OUTCOMES) this.inc({ rule, outcome }, 0);
    },
  });
  const duration = registerHistogram({
    name: 'oss_presign_notification_seconds',
    help: 'Duration of the delivery of a notification; without those that were not sent.',
    bounds: NOTIFICATION_BUCKETS_SECONDS,
    registry,
  })({});
  return {
    notificationStarted(rule) {
      const startedAt = seconds();
      return (outcome) => {
        notifications.inc({ rule, outcome });
        if (outcome !== 'busy') duration.observe(seconds() - startedAt);
      };
    },
  };
}

function registerGauges(
  { credentials, issuers, policy, serviceKeys, limiter, isReady, logOutput, build }: MetricsSources,
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
        // Drop series that no longer exist, such as those of an issuer of an earlier policy.
        this.reset();
        read(this);
      },
    });
  const unixSeconds = (instant: Date) => instant.getTime() / 1000;
  const asNumber = (is: boolean) => (is ? 1 : 0);

  gauge('ready', 'Whether /readyz returns 200 (1 or 0).', [], (ready) => ready.set(asNumber(isReady())));
  gauge('log_output_usable', 'Whether log lines can be written to standard output (1 or 0).', [], (usable) =>
    usable.set(asNumber(logOutput().fault === undefined)),
  );
  gauge('credentials_usable', 'Whether valid signing credentials are available (1 or 0).', [], (usable) =>
    usable.set(asNumber(credentials.describe().ok)),
  );
  gauge(
    'credentials_expiry_timestamp_seconds',
    'When the signing credentials expire (Unix time); +Inf if they do not, or if it is not known.',
    [],
    (expiry) => {
      const expiresAt = credentials.expiresAt();
      expiry.set(expiresAt ? unixSeconds(expiresAt) : Number.POSITIVE_INFINITY);
    },
  );
  gauge(
    'issuer_keys_loaded',
    'Whether usable verification keys of the issuer are loaded, not older than maxStale (1 or 0).',
    ['issuer'],
    (loaded) => {
      for (const { issuer, keysLoaded } of issuers()) loaded.set({ issuer }, asNumber(keysLoaded));
    },
  );
  gauge(
    'issuer_keys_fetched_timestamp_seconds',
    'When the verification keys in use were fetched (Unix time); missing if they are configured.',
    ['issuer'],
    (fetched) => {
      for (const { issuer, fetchedAt } of issuers())
        if (fetchedAt) fetched.set({ issuer }, unixSeconds(fetchedAt));
    },
  );
  gauge(
    'issuer_keys_failing',
    'Whether the last fetch of the verification keys failed (1 or 0).',
    ['issuer'],
    (failing) => {
      for (const { issuer, lastError } of issuers())
        failing.set({ issuer }, asNumber(lastError !== undefined));
    },
  );
  gauge(
    'build_info',
    'The versions and the configuration of this replica, as labels; the value is 1.',
    ['version', 'node_version', 'policy_version', 'credentials_source', 'limiter_mode', 'cors_origins'],
    (info) =>
      info.set(
        {
          version: build.version,
          node_version: build.nodeVersion,
          policy_version: policy().version,
          credentials_source: build.credentialsSource,
          limiter_mode: build.limiterMode,
          cors_origins: build.corsOrigins,
        },
        1,
      ),
  );
  gauge('policy_info', 'The version of the active policy, as a label; the value is 1.', ['version'], (info) =>
    info.set({ version: policy().version }, 1),
  );
  gauge('policy_rules', 'Number of rules of the active policy.', [], (rules) => rules.set(policy().rules));
  gauge('policy_loaded_timestamp_seconds', 'When the active policy was loaded (Unix time).', [], (loaded) =>
    loaded.set(unixSeconds(policy().loadedAt)),
  );
  gauge(
    'policy_file_refused',
    'Whether the policy file holds a version that was rejected (1 or 0).',
    [],
    (rejected) => rejected.set(asNumber(policy().refusedVersion !== undefined)),
  );
  gauge('service_keys', 'Number of service keys that verify upload ids and receipts.', [], (keys) =>
    keys.set(serviceKeys().keys),
  );
  gauge(
    'service_keys_shared',
    'Whether the service keys come from SERVICE_KEYS_FILE (1), or belong to this process only (0).',
    [],
    (shared) => shared.set(asNumber(serviceKeys().isShared)),
  );
  gauge(
    'service_keys_loaded_timestamp_seconds',
    'When the service keys in use were loaded (Unix time).',
    [],
    (loaded) => loaded.set(unixSeconds(serviceKeys().loadedAt)),
  );
  gauge(
    'service_keys_file_rejected',
    'Whether the service keys file holds something that was rejected (1 or 0).',
    [],
    (rejected) => rejected.set(asNumber(serviceKeys().isFileRejected)),
  );
  gauge(
    'limiter_mode',
    '1 for the place where limits are counted: redis, memory, or degraded (Redis unreachable).',
    ['mode'],
    (mode) => {
      for (const one of LIMITER_MODES) mode.set({ mode: one }, asNumber(limiter.mode() === one));
    },
  );
}
