import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import type { CredentialsConfig } from '../credentials/credentials-config.ts';
import { parseRedisAddress } from '../limits/redis-address.ts';
import { withoutTrailingSlash } from '../net/web-address.ts';
import { type Adapter, adapterFault, isAdapter } from './adapters.ts';
import { readCallbackKey } from './callback-key-settings.ts';
import { type Environment, isSet } from './environment.ts';
import { corsHeaderFault, originFault, publicUrlFault, trustedProxyFault } from './network-settings.ts';
import { ossCredentialVariables, readOssCredentials } from './oss-credentials.ts';
import { serviceKeysFaults } from './service-keys-settings.ts';
import { listOf, oneOf, text, wholeNumber } from './variable-types.ts';

/** Whether a text is an IP address or a host name, without scheme and port. */
function isHost(host: string): boolean {
  return isIP(host) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(host);
}

/** The values of LOG_LEVEL at which audit lines are written. */
const AUDIT_LEVELS: readonly string[] = ['info', 'debug', 'trace'];

/**
 * Every environment variable. `docs/configuration.md` and `.env.example` are generated from this
 * schema.
 */
export const environmentSchema = z.object({
  HOST: text
    .refine(isHost, { message: 'must be an IP address or a host name, without scheme and port' })
    .default('127.0.0.1')
    .meta({ description: 'The address to listen on. The image sets 0.0.0.0, which is every address.' }),
  PORT: wholeNumber(0, 65_535)
    .default(8080)
    .meta({ description: 'The port to listen on. 0 takes a free port.' }),
  POLICY_FILE: text
    .default('policy.yaml')
    .meta({ description: 'The policy file, which defines the uploads that each caller may make.' }),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').meta({
    description: 'The least severe log line to write: fatal, error, warn, info, debug, trace or silent.',
  }),
  AUDIT_MODE: oneOf(['lossy', 'strict']).default('lossy').meta({
    description:
      '`strict`: the service sends a grant only after its audit line is written, and responds with 503 while lines cannot be written. `lossy`: a grant never waits for the log.',
  }),
  CORS_ORIGINS: listOf(originFault).default([]).meta({
    description:
      'The origins of web pages that may call the service, comma-separated, such as `https://app.example.com`. `http://localhost:*` and `http://127.0.0.1:*` allow every port, for development. By default, no page may.',
  }),
  CORS_ALLOWED_HEADERS: listOf(corsHeaderFault, 50).default([]).meta({
    description:
      'More request headers that these pages may send, comma-separated. Those of the API and of common tracing libraries are always allowed.',
  }),
  ADAPTERS: listOf(adapterFault, 10)
    .superRefine((names, { addIssue }) => {
      const repeated = new Set(names.filter((name, index) => names.indexOf(name) < index));
      for (const name of repeated) if (isAdapter(name)) addIssue(`"${name}" must be listed once`);
    })
    .default([])
    .transform((names) => names.filter(isAdapter))
    .meta({
      description:
        'Routes for clients that cannot be changed, comma-separated: `activestorage`, `lfs` (git-lfs, needs `PUBLIC_URL`), `vapor`. By default, none.',
    }),
  TRUST_PROXY: listOf(trustedProxyFault).default([]).meta({
    description:
      'The proxies whose `X-Forwarded-For` is trusted: addresses, CIDR ranges, or `loopback`, `linklocal`, `uniquelocal`, comma-separated.',
  }),
  REDIS_URL: text
    .superRefine((address, { addIssue }) => {
      const parsed = parseRedisAddress(address);
      if ('fault' in parsed) addIssue(parsed.fault);
    })
    .optional()
    .meta({
      description:
        'Valkey or Redis, for limits across all replicas: `redis://`, `redis+sentinel://` or `redis+cluster://`; with TLS, `rediss…`. If not set, each replica counts alone.',
    }),
  SERVICE_KEYS_FILE: text.optional().meta({
    description:
      'A file with the private keys for upload ids and receipts, from `oss-presign keygen`. All replicas need the same. It is read again when it is replaced. Without it, each process has a key of its own.',
    unit: 'path',
  }),
  PUBLIC_URL: text
    .superRefine((address, { addIssue }) => {
      const fault = publicUrlFault(address);
      if (fault !== undefined) addIssue(fault);
    })
    .transform(withoutTrailingSlash)
    .optional()
    .meta({
      description:
        'The https address under which clients reach the service, such as `https://presign.example.com`; the issuer of its receipts. Required with `SERVICE_KEYS_FILE`. Default: `http://localhost:PORT`.',
    }),
  OSS_CALLBACK_KEY_FILE: text.optional().meta({
    description:
      'A file with the only public key (RSA, PEM) that callbacks may be signed with, for tests with an emulator. Without it, the service fetches the key of OSS from `gosspublic.alicdn.com`.',
    unit: 'path',
  }),
  METRICS_PORT: wholeNumber(0, 65_535).optional().meta({
    description:
      'Serves /metrics on this port instead of PORT. The probes are served on both. 0 takes a free port.',
  }),
  SHUTDOWN_DELAY_SECONDS: wholeNumber(0, 600).default(3).meta({
    description: 'Seconds to keep serving, reported as not ready, after SIGTERM and before draining.',
  }),
  SHUTDOWN_GRACE_SECONDS: wholeNumber(1, 3600)
    .default(25)
    .meta({ description: 'Seconds that open requests may take to end after the delay.' }),
  ...ossCredentialVariables,
});

