import { Redis } from 'ioredis';
import type { LimitedUpload, LimitVerdict } from '../grants/ports/limiter.ts';
import { rejectAfter } from '../net/reject-after.ts';
import { hasLimits } from './evaluate-limits.ts';
import { createMemoryLimiter } from './memory-limiter.ts';
import { parseRedisAddress, type RedisAddress } from './redis-address.ts';
import { createRedisClient } from './redis-client.ts';
import { type LookUpHost, lookUpBySystem } from './redis-connector.ts';
import { createRedisWindows } from './redis-windows.ts';
import type { RunningLimiter } from './running-limiter.ts';

export type RedisLimiterOptions = {
  /** As in REDIS_URL: one server, sentinels or a cluster. */
  readonly url: string;
  /** Called with the mode once it is known, and each time it changes; with `degraded`, the reason is what `describe` shows. */
  readonly onModeChange: (mode: 'redis' | 'degraded', reason?: string) => void;
  /** Milliseconds of a clock that never goes back, for what is counted in memory. */
  readonly nowMs: () => number;
  /** How long one upload may wait for Redis, in all. Default 500. */
  readonly timeoutMs?: number;
  /** Finds the addresses of a server's host name. Default: the operating system does. */
  readonly lookUpHost?: LookUpHost;
};

/** A connection takes several exchanges: TCP, TLS, authentication, and the question whether the server is ready. */
const ATTEMPT_TIMEOUTS = 4;
const FIRST_BACK_OFF_MS = 50;
const MAX_BACK_OFF_MS = 2000;
const UNKNOWN_CAUSE = 'connection lost';

/**
 * Counts in Redis or Valkey, for all copies together. Whenever that cannot be done within `timeoutMs` – no server, a server
 * that hangs, refuses the password or refuses to write – this process counts by itself, from the next upload on without
 * waiting. Meanwhile it tries anew, at most 2 s apart, and counts in Redis again as soon as a trial count has succeeded there.
 *
 * A stall of this process is not held against Redis: only time in which it could read an answer counts (see `rejectAfter`). While
 * replicas count by themselves, each may grant as much as the bound says once more.
 *
 * Neither what `describe` says nor any error holds an address or a password.
 * @throws TypeError if the address is not one that `parseRedisAddress` accepts.
 */
