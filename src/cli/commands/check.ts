import { loadConfig } from '../../config.ts';
import { type ReadinessCheck, renderCheck } from '../../http/health-routes.ts';
import { readPolicyFile } from '../../policy-file.ts';
import { checkClock } from '../checks/check-clock.ts';
import { checkCredentials } from '../checks/check-credentials.ts';
import { checkIssuer } from '../checks/check-issuer.ts';
import { checkLimiter } from '../checks/check-limiter.ts';
import { createWatchedFetch } from '../checks/watched-fetch.ts';
import type { CliContext, Command } from '../command.ts';
import { environmentOf, POLICY_OPTION, policyFileOf } from '../policy-option.ts';

/** `oss-presign check`: whether the service could do its work here and now. */
export const checkCommand: Command = {
  name: 'check',
  summary: 'check environment, policy, issuer keys, credentials, Redis and clock',
  description: `Checks whether the service could do its work here and now, without starting it: the environment, the policy file, whether the
keys of each issuer can be fetched, whether there are credentials to sign with, whether Redis counts (when REDIS_URL is set), and
how far the clock is off, by the Date of an issuer's answer or else of OSS. A line per check, "ok" or "FAILED". It changes
nothing in the cloud; whether the credentials may write to the buckets, only an upload shows.`,
  options: { policy: POLICY_OPTION },
  example: 'oss-presign check --policy policy.yaml',
  exitCodes: { 0: 'all is well', 1: 'a check has failed' },
  run: async (options, context) => {
    const env = environmentOf(options, context.env);
    let isWell = true;
    for await (const check of checkSetup({ ...context, env })) {
      context.write('stdout', renderCheck(check));
      isWell &&= check.ok;
    }
    return isWell ? 0 : 1;
  },
};

/** Each check as soon as it is done; one that needs another which failed says so. */
async function* checkSetup(context: CliContext): AsyncGenerator<ReadinessCheck> {
  const { env, readFile, fetch, clock } = context;
  const loaded = loadConfig(env, readFile);
  const config = 'config' in loaded ? loaded.config : undefined;
  yield {
    name: 'environment',
    ok: config !== undefined,
    detail: 'faults' in loaded ? loaded.faults.join(' ') : 'complete',
  };

  const policyFile = policyFileOf(env);
  const read = readPolicyFile(policyFile, env, readFile);
  const policy = 'policy' in read ? read.policy : undefined;
  yield {
    name: 'policy',
    ok: policy !== undefined,
    detail:
      'faults' in read
        ? read.faults.join(' ')
        : [`${policyFile}, rules: ${read.policy.rules.map(({ name }) => name).join(', ')}`]
            .concat(read.policy.warnings)
            .join('. '),
  };

  const issuers = (policy?.issuers ?? []).map((issuer) => {
    const watched = createWatchedFetch(fetch, clock);
    return { watched, checked: checkIssuer(issuer, watched, clock) };
  });
  for (const { checked } of issuers) yield await checked;
  if (!policy) yield notChecked('issuer keys', 'the policy');

  yield config
    ? await checkCredentials(() => context.createCredentials(config.credentials), clock)
    : notChecked('credentials', 'the environment');
  yield config ? await checkLimiter(config.redisUrl) : notChecked('limiter', 'the environment');

  const told = issuers.map(({ watched }) => watched.clockOffset()).find((offset) => offset !== undefined);
  yield policy
    ? await checkClock(
        told,
        policy.rules.map(({ target }) => target),
        context,
      )
    : notChecked('clock', 'the policy');
}

function notChecked(name: string, need: string): ReadinessCheck {
  return { name, ok: false, detail: `not checked, as it needs ${need}` };
}
