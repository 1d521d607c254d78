import { generateKeyPairSync, randomFillSync, randomUUIDv7 } from 'node:crypto';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import process from 'node:process';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { createKeySources } from '../auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../auth/token-verifier.ts';
import type { Clock } from '../clock.ts';
import { createCredentials } from '../credentials/create-credentials.ts';
import { callbackUrl } from '../grants/callback/callback-url.ts';
import { prepareStorage } from '../grants/prepared-storage.ts';
import { usableCredentials } from '../grants/signing.ts';
import { presignForm, presignUpload } from '../grants/upload/issue-upload.ts';
import { buildApp } from '../http/app.ts';
import { createRequestGroups } from '../http/load-control/request-groups.ts';
import { buildOperationsApp } from '../http/operations-app.ts';
import { createRequestIds } from '../http/plugins/request-ids.ts';
import { createDenialLimiter } from '../limits/denial-limiter.ts';
import { createMemoryLimiter } from '../limits/memory-limiter.ts';
import type { RunningLimiter } from '../limits/running-limiter.ts';
import type { ServiceLogger } from '../log/logger.ts';
import type { LogOutput } from '../log/output.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { createNotifier } from '../notifications/notifier.ts';
import { claimsNamedBy, scopesNamedBy } from '../policy/claims-named-by.ts';
import type { Target } from '../policy/policy.ts';
import { createFileServiceKeys, createProcessServiceKeys } from '../service-keys/live-service-keys.ts';
import { createCallLimit } from '../storage/call-limit.ts';
import type { BucketClient } from '../storage/object-storage.ts';
import { prepareBucket } from '../storage/oss/bucket.ts';
import { createBucketClient } from '../storage/oss/bucket-client.ts';
import { createCallbackKeys } from '../storage/oss/callbacks/callback-keys.ts';
import { createCallbackVerifier } from '../storage/oss/callbacks/verify-callback.ts';
import { createBackgroundJobs } from './background-jobs.ts';
import { createLivePolicy } from './live-policy.ts';
import { createReadiness } from './readiness.ts';
import type { StartupInput } from './startup-input.ts';
import { createStorageStatus } from './storage-status.ts';

export type ServiceSources = StartupInput & {
  readonly logger: ServiceLogger;
  /** The output of the logger. Without it, logging is assumed never to fail. */
  readonly logOutput?: Pick<LogOutput, 'status' | 'written'>;
  /** The version of this program. */
  readonly version: string;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /**
   * Whether /metrics includes the metrics of the process. Default false, because several services
   * may share a process.
   */
  readonly processMetrics?: boolean;
};

export type Service = {
  readonly app: FastifyInstance;
  /**
   * Listens, and resolves with the address, e.g. `http://127.0.0.1:8080`. Rejects if the port
   * cannot be opened.
   */
  start(): Promise<string>;
  /**
   * Reports not ready at once, and serves for the delay, so that load balancers notice. Then open
   * requests may end within the grace time. Resolves when everything is closed.
   */
  stop(options?: { readonly delaySeconds?: number }): Promise<void>;
  /**
   * Reads the policy file and the service keys now. Without it, a change takes effect within 2 s.
   */
  reloadFiles(): void;
};

/**
 * Connections that may wait to be accepted, within the limit of the kernel. With Node's default of
 * 511, clients in a burst wait seconds before they retry.
 */
const LISTEN_BACKLOG = 4_096;

/**
 * Calls to the storage that may be in progress at the same time, for all buckets together. Three
 * quarters of them may complete multipart uploads.
 */
const MAX_STORAGE_CALLS = 64;

/** The status of a log output that the service does not watch, e.g. in tests. */
const NEVER_FAILS: Pick<LogOutput, 'status' | 'written'> = {
  status: () => ({ lostLines: 0, fault: undefined }),
  written: () => Promise.resolve(true),
};

/**
 * Wires one running service from a valid configuration and policy.
 * @throws Error if no source of credentials is configured. Its message may be shown to operators.
 */