export type EnvironmentName = keyof z.output<typeof environmentSchema>;

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly auditMode: 'lossy' | 'strict';
  readonly corsOrigins: readonly string[];
  readonly corsAllowedHeaders: readonly string[];
  readonly adapters: readonly Adapter[];
  readonly trustProxy: readonly string[];
  readonly redisUrl: string | undefined;
  /** Its path. The keys in it have been checked. */
  readonly serviceKeysFile: string | undefined;
  /** Without a slash at its end. */
  readonly publicUrl: string;
  /** The only key that callbacks may be signed with; undefined for the key of OSS. */
  readonly callbackKey: KeyObject | undefined;
  /**
   * Whether any replica can continue the uploads that another one granted, or there is only one
   * replica.
   */
  readonly canContinueUploads: boolean;
  readonly metricsPort: number | undefined;
  readonly shutdownDelaySeconds: number;
  readonly shutdownGraceSeconds: number;
  readonly credentials: CredentialsConfig;
};

/**
 * Reads the environment. An empty variable counts as not set.
 * @param readFile reads a `…_FILE`; throws if it cannot.
 * @returns the configuration, or every fault, one sentence each without any secret.
 */
export function loadConfig(
  env: Environment,
  readFile: (path: string) => string,
): { readonly config: Config } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(environmentSchema.shape)) {
    const value = env[name];
    if (isSet(value)) values[name] = value;
  }
  const parsed = environmentSchema.safeParse(values);
  for (const { path, message } of parsed.error?.issues ?? [])
    faults.push(asSentence(path.join('.'), message));
  if (parsed.success && parsed.data.PORT !== 0 && parsed.data.METRICS_PORT === parsed.data.PORT)
    faults.push('METRICS_PORT must differ from PORT.');
  if (parsed.success && parsed.data.AUDIT_MODE === 'strict' && !AUDIT_LEVELS.includes(parsed.data.LOG_LEVEL))
    faults.push(
      `AUDIT_MODE=strict needs LOG_LEVEL ${AUDIT_LEVELS.join(', ')}: audit lines have the level info.`,
    );

  if (parsed.success && parsed.data.ADAPTERS.includes('lfs') && parsed.data.PUBLIC_URL === undefined)
    faults.push('PUBLIC_URL is not set: ADAPTERS "lfs" sends clients to the service by this address.');

  const invalid = new Set(parsed.error?.issues.map(({ path }) => path[0]));
  const valid = Object.fromEntries(Object.entries(values).filter(([name]) => !invalid.has(name)));
  const credentials = readOssCredentials(env, valid, readFile);
  if ('faults' in credentials) faults.push(...credentials.faults);
  faults.push(...serviceKeysFaults(env, valid, readFile));
  const callbackKey = readCallbackKey(valid, readFile);
  if ('fault' in callbackKey) faults.push(callbackKey.fault);
  if (!parsed.success || 'faults' in credentials || 'fault' in callbackKey || faults.length > 0)
    return { faults };
  const { data } = parsed;
  return {
    config: {
      host: data.HOST,
      port: data.PORT,
      logLevel: data.LOG_LEVEL,
      auditMode: data.AUDIT_MODE,
      corsOrigins: data.CORS_ORIGINS,
      corsAllowedHeaders: data.CORS_ALLOWED_HEADERS,
      adapters: data.ADAPTERS,
      trustProxy: data.TRUST_PROXY,
      redisUrl: data.REDIS_URL,
      serviceKeysFile: data.SERVICE_KEYS_FILE,
      publicUrl: data.PUBLIC_URL ?? `http://localhost:${data.PORT}`,
      callbackKey: callbackKey.key,
      canContinueUploads: data.SERVICE_KEYS_FILE !== undefined || data.REDIS_URL === undefined,
      metricsPort: data.METRICS_PORT,
      shutdownDelaySeconds: data.SHUTDOWN_DELAY_SECONDS,
      shutdownGraceSeconds: data.SHUTDOWN_GRACE_SECONDS,
      credentials: credentials.config,
    },
  };
}

/**
 * Finds the policy file, whether or not the rest of the environment is valid.
 * @returns its path, or the fault of POLICY_FILE, which {@link loadConfig} reports as well.
 */
export function policyFileOf({
  POLICY_FILE,
}: Environment): { readonly path: string } | { readonly fault: string } {
  const given = isSet(POLICY_FILE) ? POLICY_FILE : undefined;
  const parsed = environmentSchema.shape.POLICY_FILE.safeParse(given);
  if (parsed.success) return { path: parsed.data };
  return { fault: asSentence('POLICY_FILE', parsed.error.issues[0]?.message ?? 'is not valid') };
}

/** Makes a sentence of a name and a message, which may end with a second sentence. */
function asSentence(name: string, message: string): string {
  return `${name} ${message}${/[.?]$/.test(message) ? '' : '.'}`;
}
