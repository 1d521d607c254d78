import { callbackSettings } from '../../config/callback-key-settings.ts';
import { loadConfig, policyFileOf } from '../../config/config.ts';
import { receiptSettings, serviceKeysWarnings } from '../../config/service-keys-settings.ts';
import { unknownVariables } from '../../config/unknown-variables.ts';
import type { ReadinessCheck } from '../../health/check.ts';
import { callbackFaults, callbackWarnings } from '../../policy/file/callback-address.ts';
import { readPolicyFile } from '../../policy/file/read-policy-file.ts';
import { receiptFaults, serviceKeysNeeds } from '../../policy/file/receipt-faults.ts';
import { readIfPossible } from '../../text/text-file.ts';
import { checkClock } from '../checks/check-clock.ts';
import { checkCredentials } from '../checks/check-credentials.ts';
import { checkIssuer } from '../checks/check-issuer.ts';
import { checkLimiter } from '../checks/check-limiter.ts';
import { checkStorage } from '../checks/check-storage.ts';
import { createWatchedFetch } from '../checks/watched-fetch.ts';
import type { CliContext, Command } from '../command.ts';
import { environmentOf, POLICY_OPTION } from '../policy-option.ts';

/** `oss-presign check`: whether the service could work in this environment now. */
export const checkCommand: Command = {
  name: 'check',
  summary: 'check environment, policy, issuer keys, credentials, Redis, clock and buckets',
  description: `Checks, without starting the service, whether it could work in this environment now: the environment variables, the policy
file, the keys of each issuer, the credentials, Redis (if REDIS_URL is set), the clock, which is compared with the Date of a
response from an issuer or OSS, and for each rule whose uploads can be confirmed, whether OSS lets the service look for objects
and, with multipart uploads, list and abort them. It prints a line for each result: "ok", "FAILED", "WARNING", or "SKIPPED" if a
check needs another one that failed. It changes nothing in the cloud. Only an upload shows whether the credentials may write to
the buckets.`,
  options: { policy: POLICY_OPTION },
  example: 'oss-presign check --policy policy.yaml',
  exitCodes: { 0: 'no check failed', 1: 'a check failed' },
  run: async (options, context) => {
    const env = environmentOf(options, context.env);
    let hasFailed = false;
    for await (const { state, name, detail } of checkSetup({ ...context, env })) {
      context.write('stdout', `${state} ${name}: ${detail}\n`);
      hasFailed ||= state === 'FAILED';
    }
    return hasFailed ? 1 : 0;
  },
};

type Result = {
  readonly state: 'ok' | 'FAILED' | 'WARNING' | 'SKIPPED';
  readonly name: string;
  /** One line. */
  readonly detail: string;
};

/** Yields each result as soon as it is known. */
async function* checkSetup(context: CliContext): AsyncGenerator<Result> {
  const { env, readFile, fetch, clock } = context;
  const file = policyFileOf(env);
  const policyText = 'path' in file ? readIfPossible(file.path, readFile) : undefined;
  const loaded = loadConfig(env, readFile);
  const config = 'config' in loaded ? loaded.config : undefined;
  let needsServiceKeys = false;
  const read =
    'path' in file
      ? readPolicyFile(file.path, env, readFile, (policy) => {
          needsServiceKeys = serviceKeysNeeds(policy).length > 0;
          return config
            ? [...receiptFaults(policy, receiptSettings(config)), ...callbackFaults(policy, config)]
            : [];
        })
      : undefined;
  yield* resultsOf('environment', loaded, 'complete', [
    ...unknownVariables(env, policyText),
    // If the policy needs the missing file, that is a fault of the policy.
    ...(config && !needsServiceKeys ? serviceKeysWarnings(config) : []),
  ]);

  const policy = read && 'policy' in read ? read.policy : undefined;
  if ('path' in file && read) {
    const rules = policy?.rules.map(({ name }) => name).join(', ');
    yield* resultsOf('policy', read, `${file.path}, rules: ${rules}`, [
      ...(policy?.warnings ?? []),
      ...(policy && config ? callbackWarnings(policy, callbackSettings(config)) : []),
    ]);
  } else {
    yield skipped('policy', 'environment');
  }

  const issuers = (policy?.issuers ?? []).map((issuer) => {
    const watched = createWatchedFetch(fetch, clock);
    return { watched, checked: checkIssuer(issuer, watched.fetch, clock) };
  });
  for (const { checked } of issuers) yield resultOf(await checked);
  if (!policy) yield skipped('issuer keys', 'policy');

  const source = config && createOnce(() => context.createCredentials(config.credentials, env));
  const credentials = source ? await checkCredentials(source, clock) : undefined;
  yield credentials ? resultOf(credentials) : skipped('credentials', 'environment');
  yield config ? resultOf(await checkLimiter(config.redisUrl, clock)) : skipped('limiter', 'environment');

  const offset = issuers.map(({ watched }) => watched.clockOffset()).find((one) => one !== undefined);
  yield policy
    ? resultOf(
        await checkClock(
          offset,
          policy.rules.map(({ target }) => target),
          context,
        ),
      )
    : skipped('clock', 'policy');

  const confirmed =
    policy?.rules.filter(({ actions, receipts }) => actions.includes('upload') && receipts) ?? [];
  if (source && credentials?.ok) {
    const using = { credentials: await source(), fetch, clock };
    const checks = confirmed.map((rule) => checkStorage(rule, { ...using, uuid: context.newUuid() }));
    for (const checked of checks) yield resultOf(await checked);
  } else if (!policy || confirmed.length > 0) yield skipped('storage', policy ? 'credentials' : 'policy');
}

/** Creates the value on the first call, and returns it on all calls. */
function createOnce<Value>(create: () => Promise<Value>): () => Promise<Value> {
  let created: Promise<Value> | undefined;
  return () => {
    created ??= create();
    return created;
  };
}

/** One line for each fault, or one line if there is none; then one line for each warning. */
function* resultsOf(
  name: string,
  read: object,
  okDetail: string,
  warnings: readonly string[],
): Generator<Result> {
  if ('faults' in read)
    for (const fault of read.faults as readonly string[])
      yield { state: 'FAILED', name, detail: oneLine(fault) };
  else yield { state: 'ok', name, detail: okDetail };
  for (const warning of warnings) yield { state: 'WARNING', name, detail: oneLine(warning) };
}

function resultOf({ name, ok, detail = '' }: ReadinessCheck): Result {
  return { state: ok ? 'ok' : 'FAILED', name, detail: oneLine(detail) };
}

function skipped(name: string, needed: 'environment' | 'policy' | 'credentials'): Result {
  const what = needed === 'credentials' ? 'valid credentials' : `a valid ${needed}`;
  return { state: 'SKIPPED', name, detail: `needs ${what}` };
}

function oneLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join(' ');
}
