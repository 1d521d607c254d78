import { z } from 'zod';
import type { CredentialsConfig, SecretPart } from './credentials/credentials-config.ts';
import { parseSecret } from './credentials/files/parse-secret.ts';
import { corsHeaderFault, originFault, trustedProxyFault } from './network-settings.ts';

/** Splits a comma-separated list; blanks around entries do not count, an empty text is an empty list. */
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

/** A message names at most this many wrong entries of a list. */
const MAX_NAMED_ENTRIES = 5;

/** A list whose entries are all checked; each wrong one is named with what to change. */
const listOf = (faultOf: (entry: string) => string | undefined, maxEntries = 1_000) =>
  list.superRefine((entries, { addIssue }) => {
    if (entries.length > maxEntries) {
      addIssue(`must have at most ${maxEntries} entries`);
      return;
    }
    const faults = entries.flatMap((entry) => {
      const fault = faultOf(entry);
      return fault === undefined ? [] : [`${JSON.stringify(entry.slice(0, 256))} ${fault}`];
    });
    for (const fault of faults.slice(0, MAX_NAMED_ENTRIES)) addIssue(fault);
  });

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be from ${min} to ${max}`);

const secret = z
  .string()
  .regex(/^[!-~]+$/, 'must be printable ASCII without blanks')
  .optional();

const secretFile = (what: string) =>
  z
    .string()
    .min(1)
    .optional()
    .meta({
      description: `A file that holds ${what} instead; read again when it is replaced.`,
      unit: 'path',
    });

function isRedisAddress(text: string): boolean {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '' || !/^\/?\d{0,4}$/.test(url.pathname))
    return false;
  // The client decodes both, and fails on what cannot be decoded.
  return !/%(?![0-9a-f]{2})/i.test(url.username + url.password);
}

/** Every environment variable: the README's table and `.env.example` are generated from this. */
export const environmentSchema = z.object({
  HOST: z
    .string()
    .default('127.0.0.1')
    .meta({ description: 'The address to listen on. The image sets 0.0.0.0.' }),
  PORT: wholeNumber(0, 65_535)
    .default(8080)
    .meta({ description: 'The port to listen on; 0 takes a free one.' }),
  POLICY_FILE: z
    .string()
    .default('policy.yaml')
    .meta({ description: 'The policy: who may upload what, where.' }),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').meta({
    description: 'The least severe log line to write: fatal, error, warn, info, debug, trace or silent.',
  }),
  CORS_ORIGINS: listOf(originFault).default([]).meta({
    description:
      'The origins of web pages that may call the service, comma-separated, such as `https://app.example.com`. `http://localhost:*` allows every port of localhost, for development. If not set, no page may.',
  }),
  CORS_ALLOWED_HEADERS: listOf(corsHeaderFault, 50).default([]).meta({
    description:
      'Further request headers that these pages may send, comma-separated, besides those of the API and of common tracing libraries.',
  }),
  TRUST_PROXY: listOf(trustedProxyFault).default([]).meta({
    description:
      'The proxies whose `X-Forwarded-For` is believed: addresses, CIDR ranges, or `loopback`, `linklocal`, `uniquelocal`, comma-separated.',
  }),
  REDIS_URL: z
    .string()
    .refine(isRedisAddress, {
      message: 'must be an address such as redis://user:password@host:6379/0',
    })
    .optional()
    .meta({
      description:
        'Valkey or Redis for limits that hold across copies. Without it, each copy counts for itself.',
    }),
  METRICS_PORT: wholeNumber(0, 65_535).optional().meta({
    description:
      'A port of its own for /metrics, which is then not to be had at PORT, and for the probes as well; 0 takes a free one.',
  }),
  SHUTDOWN_DELAY_SECONDS: wholeNumber(0, 600).default(3).meta({
    description:
      'How long it goes on answering after SIGTERM, unready, until the balancer has noticed, in seconds.',
  }),
  SHUTDOWN_GRACE_SECONDS: wholeNumber(1, 3600)
    .default(25)
    .meta({ description: 'How long open requests may then take to end, in seconds.' }),
  OSS_ACCESS_KEY_ID: secret.meta({
    description:
      'The access key id of the cloud credentials. Without any of these six, the default chain of Alibaba Cloud.',
  }),
  OSS_ACCESS_KEY_ID_FILE: secretFile('the access key id'),
  OSS_ACCESS_KEY_SECRET: secret.meta({ description: 'The access key secret.' }),
  OSS_ACCESS_KEY_SECRET_FILE: secretFile('the access key secret'),
  OSS_SESSION_TOKEN: secret.meta({ description: 'The STS token, with temporary credentials only.' }),
  OSS_SESSION_TOKEN_FILE: secretFile('the STS token'),
});