export async function createService({
  config,
  policy: first,
  readPolicy,
  serviceKeys: serviceKeysFile,
  warnings,
  logger,
  logOutput = NEVER_FAILS,
  version,
  clock,
  fetch,
  processMetrics = false,
}: ServiceSources): Promise<Service> {
  const keySources = createKeySources({ clock, fetch });
  const callLimit = createCallLimit(MAX_STORAGE_CALLS);
  const storageStatus = createStorageStatus(clock);
  const livePolicy = createLivePolicy({
    first,
    read: readPolicy,
    createVerifier: (policy) =>
      createTokenVerifier({
        issuers: policy.issuers,
        namedByPolicy: { claims: claimsNamedBy(policy), scopes: scopesNamedBy(policy) },
        clock,
        keySources,
      }),
    prepareStorage: (policy) => prepareStorage(policy, prepareBucket, createClient),
    clock,
    logger,
    onReload: (result) => {
      metrics.policyReloaded(result);
      void jobs.loadIssuerKeys();
    },
  });
  const serviceKeys = serviceKeysFile
    ? createFileServiceKeys({ ...serviceKeysFile, clock, log: logger })
    : await createProcessServiceKeys(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, clock);
  const credentials = await createCredentials(config.credentials, {
    clock,
    log: logger,
    findHomeDirectory: homedir,
  });
  const limiter = await createLimiter(config.redisUrl, logger);
  const isStrict = config.auditMode === 'strict';
  let isDraining = false;
  const issuers = () => livePolicy.active().verifier.status();
  const readiness = createReadiness({
    isDraining: () => isDraining,
    credentials,
    issuers,
    policy: livePolicy.status,
    serviceKeys: serviceKeys.status,
    limiter,
    storage: () => storageStatus.check(livePolicy.active().policy.rules.map(({ target }) => target.name)),
    clock,
    logOutput: logOutput.status,
    needsLogOutput: isStrict,
  });
  const metrics = createMetrics(
    {
      credentials,
      issuers,
      policy: livePolicy.status,
      notifyingRules: () =>
        livePolicy.active().policy.rules.flatMap(({ name, notify }) => (notify ? [name] : [])),
      serviceKeys: serviceKeys.status,
      limiter,
      isReady: () => readiness().every(({ ok }) => ok),
      logOutput: logOutput.status,
      build: {
        version,
        nodeVersion: process.version,
        credentialsSource: config.credentials.source,
        limiterMode: config.redisUrl === undefined ? 'memory' : 'redis',
        corsOrigins: config.corsOrigins.length,
      },
    },
    { seconds: () => performance.now() / 1000, includeProcessMetrics: processMetrics },
  );
  const operationsApp =
    config.metricsPort === undefined ? undefined : buildOperationsApp(metrics.render, readiness);
  const jobs = createBackgroundJobs({
    verifier: () => livePolicy.active().verifier,
    pollFiles() {
      livePolicy.poll();
      serviceKeys.poll();
    },
    credentials,
    logger,
  });

  const app = await buildApp({
    active: livePolicy.active,
    serviceKeys,
    canContinueUploads: config.canContinueUploads,
    publicUrl: config.publicUrl,
    callbacks: createCallbackVerifier({
      url: callbackUrl(config.publicUrl),
      key: config.callbackKey,
      findKey: createCallbackKeys({ fetch, clock, timeout }),
    }),
    notifier: createNotifier({
      fetch,
      clock,
      timers: { timeout },
      log: logger,
      observer: metrics.notificationObserver,
    }),
    credentials,
    limiter,
    clock,
    logger,
    readiness,
    observer: metrics.observer,
    auditGate: isStrict
      ? { isOpen: () => logOutput.status().fault === undefined, written: logOutput.written }
      : undefined,
    presign: metrics.timeSigning(presignUpload),
    signForm: metrics.timeSigning(presignForm),
    renderMetrics: operationsApp ? undefined : metrics.render,
    isDraining: () => isDraining,
    requestGroups: createRequestGroups(() => performance.now()),
    // Node.js accepts neither the time nor the random bytes as arguments. The machine's clock is
    // enough, because no code reads the time of an object ID.
    newGrantId: () => randomUUIDv7(),
    yieldToEventLoop: () => setImmediate(),
    newRequestId: createRequestIds(randomFillSync),
    denials: createDenialLimiter({ nowMs: () => performance.now() }),
    corsOrigins: config.corsOrigins,
    corsAllowedHeaders: config.corsAllowedHeaders,
    adapters: config.adapters,
    trustProxy: config.trustProxy,
  });

  return { app, start, stop, reloadFiles };

  /** Called for each target of each version of the policy. */
  function createClient(target: Target): BucketClient {
    return createBucketClient(target, {
      credentials: () => usableCredentials({ credentials, clock }),
      fetch,
      clock,
      timers: { timeout, wait: (ms) => setTimeout(ms) },
      callLimit,
      observer: {
        callStarted(operation) {
          const ended = metrics.storageObserver.callStarted(operation);
          return (outcome) => {
            ended(outcome);
            storageStatus.ended(target.name, outcome);
          };
        },
      },
    });
  }

  function reloadFiles(): void {
    livePolicy.reload();
    serviceKeys.reload();
  }

  async function start(): Promise<string> {
    const { policy } = first;
    for (const warning of [...warnings, ...policy.warnings]) logger.warn(warning);
    const address = await app.listen({ host: config.host, port: config.port, backlog: LISTEN_BACKLOG });
    const metricsAddress = await operationsApp?.listen({ host: config.host, port: config.metricsPort ?? 0 });
    logger.info(
      {
        version,
        nodeVersion: process.version,
        address: listensOn(address, config.host),
        metricsAddress: metricsAddress && listensOn(metricsAddress, config.host),
        policyVersion: first.version,
        rules: policy.rules.length,
        issuers: policy.issuers.length,
        credentialsSource: config.credentials.source,
        limiterMode: limiter.mode(),
        auditMode: config.auditMode,
        corsOrigins: config.corsOrigins,
      },
      'listening',
    );
    jobs.start();
    return address;
  }

  async function stop({ delaySeconds = config.shutdownDelaySeconds } = {}): Promise<void> {
    isDraining = true;
    logger.info({ delaySeconds, graceSeconds: config.shutdownGraceSeconds }, 'stopping');
    if (delaySeconds > 0) await setTimeout(delaySeconds * 1000);
    jobs.stop();
    const deadline = globalThis.setTimeout(
      () => app.server.closeAllConnections(),
      config.shutdownGraceSeconds * 1000,
    );
    await Promise.all([app.close(), operationsApp?.close()]);
    clearTimeout(deadline);
    await limiter.close();
    logger.info('stopped');
  }
}

function timeout(ms: number): AbortSignal {
  return AbortSignal.timeout(ms);
}

async function createLimiter(redisUrl: string | undefined, logger: ServiceLogger): Promise<RunningLimiter> {
  const nowMs = () => performance.now();
  if (redisUrl === undefined) return createMemoryLimiter({ nowMs });
  // Loading the client takes a tenth of the time to start, so replicas without Redis do not load
  // it.
  const { createRedisLimiter } = await import('../limits/redis-limiter.ts');
  return createRedisLimiter({
    url: redisUrl,
    nowMs,
    onModeChange: (mode, reason) => {
      if (mode === 'redis') logger.info({ limiterMode: mode }, 'limits are counted in Redis');
      else
        logger.warn(
          { limiterMode: mode, reason },
          'limits cannot be counted in Redis: this replica counts them alone',
        );
    },
  });
}

/**
 * The address that the service listens on. For a host that means every address, e.g. `0.0.0.0`,
 * Fastify returns the loopback address.
 */
function listensOn(address: string, host: string): string {
  return isIP(host) === 0
    ? address
    : `http://${isIP(host) === 6 ? `[${host}]` : host}:${new URL(address).port || 80}`;
}
