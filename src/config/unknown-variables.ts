import { closestName } from '../text/suggest.ts';
import { environmentSchema } from './config.ts';
import type { Environment } from './environment.ts';

/** Names that other programs use for variables of the service. */
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

/** Shorter names are too close to those of other programs: HOST and HOSTS, PORT and SPORT. */
const MIN_NAME_LENGTH = 8;
const MAX_EDITS = 2;
const MAX_NAME_LENGTH = 64;

const KNOWN = Object.keys(environmentSchema.shape);

/**
 * Finds variables that are probably mistyped variables of the service, which would have no effect.
 * Shells and container platforms set many others, so only close names are reported.
 * @param policyText the text of the policy file; undefined if it cannot be read. It may use any
 *   variable, so the names in it are not reported.
 * @returns one sentence each, sorted by name, without any value.
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
  // AWS_ACCESS_KEY_ID is two edits away from ours. After our own prefix, more edits are allowed.
  const isOss = /^OSS/i.test(name);
  const candidates = longNames.filter((known) => known.startsWith('OSS_') === isOss);
  return closestName(name, candidates, isOss ? undefined : MAX_EDITS);
}

/**
 * The words of a name, sorted: those of `OSS_ACCESS_SECRET_KEY` and `OSS_ACCESS_KEY_SECRET` are the
 * same.
 */
function wordsOf(name: string): string {
  return name.length > MAX_NAME_LENGTH ? '' : name.toUpperCase().split('_').sort().join('_');
}
