import { Cluster, Redis } from 'ioredis';
import type { RedisAddress } from './redis-address.ts';
import { createRedisConnector, type LookUpHost } from './redis-connector.ts';

export type RedisClientOptions = {
  /** Milliseconds after which a closing connection is abandoned. */
  readonly closeTimeoutMs: number;
  /** Milliseconds for connecting to a server or sentinel, and for each response of a sentinel. */
  readonly attemptTimeoutMs: number;
  /** Milliseconds until the next attempt to connect. */
  readonly backOff: () => number;
  readonly lookUpHost: LookUpHost;
};

/**
 * A client of one server, of the server that sentinels name, or of a cluster. Commands never wait
 * for a connection.
 */
export type RedisClient = Redis | Cluster;

/**
 * Creates the client for an address. It connects at once.
 *
 * It sets no deadline for commands: ioredis measures them with timers only, so a stall of this
 * process would look like a slow server.
 */
export function createRedisClient(
  address: RedisAddress,
  { closeTimeoutMs, attemptTimeoutMs, backOff, lookUpHost }: RedisClientOptions,
): RedisClient {
  const options = {
    // A command without a reply may have been executed. Its uploads are then counted in memory, so
    // it must not be sent again.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: attemptTimeoutMs,
    disconnectTimeout: closeTimeoutMs,
  };
  const Connector = createRedisConnector({ lookUpHost, lookupReportMs: attemptTimeoutMs });
  switch (address.kind) {
    case 'server':
      return new Redis(address.url, {
        ...options,
        Connector,
        enableOfflineQueue: false,
        retryStrategy: backOff,
      });
    case 'sentinel': {
      const { sentinels, master, login, sentinelLogin } = address;
      return new Redis({
        ...options,
        ...login,
        sentinels: [...sentinels],
        name: master,
        // Set here, because ioredis does not handle a failing `select` when it reconnects.
        db: address.database,
        ...(sentinelLogin.username !== undefined && { sentinelUsername: sentinelLogin.username }),
        ...(sentinelLogin.password !== undefined && { sentinelPassword: sentinelLogin.password }),
        ...(address.tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
        sentinelCommandTimeout: attemptTimeoutMs,
        sentinelRetryStrategy: backOff,
        enableOfflineQueue: false,
        retryStrategy: backOff,
      });
    }
    case 'cluster':
      return new Cluster([...address.nodes], {
        redisOptions: {
          ...options,
          Connector,
          ...address.login,
          ...(address.tls && { tls: {} }),
        },
        enableOfflineQueue: false,
        slotsRefreshTimeout: attemptTimeoutMs,
        clusterRetryStrategy: backOff,
      });
  }
}
