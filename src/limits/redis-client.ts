import { Cluster, Redis } from 'ioredis';
import type { RedisAddress } from './redis-address.ts';
import { createRedisConnector, type LookUpHost } from './redis-connector.ts';

export type RedisClientOptions = {
  /** Milliseconds until a connection is given up that is being closed. */
  readonly closeTimeoutMs: number;
  /** Milliseconds until a server or sentinel is given up that cannot be connected to, or a sentinel that does not respond. */
  readonly attemptTimeoutMs: number;
  /** Milliseconds until the next attempt to connect. */
  readonly backOff: () => number;
  readonly lookUpHost: LookUpHost;
};

/** A client of one server, of the server that sentinels name, or of a cluster. Commands never wait for a connection. */
export type RedisClient = Redis | Cluster;

/**
 * Creates the client for an address; it connects at once. It sets no deadline for commands: ioredis measures them by timers
 * alone, which blame the server for a stall of this process.
 */
export function createRedisClient(
  address: RedisAddress,
  { closeTimeoutMs, attemptTimeoutMs, backOff, lookUpHost }: RedisClientOptions,
): RedisClient {
  const options = {
    // A count that got no reply may have been made. It is now made in memory, and must not be made once more later.
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
        // Given here, since ioredis leaves the failure of a database that was selected later unhandled when it reconnects.
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
