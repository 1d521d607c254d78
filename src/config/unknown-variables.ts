import { closestName } from '../text/suggest.ts';
import { environmentSchema } from './config.ts';
import type { Environment } from './environment.ts';

/** Names that other programs have for what the service reads under another name. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  OSS_SECRET_KEY: 'OSS_ACCESS_KEY_SECRET',
  OSS_ACCESS_SECRET: 'OSS_ACCESS_KEY_SECRET',
  OSS_SECRET: 'OSS_ACCESS_KEY_SECRET',
  OSS_ACCESS_KEY: 'OSS_ACCESS_KEY_ID',
  OSS_KEY_ID: 'OSS_ACCESS_KEY_ID',
  OSS_STS_TOKEN: 'OSS_SESSION_TOKEN',
  OSS_SECURITY_TOKEN: 'OSS_SESSION_TOKEN',
  CORS_ALLOWED_ORIGINS: 'CORS_ORIGINS',
  ALLOWED_ORIGINS: 'CORS_ORIGINS',
  ALLOWED_ORIGIN: 'CORS_ORIGINS',
  TRUSTED_PROXIES: 'TRUST_PROXY',
  TRUST_PROXIES: 'TRUST_PROXY',
  SHUTDOWN_GRACE_PERIOD_SECONDS: 'SHUTDOWN_GRACE_SECONDS',
  REDIS_ADDR: 'REDIS_URL',
  REDIS_ADDRESS: 'REDIS_URL',
  REDIS_CONNECTION_STRING: 'REDIS_URL',
  VALKEY_URL: 'REDIS_URL',
  VALKEY_URI: 'REDIS_URL',
  POLICY: 'POLICY_FILE',
  POLICY_PATH: 'POLICY_FILE',
  PROMETHEUS_PORT: 'METRICS_PORT',
};

/** Below this many characters, names of other programs are a letter away: HOST and HOSTS, PORT and SPORT. */
const MIN_NAME_LENGTH = 8;
const MAX_EDITS = 2;
const MAX_NAME_LENGTH = 64;

const KNOWN = Object.keys(environmentSchema.shape);

/**
 * Finds the variables that most likely are a mistyped variable of the service, which would ignore them without a word. The
 * environments of shells and container platforms have many other names, so only a close one counts.
 * @param policyText the policy file, which may take any variable by its name; those it holds are left out. Undefined when it
 *   cannot be read.
 * @returns one sentence each, by name, without any value.
 */
export function unknownVariables(env: Environment, policyText: string | undefined): readonly string[] {
  const inPolicy = new Set(policyText?.match(/\w+/g));
  return Object.keys(env)
    .filter((name) => !KNOWN.includes(name) && !inPolicy.has(name))
    .sort()
    .flatMap((name) => {
      const meant = meantBy(name);
      return meant === undefined
        ? []
        : [`${name} is not a variable of the service and has no effect. Did you mean ${meant}?`];
    });
}

function meantBy(name: string): string | undefined {
  const other = Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : undefined;
  if (other !== undefined) return other;
  if (name.length < MIN_NAME_LENGTH - 1) return undefined;
  const sameWords = KNOWN.find((known) => wordsOf(known) === wordsOf(name));
  if (sameWords !== undefined) return sameWords;
  const longNames = KNOWN.filter((known) => known.length >= MIN_NAME_LENGTH);
  // AWS_ACCESS_KEY_ID is two letters away from ours, and behind our prefix more letters may be wrong.
  const isOss = /^OSS/i.test(name);
  const candidates = longNames.filter((known) => known.startsWith('OSS_') === isOss);
  return closestName(name, candidates, isOss ? undefined : MAX_EDITS);
}

/** The words of a name in one order: `OSS_ACCESS_SECRET_KEY` has those of `OSS_ACCESS_KEY_SECRET`. */
function wordsOf(name: string): string {
  return name.length > MAX_NAME_LENGTH ? '' : name.toUpperCase().split('_').sort().join('_');
}
