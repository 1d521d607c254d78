import { isIP } from 'node:net';
import { z } from 'zod';
import type { CredentialsConfig, SecretPart } from '../credentials/credentials-config.ts';
import { parseSecret, secretFault } from '../credentials/files/parse-secret.ts';
import { parseRedisAddress } from '../limits/redis-address.ts';
import { didYouMean } from '../text/suggest.ts';
import { readFault } from '../text/text-file.ts';
import { corsHeaderFault, originFault, trustedProxyFault } from './network-settings.ts';

/**
 * A value that is used exactly as written. Shells and YAML remove the quotation marks around a value; `docker run --env-file`
 * does not.
 */
const text = z.string().superRefine((value, context) => {
  const fault = textFault(value);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault, continue: false });
});

function textFault(value: string): string | undefined {
  if (/^["']|["']$/.test(value)) return 'is in quotation marks; leave them out';
  if (/\p{Cc}/u.test(value)) return 'must not contain a line break or another control character';
  return value.trim() === value ? undefined : 'must not begin or end with a blank';
}

/** Splits a comma-separated list; blanks around entries do not count, an empty text is an empty list. */
const list = z
  .string()
  .transform((value) => value.trim())
  .pipe(text)
  .transform((value) =>
    value
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

function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return text
    .refine((value) => /^\d{1,9}$/.test(value), { message, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

function oneOf<const Value extends string>(values: readonly Value[]) {
  return text.pipe(
    z.enum(values, {
      error: ({ input }) => `must be one of ${values.join(', ')}.${didYouMean(String(input), values)}`,
    }),
  );
}

const secret = (name: string) =>
  z
    .string()
    .superRefine((value, context) => {
      const fault = secretFault(value, name);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .optional();

const secretFile = (what: string) =>
  text.optional().meta({
    description: `A file that holds ${what}. It is read again when it is replaced.`,
    unit: 'path',
  });

/** An IP address or the name of one, without scheme and port. */
function isHost(host: string): boolean {
  return isIP(host) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(host);
}

/** The values of LOG_LEVEL that write audit lines. */
const AUDIT_LEVELS: readonly string[] = ['info', 'debug', 'trace'];

/** Every environment variable. The table of docs/configuration.md and `.env.example` come from it. */
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
    .meta({ description: 'The policy file: who may upload what, and where.' }),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').meta({
    description: 'The least severe log line to write: fatal, error, warn, info, debug, trace or silent.',
  }),
  AUDIT_MODE: oneOf(['lossy', 'strict']).default('lossy').meta({
    description:
      '`strict`: a grant is sent only after its audit line was written, and rejected with 503 while lines cannot be written. `lossy`: a grant never waits for the log.',
  }),
  CORS_ORIGINS: listOf(originFault).default([]).meta({
    description:
      'The origins of web pages that may call the service, comma-separated, such as `https://app.example.com`. `http://localhost:*` and `http://127.0.0.1:*` allow every port, for development. If not set, no page may.',
  }),
  CORS_ALLOWED_HEADERS: listOf(corsHeaderFault, 50).default([]).meta({
    description:
      'Further request headers that these pages may send, comma-separated, besides those of the API and of common tracing libraries.',
  }),
  TRUST_PROXY: listOf(trustedProxyFault).default([]).meta({
    description:
      'The proxies whose `X-Forwarded-For` is believed: addresses, CIDR ranges, or `loopback`, `linklocal`, `uniquelocal`, comma-separated.',
  }),
  REDIS_URL: text
    .superRefine((address, { addIssue }) => {
      const parsed = parseRedisAddress(address);
      if ('fault' in parsed) addIssue(parsed.fault);
    })
    .optional()
    .meta({
      description:
        'Valkey or Redis, for limits that hold across replicas: `redis://`, `redis+sentinel://` or `redis+cluster://`; with TLS, `rediss…`. Without it, each replica counts on its own.',
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
    .meta({ description: 'Seconds that open requests may then take to end.' }),
  OSS_ACCESS_KEY_ID: secret('OSS_ACCESS_KEY_ID').meta({
    description:
      'The access key id. If none of these six variables is set, the service uses the Alibaba Cloud default credential chain.',
  }),
  OSS_ACCESS_KEY_ID_FILE: secretFile('the access key id'),
  OSS_ACCESS_KEY_SECRET: secret('OSS_ACCESS_KEY_SECRET').meta({ description: 'The access key secret.' }),
  OSS_ACCESS_KEY_SECRET_FILE: secretFile('the access key secret'),
  OSS_SESSION_TOKEN: secret('OSS_SESSION_TOKEN').meta({
    description: 'The STS token. Only temporary credentials have one.',
  }),
  OSS_SESSION_TOKEN_FILE: secretFile('the STS token'),
});

export type EnvironmentName = keyof z.output<typeof environmentSchema>;
export type Environment = Readonly<Record<string, string | undefined>>;

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly policyFile: string;
  readonly logLevel: string;
  readonly auditMode: 'lossy' | 'strict';
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
  for (const { path, message } of parsed.error?.issues ?? [])
    faults.push(asSentence(path.join('.'), message));
  if (parsed.success && parsed.data.PORT !== 0 && parsed.data.METRICS_PORT === parsed.data.PORT)
    faults.push('METRICS_PORT must differ from PORT.');
  if (parsed.success && parsed.data.AUDIT_MODE === 'strict' && !AUDIT_LEVELS.includes(parsed.data.LOG_LEVEL))
    faults.push(
      `AUDIT_MODE=strict needs LOG_LEVEL ${AUDIT_LEVELS.join(', ')}: audit lines have the level info.`,
    );

  const broken = new Set(parsed.error?.issues.map(({ path }) => path[0]));
  const sound = Object.fromEntries(Object.entries(values).filter(([name]) => !broken.has(name)));
  const credentials = hasNoCredentials(values)
    ? ({ source: 'default-chain', environment: chainVariables(env) } as const)
    : readCredentials(env, sound, readFile, faults);
  if (!parsed.success || faults.length > 0 || !credentials) return { faults };
  const { data } = parsed;
  return {
    config: {
      host: data.HOST,
      port: data.PORT,
      policyFile: data.POLICY_FILE,
      logLevel: data.LOG_LEVEL,
      auditMode: data.AUDIT_MODE,
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

/**
 * Finds the policy file without the rest of the environment.
 * @returns its path, or why POLICY_FILE cannot be one, in the words of {@link loadConfig}.
 */
export function policyFileOf({
  POLICY_FILE,
}: Environment): { readonly path: string } | { readonly fault: string } {
  const isSet = POLICY_FILE !== undefined && POLICY_FILE.trim() !== '';
  const parsed = environmentSchema.shape.POLICY_FILE.safeParse(isSet ? POLICY_FILE : undefined);
  if (parsed.success) return { path: parsed.data };
  return { fault: asSentence('POLICY_FILE', parsed.error.issues[0]?.message ?? 'is not valid') };
}

/** Messages are the rest of a sentence, or of the first of two. */
function asSentence(name: string, message: string): string {
  return `${name} ${message}${/[.?]$/.test(message) ? '' : '.'}`;
}

const SECRETS = ['OSS_ACCESS_KEY_ID', 'OSS_ACCESS_KEY_SECRET', 'OSS_SESSION_TOKEN'] as const;

function hasNoCredentials(values: Readonly<Record<string, string>>): boolean {
  return SECRETS.every((name) => values[name] === undefined && values[`${name}_FILE`] === undefined);
}

function readCredentials(
  env: Environment,
  values: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
  faults: string[],
): CredentialsConfig | undefined {
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
  let content: string;
  try {
    content = readFile(file);
  } catch (error) {
    faults.push(`${variable} ${readFault(error)}: ${file}`);
    return undefined;
  }
  const parsed = parseSecret(content, variable);
  if ('secret' in parsed) return { file, variable };
  faults.push(`${variable} ${parsed.fault}: ${file}`);
  return undefined;
}
