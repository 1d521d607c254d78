import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../clock.ts';
import { environmentSchema } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { startEmulator } from '../emulator/emulator.ts';
import type { ServiceLogger } from '../log/logger.ts';
import type { LoadedPolicy } from '../policy/file/read-policy-file.ts';
import type { Policy } from '../policy/policy.ts';
import { readPackageVersion } from '../service/package-version.ts';
import { createService } from '../service/service.ts';
import { loadStartupInput } from '../service/startup-input.ts';
import { newServiceKey } from '../service-keys/new-service-key.ts';
import { type DemoIssuer, startDemoIssuer } from './demo-issuer.ts';
import { renderDemoPage } from './demo-page.ts';
import { claimsOfExampleRule, onLocalServers } from './local-policy.ts';

/** The bucket of `policy.yaml` in this folder. */
export const DEMO_BUCKET = 'demo-media';
export const DEMO_REGION = 'cn-hangzhou';

/** The access key that the emulator accepts. It is valid nowhere else. */
export const DEMO_CREDENTIALS = {
  accessKeyId: 'demo-access-key-id',
  accessKeySecret: 'demo-access-key-secret',
};

/** The public key of the emulator's callbacks, in the temporary folder. */
export const CALLBACK_KEY_FILE = 'callback-key.pem';
/** As long as that of OSS. */
const CALLBACK_KEY_BITS = 512;

export type DemoEnvironment = {
  readonly serviceUrl: string;
  readonly emulatorUrl: string;
  readonly issuer: DemoIssuer;
  readonly policy: Policy;
  /** A token that matches the rule of the printed commands, valid for 1 h. */
  tokenFor(subject: string): Promise<string>;
  /** A temporary folder, removed on close. */
  readonly directory: string;
  close(): Promise<void>;
};

/** The port of each server; 0 for a free one. */
export type DemoPorts = { readonly service: number; readonly emulator: number; readonly issuer: number };

export type DemoOptions = {
  /** Another policy, which is changed to use the servers of this machine; see local-policy.ts. */
  readonly policyFile?: string | undefined;
  /** The origins of pages that may call the service, as in CORS_ORIGINS. */
  readonly corsOrigins?: string;
  /** For `${NAME}` and `secretEnv` of the policy. */
  readonly env?: Environment;
};

const OWN_POLICY = fileURLToPath(new URL('policy.yaml', import.meta.url));

/**
 * Starts everything that the demo needs on this machine: an OSS emulator, an issuer of tokens, and
 * the real service, configured by environment and policy file as in production. If one of them does
 * not start, the others are closed and no file is left behind.
 * @throws Error with one plain sentence if a port is in use, or the faults of the policy.
 */
