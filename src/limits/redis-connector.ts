import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { createConnection, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AbstractConnector, type StandaloneConnectionOptions } from 'ioredis';
import { rejectAfter } from '../net/reject-after.ts';

/** Finds the addresses of a host name, as `dns.lookup` of Node does; family 0 means both. */
export type LookUpHost = (host: string, family: number) => Promise<readonly LookupAddress[]>;

export type RedisConnectorOptions = {
  readonly lookUpHost: LookUpHost;
  /** Milliseconds after which a pending lookup is reported as an error. The lookup continues. */
  readonly lookupReportMs: number;
};

/** Looks up with the operating system, which limits how long a lookup takes. */
export const lookUpBySystem: LookUpHost = (host, family) => lookup(host, { all: true, family });

/**
 * Creates a connector class for ioredis that waits until each lookup of a host name ends.
 *
 * The connector of ioredis counts the lookup as part of `connectTimeout`. If the first DNS server
 * of the machine does not respond, the operating system queries the next one after 5 s. A client
 * with a shorter time-out abandons each lookup before it ends, so it never connects. It also starts
 * the next lookup while the previous ones still occupy the few threads that Node.js has for
 * lookups.
 */
export function createRedisConnector({ lookUpHost, lookupReportMs }: RedisConnectorOptions) {
  return class RedisConnector extends AbstractConnector {
    readonly #options: StandaloneConnectionOptions;

    constructor(options: unknown) {
      const ofClient = options as StandaloneConnectionOptions & { readonly disconnectTimeout: number };
      super(ofClient.disconnectTimeout);
      this.#options = ofClient;
    }

    /** Rejects only after `disconnect`, because ioredis does not reconnect after a rejection. */
    async connect(emit: (event: string, error: Error) => void): Promise<Socket | TLSSocket> {
      this.connecting = true;
      const { host = 'localhost', port = 6379, family = 0, tls } = this.#options;
      const result = lookUpHost(host, family).then(
        (addresses): LookupFunction => asLookup(addresses),
        (error): LookupFunction => asFailedLookup(error),
      );
      await rejectAfter(lookupReportMs, () => result).catch((late) => emit('error', late));
      const target = { host, port, lookup: await result };
      // ioredis recognizes this text and does not report the error.
      if (!this.connecting) throw new Error('Connection is closed.');
      this.stream = tls ? connectTls({ ...target, ...tls }) : createConnection(target);
      this.stream.once('error', (error) => {
        this.firstError = error;
      });
      return this.stream;
    }
  };
}

/** Returns a lookup function for a socket that returns the given addresses. */
function asLookup(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses;
    if (all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

function asFailedLookup(error: NodeJS.ErrnoException): LookupFunction {
  return (_host, _options, callback) => callback(error, []);
}