export function createRedisLimiter({
  url,
  onModeChange,
  nowMs,
  timeoutMs = 500,
  lookUpHost = lookUpBySystem,
}: RedisLimiterOptions): RunningLimiter {
  const memory = createMemoryLimiter({ nowMs });
  let mode: 'redis' | 'degraded' | undefined;
  let cause = UNKNOWN_CAUSE;
  let failures = 0;
  let isClosed = false;
  /** Why this address can never be used, whatever the trial count says. */
  let misuse: Error | undefined;
  const firstMode = Promise.withResolvers<void>();

  const address = addressOf(url);
  const redis = createRedisClient(address, {
    closeTimeoutMs: timeoutMs,
    attemptTimeoutMs: ATTEMPT_TIMEOUTS * timeoutMs,
    backOff: () => Math.min(FIRST_BACK_OFF_MS * 2 ** failures++, MAX_BACK_OFF_MS),
    lookUpHost,
  });
  const windows = createRedisWindows(redis, timeoutMs);
  let endAttempt: (() => void) | undefined;
  redis.on('connect', () => void limitHandshake());
  redis.on('ready', () => void tryRedis());
  for (const failure of ['node error', 'sentinelError']) redis.on(failure, noteCause);
  // A search for the master that fails ends with an error, and begins again without ever closing a connection.
  redis.on('error', (error) => (redis.status === 'ready' ? noteCause(error) : noteDegraded(error)));
  redis.on('close', () => setMode('degraded'));
  for (const end of ['ready', 'close', 'end']) redis.on(end, () => endAttempt?.());

  return {
    consume(upload) {
      if (!hasLimits(upload.limits)) return undefined;
      if (isClosed || mode === 'degraded') return memory.consume(upload);
      return mode === 'redis' ? windows.count(upload, countInMemory) : consumeOnceKnown(upload);
    },
    describe: () => ({ ok: true, detail: describeMode() }),
    // Until the first connection stands or has failed, uploads wait for it.
    mode: () => mode ?? 'redis',
    async close() {
      isClosed = true;
      firstMode.resolve();
      redis.disconnect();
      await memory.close();
    },
  };

  /** For the uploads that arrive before the first connection stands or has failed. */
  async function consumeOnceKnown(upload: LimitedUpload): Promise<LimitVerdict | undefined> {
    try {
      return await rejectAfter(timeoutMs, async () => {
        await firstMode.promise;
        if (mode !== 'redis') throw new Error('counted in memory');
        return windows.count(upload, reject);
      });
    } catch (error) {
      return countInMemory(upload, error);
    }
  }

  function countInMemory(upload: LimitedUpload, error: unknown): LimitVerdict | undefined {
    // Whether it was tried or waited for in vain: the next ones shall not wait.
    if (mode !== 'degraded') degrade(error);
    return memory.consume(upload);
  }

  /** Gives up a connection that is not ready in time: a server can accept connections and never respond. */
  async function limitHandshake(): Promise<void> {
    const ended = Promise.withResolvers<void>();
    endAttempt = ended.resolve;
    try {
      await rejectAfter(ATTEMPT_TIMEOUTS * timeoutMs, () => ended.promise);
    } catch (error) {
      noteDegraded(error);
      redis.disconnect(true);
    }
  }

  /** A connection that stands says little: the server may be full or a read-only replica. A count says all. */
  async function tryRedis(): Promise<void> {
    try {
      if (misuse) throw misuse;
      await selectDatabase();
      await windows.probe();
      failures = 0;
      cause = UNKNOWN_CAUSE;
      setMode('redis');
    } catch (error) {
      degrade(error);
    }
  }

  /** ioredis selects the database as well, and goes on in database 0 if that fails. */
  async function selectDatabase(): Promise<void> {
    if (!(redis instanceof Redis) || address.kind === 'cluster' || address.database === 0) return;
    const { database } = address;
    await rejectAfter(timeoutMs, () => redis.select(database));
  }

  function noteDegraded(error: unknown): void {
    noteCause(error);
    setMode('degraded');
  }

  function degrade(error: unknown): void {
    // A node of a cluster counts its own slots, and so the trial, but not those of the other nodes.
    if (error instanceof Error && /^(MOVED|ASK) /.test(error.message)) misuse = error;
    noteDegraded(error);
    if (redis.status === 'ready') redis.disconnect(true);
  }

  function setMode(next: 'redis' | 'degraded'): void {
    if (isClosed || mode === next) return;
    mode = next;
    firstMode.resolve();
    if (next === 'redis') onModeChange(next);
    else onModeChange(next, cause);
  }

  function noteCause(error: unknown): void {
    cause = causeOf(error) ?? cause;
  }

  function describeMode(): string {
    if (mode === undefined) return 'connecting to Redis';
    return mode === 'redis'
      ? 'in Redis'
      : `degraded: Redis unreachable (${cause}); counting in memory on this replica only`;
  }
}

function reject(_upload: LimitedUpload, error: unknown): never {
  throw error;
}

function addressOf(url: string): RedisAddress {
  const parsed = parseRedisAddress(url);
  if ('fault' in parsed) throw new TypeError(`The address ${parsed.fault}.`);
  return parsed.address;
}

/** The codes of Node and Redis that say why, wherever a message has them. */
const CODE_IN_MESSAGE = /\b(?:E[A-Z]{4,}|[A-Z]+_[A-Z_]+|WRONGPASS|NOAUTH|NOPERM)\b/;

/** Only a code, such as ECONNREFUSED or WRONGPASS, or words of our own: ioredis puts hosts and commands into its errors, for AUTH with the password. */
function causeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  if (/DB index is out of range|SELECT is not allowed/.test(message))
    return 'the server has no such database';
  if (/^(MOVED|ASK) /.test(message)) return 'the server is a node of a cluster, which needs redis+cluster://';
  if (/^connected to sentinel |No such master/.test(message))
    return 'the sentinels know no servers of this name';
  if (/^All sentinels|^failed to connect to sentinel/.test(message)) {
    const isUnreachable = message.includes('Connection is closed');
    return CODE_IN_MESSAGE.exec(message)?.[0] ?? (isUnreachable ? 'no sentinel can be reached' : undefined);
  }
  if (message.startsWith('Failed to refresh slots')) {
    return (
      causeOf((error as { lastNodeError?: unknown }).lastNodeError) ?? 'no node of the cluster can be reached'
    );
  }
  const word = 'code' in error ? String(error.code) : message.split(' ', 1)[0];
  return word !== undefined && /^[A-Z][A-Z0-9_]+$/.test(word) ? word : undefined;
}
