import { randomBytes, randomFillSync } from 'node:crypto';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { createKeySources } from '../auth/keys/create-key-sources.ts';
import { describeKeys } from '../auth/keys/key-source.ts';
import { createTokenVerifier } from '../auth/token-verifier.ts';
import type { Clock } from '../clock.ts';
import { createCredentials } from '../credentials/create-credentials.ts';
import type { Limiter } from '../grants/ports/limiter.ts';
import { buildApp } from '../http/app.ts';
import { createTurns } from '../http/load-control/request-groups.ts';
import { buildOperationsApp } from '../http/operations-app.ts';
import { createRequestIds } from '../http/plugins/request-ids.ts';
import type { ReadinessCheck } from '../http/routes/health.ts';
import { createDenialLimiter } from '../limits/denial-limiter.ts';
import { createMemoryLimiter } from '../limits/memory-limiter.ts';
import type { ServiceLogger } from '../log/logger.ts';
import type { LogOutput } from '../log/output.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { claimsNamedBy, scopesNamedBy } from '../policy/claims-named-by.ts';
import { presignPut } from '../storage/oss/signing/presign-put.ts';
import { createLivePolicy } from './live-policy.ts';
import type { Prepared } from './startup-input.ts';

export type ServiceSources = Prepared & {
  readonly logger: ServiceLogger;
  /** What the logger writes to; without it, it counts as never failing. */
  readonly logOutput?: Pick<LogOutput, 'status' | 'written'>;
  /** The version of this program. */
  readonly version: string;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Whether /metrics tells of the whole process as well; false by default, since several services may share one. */
  readonly processMetrics?: boolean;
};

export type Service = {
  readonly app: FastifyInstance;
  /** Listens and answers with the address, e.g. `http://127.0.0.1:8080`. Rejects when the port is not to be had. */
  start(): Promise<string>;
  /**
   * Unready at once. It goes on answering for the delay, until balancers have noticed; then open requests may end within the
   * grace time, and everything is closed. Resolves when it is.
   */
  stop(options?: { readonly delaySeconds?: number }): Promise<void>;
  /** Reads the policy file now, instead of within two seconds of its change. */
  reloadPolicy(): void;
};

/** A new policy is in force after two looks at the same content. By reading, since no watch is told of every symlink swap. */
const POLICY_LOOK_INTERVAL_MS = 1_000;

/** How often missing or aged issuer keys are asked for without a caller who needs them; the verifier's cool-down bounds it. */
const PRELOAD_INTERVAL_MS = 10_000;

/** How often credentials are looked after; when they are really asked for is up to them. */
const CREDENTIALS_INTERVAL_MS = 1_000;

/** Connections that may wait to be accepted, as far as the kernel allows. With Node's 511, clients of a burst wait seconds to try anew. */
const LISTEN_BACKLOG = 4_096;

/** For a logger that writes somewhere else, e.g. in tests. */
const NEVER_FAILS: Pick<LogOutput, 'status' | 'written'> = {
  status: () => ({ lostLines: 0, fault: undefined }),
  written: () => Promise.resolve(true),
};

/** A clock before this was never set: a machine that begins its life in 1970 would sign URLs that are long over. */
const EARLIEST_SANE = new Date('2026-01-01T00:00:00Z');

/**
 * Wires one running service from a checked configuration and policy.
 * @throws Error when no source of credentials is configured; its message may be shown to operators.
 */
