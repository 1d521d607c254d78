import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { buildApp } from './app.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { createCredentials } from './credentials/create-credentials.ts';
import type { ReadinessCheck } from './http/health-routes.ts';
import { createMemoryLimiter } from './limits/memory-limiter.ts';
import { createRedisLimiter } from './limits/redis-limiter.ts';
import type { Policy } from './policy/policy.ts';

export type ServiceSources = {
  readonly config: Config;
  readonly policy: Policy;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
};

export type Service = {
  readonly app: FastifyInstance;
  /** Listens and answers with the address, e.g. `http://127.0.0.1:8080`. Rejects when the port is not to be had. */
  start(): Promise<string>;
  /** Unready at once; open requests may end within the grace time, then everything is closed. Resolves when it is. */
  stop(): Promise<void>;
};

/** How often missing or aged issuer keys are asked for without a caller who needs them; the verifier's cool-down bounds it. */
const PRELOAD_INTERVAL_MS = 10_000;

/** How often credentials are looked after; when they are really asked for is up to them. */
const CREDENTIALS_INTERVAL_MS = 1_000;

/** A clock before this was never set: a machine that begins its life in 1970 would sign URLs that are long over. */
const EARLIEST_SANE = new Date('2026-01-01T00:00:00Z');

/**
 * Wires one running service from a checked configuration and policy.
 * @throws Error when no source of credentials is configured; its message may be shown to operators.
 */
export async function createService({
  config,
  policy,
  logger,
  clock,
  fetch,
}: ServiceSources): Promise<Service> {
  const verifier = createTokenVerifier({ issuers: policy.issuers, clock, fetch });
  const credentials = await createCredentials(config.credentials, {
    clock,
    log: logger,
    homeDirectory: homedir(),
  });
  const limiter =
    config.redisUrl === undefined
      ? createMemoryLimiter()
      : createRedisLimiter({
          url: config.redisUrl,
          onModeChange: (mode) => {
            if (mode === 'redis') logger.info({ limiterMode: mode }, 'limits are counted in Redis');
            else logger.warn({ limiterMode: mode }, 'Redis cannot be reached: this copy counts limits alone');
          },
        });
  let isDraining = false;
  let preloading: NodeJS.Timeout | undefined;
  let keepingFresh: NodeJS.Timeout | undefined;
  /** By issuer, what the log last said of its keys: each change is told once. */
  const toldErrors = new Map<string, string | undefined>();

  const app = await buildApp({
    policy: () => policy,
    verifier,
    credentials,
    limiter,
    clock,
    logger,
    readiness,
    isDraining: () => isDraining,
    newObjectId: () => uuidv7({ msecs: clock().getTime(), random: randomBytes(16) }),
    newRequestId: () => randomBytes(12).toString('hex'),
    corsOrigins: config.corsOrigins,
    trustProxy: config.trustProxy,
  });

  const openAnswers = new Set<unknown>();
  let onIdle: (() => void) | undefined;
  app.addHook('onRequest', async (_request, reply) => {
    openAnswers.add(reply.raw);
    reply.raw.once('close', () => {
      openAnswers.delete(reply.raw);
      if (openAnswers.size === 0) onIdle?.();
    });
  });

  return { app, start, stop };

  function readiness(): readonly ReadinessCheck[] {
    const issuers = verifier.status();
    const isClockSane = clock() >= EARLIEST_SANE;
    return [
      { name: 'lifecycle', ok: !isDraining, detail: isDraining ? 'stopping' : 'running' },
      { name: 'credentials', ...credentials.describe() },
      {
        name: 'issuer keys',
        // One issuer that is down must not take the callers of all the others with it.
        ok: issuers.some((issuer) => issuer.keysLoaded),
        detail: issuers
          .map(({ issuer, keysLoaded }) => `${issuer} ${keysLoaded ? 'loaded' : 'not loaded'}`)
          .join(', '),
      },
      { name: 'limiter', ...limiter.describe() },
      { name: 'clock', ok: isClockSane, detail: isClockSane ? 'sane' : 'before 2026' },
    ];
  }

  async function start(): Promise<string> {
    for (const warning of policy.warnings) logger.warn(warning);
    const address = await app.listen({ host: config.host, port: config.port });
    logger.info({ address, rules: policy.rules.length, issuers: policy.issuers.length }, 'listening');
    // Not awaited: the first caller of a slow issuer waits for its keys, the callers of the others do not. And again later: a
    // copy that is unready for want of keys gets no callers who would make it fetch them.
    void loadIssuerKeys();
    preloading = setInterval(() => void loadIssuerKeys(), PRELOAD_INTERVAL_MS).unref();
    void credentials.keepFresh();
    keepingFresh = setInterval(() => void credentials.keepFresh(), CREDENTIALS_INTERVAL_MS).unref();
    return address;
  }

  async function loadIssuerKeys(): Promise<void> {
    await verifier.preload();
    for (const { issuer, lastError } of verifier.status()) {
      if (lastError === toldErrors.get(issuer)) continue;
      toldErrors.set(issuer, lastError);
      if (lastError === undefined) logger.info({ issuer }, 'the keys of the issuer can be fetched again');
      else logger.warn({ issuer, reason: lastError }, 'the keys of the issuer cannot be fetched');
    }
  }

  async function stop(): Promise<void> {
    isDraining = true;
    clearInterval(preloading);
    clearInterval(keepingFresh);
    logger.info({ graceSeconds: config.shutdownGraceSeconds }, 'stopping');
    const deadline = setTimeout(() => app.server.closeAllConnections(), config.shutdownGraceSeconds * 1000);
    // Until then it still listens, so that whoever asks hears that it is not ready, and nobody is turned away.
    if (openAnswers.size > 0) {
      await new Promise<void>((resolve) => {
        onIdle = resolve;
      });
    }
    await app.close();
    clearTimeout(deadline);
    await limiter.close();
    logger.info('stopped');
  }
}