export async function startDemoEnvironment(
  ports: DemoPorts,
  logger: ServiceLogger,
  options: DemoOptions = {},
): Promise<DemoEnvironment> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closeOne of closers.toReversed()) await closeOne();
  };
  try {
    const started = await startServers(ports, logger, options, (closeOne) => closers.push(closeOne));
    return { ...started, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param onClose receives what closes each server and removes the files, in the order of start. */
async function startServers(
  ports: DemoPorts,
  logger: ServiceLogger,
  { policyFile, corsOrigins = '', env = {} }: DemoOptions,
  onClose: (close: () => Promise<unknown>) => void,
): Promise<Omit<DemoEnvironment, 'close'>> {
  const host = '127.0.0.1';
  const issuer = await listening('issuer', ports.issuer, () =>
    startDemoIssuer({ clock: systemClock, host, port: ports.issuer }),
  );
  onClose(() => issuer.close());
  // The policy needs the emulator's address, and the emulator needs the buckets of the policy.
  // Receipts name the service's own address.
  const emulatorPort = ports.emulator === 0 ? await freePort(host) : ports.emulator;
  const servicePort = ports.service === 0 ? await freePort(host) : ports.service;
  const emulatorUrl = `http://${host}:${emulatorPort}`;
  const directory = await mkdtemp(join(tmpdir(), 'oss-presign-demo-'));
  onClose(() => rm(directory, { recursive: true, force: true }));
  const serviceKeysFile = join(directory, 'service-keys.json');
  const serviceKey = await newServiceKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  await writeFile(serviceKeysFile, JSON.stringify({ keys: [serviceKey] }), { mode: 0o600 });
  // The service reads the key of callbacks before the emulator starts.
  const callbackKeyFile = join(directory, CALLBACK_KEY_FILE);
  const callbackKeys = generateKeyPairSync('rsa', {
    modulusLength: CALLBACK_KEY_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await writeFile(callbackKeyFile, callbackKeys.publicKey);
  const input = loadStartupInput(
    {
      DEMO_ISSUER: issuer.issuer,
      DEMO_JWKS_URL: issuer.jwksUrl,
      DEMO_OSS_ENDPOINT: emulatorUrl,
      DEMO_TRANSFERS: 'put,form,multipart',
      // Variables of the service that a person has set for a real one are not used.
      ...Object.fromEntries(Object.entries(env).filter(([name]) => !(name in environmentSchema.shape))),
      POLICY_FILE: policyFile ?? OWN_POLICY,
      HOST: host,
      PORT: String(servicePort),
      PUBLIC_URL: `http://${host}:${servicePort}`,
      SERVICE_KEYS_FILE: serviceKeysFile,
      OSS_CALLBACK_KEY_FILE: callbackKeyFile,
      CORS_ORIGINS: corsOrigins,
      OSS_ACCESS_KEY_ID: DEMO_CREDENTIALS.accessKeyId,
      OSS_ACCESS_KEY_SECRET: DEMO_CREDENTIALS.accessKeySecret,
    },
    (path) => readFileSync(path, 'utf8'),
  );
  if ('faults' in input) throw new Error(input.faults.join('\n'));
  const localServers = { jwks: issuer.jwks, emulatorUrl };
  const useLocalServers = (reading: LoadedPolicy) =>
    policyFile === undefined ? reading : onLocalServers(reading, localServers);
  const { policy } = input.policy;
  const tokenFor = (subject: string, claims: Readonly<Record<string, unknown>> = {}) =>
    issuer.tokenFor(subject, { ...claimsOfExampleRule(policy), ...claims });

  const targets = policy.rules.map(({ target }) => target);
  const emulator = await listening('emulator', emulatorPort, () =>
    startEmulator({
      host,
      port: emulatorPort,
      directory: join(directory, 'oss'),
      buckets: Object.fromEntries(targets.map(({ bucket, region }) => [bucket, { ...demoBucket(), region }])),
      credentials: [DEMO_CREDENTIALS],
      clock: systemClock,
      // The service that is called is on this machine.
      callbacks: { privateKey: callbackKeys.privateKey, allowPrivateAddresses: true },
    }),
  );
  onClose(() => emulator.close());
  const service = await createService({
    ...input,
    policy: useLocalServers(input.policy) as typeof input.policy,
    readPolicy: () => useLocalServers(input.readPolicy()),
    logger,
    version: readPackageVersion(),
    clock: systemClock,
    fetch: globalThis.fetch,
  });
  onClose(() => service.stop({ delaySeconds: 0 }));
  const page = renderDemoPage('');
  service.app.get('/', { config: { public: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(page),
  );
  service.app.get<{ Querystring: Readonly<Record<string, string | string[]>> }>(
    '/token',
    { config: { public: true } },
    async ({ query: { sub = 'alice', ...claims } }) => tokenFor(String(sub), claims),
  );
  const serviceUrl = await listening('service', ports.service, () => service.start());

  return {
    serviceUrl,
    emulatorUrl,
    issuer,
    policy,
    tokenFor,
    directory,
  };
}

/** Starts a server. If it fails, the error names the server and its port. */
async function listening<Server>(
  server: keyof DemoPorts,
  port: number,
  start: () => Promise<Server>,
): Promise<Server> {
  try {
    return await start();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const option = server === 'service' ? '--port' : `--${server}-port`;
    const reason = code === 'EADDRINUSE' ? 'is taken by another process' : `cannot be used (${code})`;
    throw new Error(`Port ${port} of the ${server} ${reason}; choose another with ${option}.`, {
      cause: message,
    });
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The demo's bucket. Its CORS rules let every page upload and read the response. */
export function demoBucket() {
  return {
    region: DEMO_REGION,
    corsRules: [
      {
        allowedOrigins: ['*'],
        allowedMethods: ['PUT', 'POST', 'GET', 'HEAD'],
        allowedHeaders: ['*'],
        exposeHeaders: [
          'ETag',
          'Content-Disposition',
          'x-oss-request-id',
          'x-oss-hash-crc64ecma',
          'x-oss-ec',
        ],
        maxAgeSeconds: 600,
      },
    ],
  };
}