export async function createService({
  config,
  policy: first,
  readPolicy,
  warnings,
  logger,
  logOutput = NEVER_FAILS,
  version,
  clock,
  fetch,
  processMetrics = false,
}: ServiceSources): Promise<Service> {
  const keySources = createKeySources({ clock, fetch });
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
    clock,
    logger,
    onReload: (result) => {
      metrics.policyReloaded(result);
      void loadIssuerKeys();
    },
  });
  const credentials = await createCredentials(config.credentials, {
    clock,
    log: logger,
    findHomeDirectory: homedir,
  });
  const limiter = await createLimiter(config.redisUrl, logger);
  const metrics = createMetrics(
    {
      credentials,
      issuers: () => livePolicy.active().verifier.status(),
      policy: livePolicy.status,
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
    { seconds: () => performance.now() / 1000, ofProcess: processMetrics },
  );
  const operationsApp =
    config.metricsPort === undefined ? undefined : buildOperationsApp(metrics.render, readiness);
  const isStrict = config.auditMode === 'strict';
  let isDraining = false;
  const timers: NodeJS.Timeout[] = [];
  /** By issuer, what the log last said of its keys: each change is told once. */
  const toldErrors = new Map<string, string | undefined>();

  const app = await buildApp({
    active: livePolicy.active,
    credentials,
    limiter,
    clock,
    logger,
    readiness,
    observer: metrics.observer,
    auditGate: isStrict
      ? { isOpen: () => logOutput.status().fault === undefined, written: logOutput.written }
      : undefined,
    presign: metrics.timeSigning(presignPut),
    renderMetrics: operationsApp ? undefined : metrics.render,
    isDraining: () => isDraining,
    turns: createTurns(() => performance.now()),
    newObjectId: () => uuidv7({ msecs: clock().getTime(), random: randomBytes(16) }),
    newRequestId: createRequestIds(randomFillSync),
    denials: createDenialLimiter({ nowMs: () => performance.now() }),
    corsOrigins: config.corsOrigins,
    corsAllowedHeaders: config.corsAllowedHeaders,
    trustProxy: config.trustProxy,
  });

  return { app, start, stop, reloadPolicy: livePolicy.reload };

  function readiness(): readonly ReadinessCheck[] {
    const issuers = livePolicy.active().verifier.status();
    const { version, rules, refusedVersion } = livePolicy.status();
    const isClockSane = clock() >= EARLIEST_SANE;
    return [
      { name: 'lifecycle', ok: !isDraining, detail: isDraining ? 'stopping' : undefined },
      { name: 'credentials', ...credentials.describe() },
      {
        name: 'issuer keys',
        // One issuer that is down must not take the callers of all the others with it.
        ok: issuers.some((issuer) => issuer.keysLoaded),
        detail: issuers.map(({ issuer, ...keys }) => `${issuer} ${describeKeys(keys)}`).join(', '),
      },
      {
        name: 'policy',
        // What was in force still is: an operator's slip in a file must not take the copies down one after the other.
        ok: true,
        detail: `version ${version}, ${rules} ${rules === 1 ? 'rule' : 'rules'}${refusedVersion === undefined ? '' : `; the file now holds ${refusedVersion}, which is refused`}`,
      },
      { name: 'limiter', ...limiter.describe() },
      { name: 'clock', ok: isClockSane, detail: isClockSane ? 'within limits' : 'before 2026' },
      logOutputCheck(),
    ];
  }

  /** With `AUDIT_MODE=strict` a replica that cannot log cannot grant, but another one may. */
  function logOutputCheck(): ReadinessCheck {
    const { fault, lostLines } = logOutput.status();
    const lost = lostLines === 0 ? '' : `; lines lost since the start: ${lostLines}`;
    const detail = fault === undefined ? `written${lost}` : `cannot be written (${fault})${lost}`;
    return { name: 'log output', ok: fault === undefined || !isStrict, detail };
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
    // Not awaited: the first caller of a slow issuer waits for its keys, the callers of the others do not. And again later: a
    // copy that is unready for want of keys gets no callers who would make it fetch them.
    void loadIssuerKeys();
    timers.push(setInterval(() => void loadIssuerKeys(), PRELOAD_INTERVAL_MS).unref());
    timers.push(setInterval(livePolicy.look, POLICY_LOOK_INTERVAL_MS).unref());
    void credentials.keepFresh();
    timers.push(setInterval(() => void credentials.keepFresh(), CREDENTIALS_INTERVAL_MS).unref());
    return address;
  }

  async function loadIssuerKeys(): Promise<void> {
    const { verifier } = livePolicy.active();
    await verifier.preload();
    for (const { issuer, lastError, keysTooOld, fetchedAt } of verifier.status()) {
      const state = keysTooOld ? `too old: ${lastError}` : lastError;
      if (state === toldErrors.get(issuer)) continue;
      toldErrors.set(issuer, state);
      if (state === undefined) logger.info({ issuer }, 'the keys of the issuer can be fetched again');
      else if (keysTooOld)
        logger.error(
          { issuer, reason: lastError, fetchedAt },
          'the keys of the issuer are too old: its tokens are rejected with 503',
        );
      else logger.warn({ issuer, reason: lastError }, 'the keys of the issuer cannot be fetched');
    }
  }

  async function stop({ delaySeconds = config.shutdownDelaySeconds } = {}): Promise<void> {
    isDraining = true;
    logger.info({ delaySeconds, graceSeconds: config.shutdownGraceSeconds }, 'stopping');
    if (delaySeconds > 0) await setTimeout(delaySeconds * 1000);
    for (const timer of timers) clearInterval(timer);
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

async function createLimiter(redisUrl: string | undefined, logger: ServiceLogger): Promise<Limiter> {
  const nowMs = () => performance.now();
  if (redisUrl === undefined) return createMemoryLimiter({ nowMs });
  // Loading the client takes a tenth of the time to start, which a copy without Redis need not pay.
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

/** Where the service listens. Fastify names the loopback address for a host that means every address, e.g. `0.0.0.0`. */
function listensOn(address: string, host: string): string {
  return isIP(host) === 0
    ? address
    : `http://${isIP(host) === 6 ? `[${host}]` : host}:${new URL(address).port || 80}`;
}
