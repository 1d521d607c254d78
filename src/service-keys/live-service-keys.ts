import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { ServiceKeys, ServiceKeysSource } from '../grants/ports/service-keys.ts';
import { newServiceKey } from './new-service-key.ts';
import { toServiceKeys } from './parse-service-keys.ts';
import type { ServiceKeysReading } from './read-service-keys-file.ts';

/** The state of the service keys, for readiness and metrics. */
export type ServiceKeysStatus = {
  /** The `kid` of the key that signs. */
  readonly signingKid: string;
  /** The number of keys that verify. */
  readonly keys: number;
  /** Whether the keys come from `SERVICE_KEYS_FILE`. */
  readonly isShared: boolean;
  readonly loadedAt: Date;
  /** Whether the file now holds something that was rejected. */
  readonly isFileRejected: boolean;
};

export type LiveServiceKeys = ServiceKeysSource & {
  status(): ServiceKeysStatus;
  /**
   * Reads the file, and uses its keys once two polls in a row have read the same content: a file
   * that is being written is not used.
   */
  poll(): void;
  /** Reads the file, and uses its keys at once. */
  reload(): void;
};

/** The parts of a logger that are used. No line contains a key. */
export type ServiceKeysLog = {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type FileServiceKeysOptions = {
  readonly first: ServiceKeysReading & { readonly keys: ServiceKeys };
  readonly read: () => ServiceKeysReading;
  readonly clock: Clock;
  readonly log: ServiceKeysLog;
};

/**
 * Holds the service keys of `SERVICE_KEYS_FILE`, and replaces them when the file changes. If the
 * new file has a fault, the previous keys stay in use: a bad file must not end all uploads.
 */
export function createFileServiceKeys({ first, read, clock, log }: FileServiceKeysOptions): LiveServiceKeys {
  let keys = first.keys;
  let inUse = first.content;
  let loadedAt = clock();
  let lastSeen = first.content;
  let rejected: string | undefined;

  return {
    current: () => keys,
    isShared: true,
    status: () => ({ ...describe(keys), isShared: true, loadedAt, isFileRejected: rejected !== undefined }),
    poll() {
      const reading = read();
      if (reading.content === lastSeen) apply(reading);
      lastSeen = reading.content;
    },
    reload() {
      const reading = read();
      lastSeen = reading.content;
      apply(reading);
    },
  };

  function apply(reading: ServiceKeysReading): void {
    if (reading.content === inUse) {
      // The bad file was reverted.
      rejected = undefined;
      return;
    }
    if (reading.content === rejected) return;
    if ('faults' in reading) {
      rejected = reading.content;
      log.error(
        { faults: reading.faults },
        'the new service keys file is rejected; the previous keys stay in use',
      );
      return;
    }
    keys = reading.keys;
    inUse = reading.content;
    loadedAt = clock();
    rejected = undefined;
    log.info(describe(keys), 'the new service keys are in use');
  }
}

/**
 * Holds one service key that only this process has. Its uploads can be continued by this process
 * only, and until it stops.
 * @param privateKey a new P-256 key.
 */
export async function createProcessServiceKeys(
  privateKey: KeyObject,
  clock: Clock,
): Promise<LiveServiceKeys> {
  const jwk = await newServiceKey(privateKey);
  const keys = toServiceKeys([{ kid: jwk.kid, jwk }]);
  const status = { ...describe(keys), isShared: false, loadedAt: clock(), isFileRejected: false };
  return {
    current: () => keys,
    isShared: false,
    status: () => status,
    poll() {},
    reload() {},
  };
}

function describe(keys: ServiceKeys): Pick<ServiceKeysStatus, 'signingKid' | 'keys'> {
  return { signingKid: keys.signing.kid, keys: keys.jwks.keys.length };
}