export type EnvironmentName = keyof z.output<typeof environmentSchema>;
export type Environment = Readonly<Record<string, string | undefined>>;

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly policyFile: string;
  readonly logLevel: string;
  readonly corsOrigins: readonly string[];
  readonly corsAllowedHeaders: readonly string[];
  readonly trustProxy: readonly string[];
  readonly redisUrl: string | undefined;
  readonly metricsPort: number | undefined;
  readonly shutdownDelaySeconds: number;
  readonly shutdownGraceSeconds: number;
  readonly credentials: CredentialsConfig;
};

/**
 * Reads the environment. A variable that is set to nothing counts as not set.
 * @param readFile reads a `…_FILE`; throws when it cannot.
 * @returns the configuration, or every fault, one sentence each, none of which holds a secret's value.
 */
export function loadConfig(
  env: Environment,
  readFile: (path: string) => string,
): { readonly config: Config } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(environmentSchema.shape)) {
    const value = env[name];
    // Container platforms set a variable to nothing where they mean to leave it out.
    if (value !== undefined && value.trim() !== '') values[name] = value;
  }
  const parsed = environmentSchema.safeParse(values);
  for (const issue of parsed.error?.issues ?? []) faults.push(`${issue.path.join('.')} ${issue.message}.`);

  const credentials = readCredentials(env, values, readFile, faults);
  if (!parsed.success || faults.length > 0 || !credentials) return { faults };
  const { data } = parsed;
  return {
    config: {
      host: data.HOST,
      port: data.PORT,
      policyFile: data.POLICY_FILE,
      logLevel: data.LOG_LEVEL,
      corsOrigins: data.CORS_ORIGINS,
      corsAllowedHeaders: data.CORS_ALLOWED_HEADERS,
      trustProxy: data.TRUST_PROXY,
      redisUrl: data.REDIS_URL,
      metricsPort: data.METRICS_PORT,
      shutdownDelaySeconds: data.SHUTDOWN_DELAY_SECONDS,
      shutdownGraceSeconds: data.SHUTDOWN_GRACE_SECONDS,
      credentials,
    },
  };
}

const SECRETS = ['OSS_ACCESS_KEY_ID', 'OSS_ACCESS_KEY_SECRET', 'OSS_SESSION_TOKEN'] as const;

function readCredentials(
  env: Environment,
  values: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
  faults: string[],
): CredentialsConfig | undefined {
  if (SECRETS.every((name) => values[name] === undefined && values[`${name}_FILE`] === undefined)) {
    return { source: 'default-chain', environment: chainVariables(env) };
  }
  const [accessKeyId, accessKeySecret, securityToken] = SECRETS.map((name) =>
    readPart(name, values, readFile, faults),
  );
  for (const [name, part] of [
    ['OSS_ACCESS_KEY_ID', accessKeyId],
    ['OSS_ACCESS_KEY_SECRET', accessKeySecret],
  ] as const) {
    if (part === undefined && !faults.some((fault) => fault.startsWith(name))) {
      const state = env[name] === undefined ? 'is not set' : 'is empty';
      faults.push(`${name} (or ${name}_FILE) ${state}: without credentials nothing can be signed.`);
    }
  }
  if (!accessKeyId || !accessKeySecret) return undefined;
  if ('value' in accessKeyId && 'value' in accessKeySecret && !(securityToken && 'file' in securityToken)) {
    return {
      source: 'environment',
      credentials: {
        accessKeyId: accessKeyId.value,
        accessKeySecret: accessKeySecret.value,
        ...(securityToken && { securityToken: securityToken.value }),
      },
    };
  }
  return {
    source: 'files',
    parts: { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) },
  };
}

function chainVariables(env: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith('ALIBABA_CLOUD_') && value !== undefined && value.trim() !== '' ? [[name, value]] : [],
    ),
  );
}

function readPart(
  name: (typeof SECRETS)[number],
  values: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
  faults: string[],
): SecretPart | undefined {
  const variable = `${name}_FILE` as const;
  const file = values[variable];
  const value = values[name];
  if (file === undefined) return value === undefined ? undefined : { value };
  if (value !== undefined) {
    faults.push(`${name} and ${variable} are both set; leave one out.`);
    return undefined;
  }
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    faults.push(`${variable} cannot be read (${code}): ${file}`);
    return undefined;
  }
  const parsed = parseSecret(text);
  if ('secret' in parsed) return { file, variable };
  faults.push(`${variable} ${parsed.fault}: ${file}`);
  return undefined;
}
