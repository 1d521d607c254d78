import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCallbackCaller } from './callbacks/callback-caller.ts';
import { createCallbackKey } from './callbacks/callback-key.ts';
import { type Emulation, handleRequest } from './handle-request.ts';
import { createMultipartUploads } from './multipart/multipart-uploads.ts';
import { openObjectStore } from './objects/object-store.ts';
import type { EmulatorOptions } from './options.ts';

export type {
  CorsRule,
  EmulatorBucket,
  EmulatorCallbacks,
  EmulatorCredentials,
  EmulatorEvent,
  EmulatorOptions,
} from './options.ts';

/** The notice that a program prints when it starts an emulator. */
export const EMULATOR_NOTICE = 'OSS emulator: for development and tests only.';

export type Emulator = {
  readonly url: string;
  readonly port: number;
  /** The key that verifies callbacks, as OSS_CALLBACK_KEY_FILE of the service needs it (PEM). */
  readonly callbackPublicKey: string;
  close(): Promise<void>;
};

/** The address of OSS's own key. */
const PUBLIC_KEY_URL = 'https://gosspublic.alicdn.com/callback_pub_key_v1.pem';

/**
 * Starts an OSS for one machine: uploads (PutObject, PostObject, multipart), reads, listings,
 * DeleteObject and CORS preflights for the given buckets, and upload callbacks. It verifies V4
 * signatures from the bytes of the request. For development and tests only. docs/emulator.md lists
 * the operations.
 *
 * `close` breaks off what is under way, multipart uploads and callbacks too, and resolves when
 * nothing of it is left on disk.
 * @throws Error when a bucket name is not one of OSS's, the directory cannot be made, the port is
 *   taken, or the private key is not RSA.
 *
 *     const emulator = await startEmulator({
 *       directory: '/tmp/oss',
 *       buckets: { 'acme-media': { region: 'cn-hangzhou' } },
 *       credentials: [{ accessKeyId: 'id', accessKeySecret: 'secret' }],
 *       clock: () => new Date(),
 *     });
 */
export async function startEmulator(
  options: EmulatorOptions & {
    /** Default 127.0.0.1. */
    host?: string;
    /** Default 0, a free port. */
    port?: number;
  },
): Promise<Emulator> {
  const {
    host = '127.0.0.1',
    port = 0,
    newRequestId = randomRequestId,
    onRequest,
    credentials,
    clock,
    callbacks: { privateKey, publicKeyUrl = PUBLIC_KEY_URL, allowPrivateAddresses = false, ca } = {},
  } = options;
  const buckets = new Map(Object.entries(options.buckets));
  for (const name of buckets.keys()) checkBucketName(name);
  const key = createCallbackKey(privateKey);
  const callbacks = createCallbackCaller({
    ...{ key, publicKeyUrl, allowPrivateAddresses, ca },
    timeout: (ms) => AbortSignal.timeout(ms),
  });
  const store = await openObjectStore(options.directory, buckets.keys());
  const uploads = createMultipartUploads(store);
  const emulation: Emulation = { store, uploads, callbacks, buckets, credentials, clock };

  const underWay = new Set<Promise<void>>();
  const handle = (awaitsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const context = { requestId: newRequestId(), awaitsContinue };
    const done = handleRequest(emulation, request, response, context)
      .then((event) => onRequest?.(event))
      // A fault of the emulator destroys this response but never ends the process.
      .catch(() => void response.destroy())
      .finally(() => underWay.delete(done));
    underWay.add(done);
  };
  // Uploads may take any time. Metadata of 8 KB and a long token need more than Node's 16 KiB.
  const server = createServer({ requestTimeout: 0, maxHeaderSize: 64 * 1024 }, handle(false));
  server.on('checkContinue', handle(true));

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await listening;
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    url: `http://${urlHost(host)}:${actualPort}`,
    port: actualPort,
    callbackPublicKey: key.publicKey,
    close: async () => {
      const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<void>();
      server.close(() => resolveClosed());
      server.closeAllConnections();
      callbacks.close();
      await closed;
      await Promise.all(underWay);
      await uploads.close();
    },
  };
}

function checkBucketName(name: string): void {
  if (!/^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/.test(name)) {
    throw new Error(
      `"${name}" is not a bucket name: 3 to 63 of a-z, 0-9 and "-", not at the beginning or end.`,
    );
  }
}

function randomRequestId(): string {
  return randomBytes(12).toString('hex').toUpperCase();
}

/** The host to connect to, which is not always the one to listen on. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
