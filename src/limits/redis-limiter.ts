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
  /**
   * Called with the mode when it is first known and each time it changes. With `degraded`, it gets
   * the reason that `describe` shows.
   */
  readonly onModeChange: (mode: 'redis' | 'degraded', reason?: string) => void;
  /** Milliseconds of a clock that never goes back, for counting in memory. */
  readonly nowMs: () => number;
  /** Milliseconds that one upload may wait for Redis in total. Default 500. */
  readonly timeoutMs?: number;
  /** Finds the addresses of a server's host name. Default: {@link lookUpBySystem}. */
  readonly lookUpHost?: LookUpHost;
};

/** Connecting takes several round trips: TCP, TLS, authentication and the readiness check. */
const ATTEMPT_TIMEOUTS = 4;
const FIRST_BACK_OFF_MS = 50;
const MAX_BACK_OFF_MS = 2000;
const UNKNOWN_CAUSE = 'connection lost';

/**
 * Counts in Redis or Valkey, for all replicas together.
 *
 * If Redis does not count an upload within `timeoutMs`, because it is unreachable, hangs, or
 * rejects the password or the write, this process counts in its own memory, and the following
 * uploads do not wait. It tries to reconnect at most 2 s apart, and counts in Redis again after a
 * successful trial count. Meanwhile each replica may grant the whole limit again.
 *
 * A stall of this process does not count as a time-out of Redis: `rejectAfter` measures only the
 * time in which a response could be read.
 *
 * `describe` and errors contain no address and no password.
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
  /** Why this address can never be used, even if the trial count succeeds. */
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
  // A failed search for the master emits an error and starts again, without closing a connection.
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
    // Uploads wait until the first connection succeeds or fails.
    mode: () => mode ?? 'redis',
    async close() {
      isClosed = true;
      firstMode.resolve();
      redis.disconnect();
      await memory.close();
    },
  };

  /** For uploads that arrive before the first connection succeeds or fails. */
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
    // Degrade now, so that later uploads do not wait for the time-out.
    if (mode !== 'degraded') degrade(error);
    return memory.consume(upload);
  }

  /** Closes a connection that is not ready in time: some servers accept it and never respond. */
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

  /** Tries a count, because a connected server may still be full or a read-only replica. */
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

  /** ioredis also selects the database, but continues in database 0 if that fails. */
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
    // A cluster node accepts the keys of its own slots, so the trial may succeed on it, but it
    // rejects the keys of other slots.
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

/** Error codes of Node.js and Redis, anywhere in a message. */
const CODE_IN_MESSAGE = /\b(?:E[A-Z]{4,}|[A-Z]+_[A-Z_]+|WRONGPASS|NOAUTH|NOPERM)\b/;

/**
 * Returns an error code, such as ECONNREFUSED or WRONGPASS, or one of our own texts.
 *
 * It never returns the message: ioredis puts hosts and commands into its errors, and the command
 * AUTH contains the password.
 */
function causeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  if (/DB index is out of range|SELECT is not allowed/.test(message))
    return 'the server has no such database';
  if (/^(MOVED|ASK) /.test(message)) return 'the server is a node of a cluster, which needs redis+cluster://';
  if (/^connected to sentinel |No such master/.test(message))
    return 'the sentinels do not know a group of servers with this name';
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
