import type { Clock } from '../../clock.ts';
import { rejectAfter } from '../../net/reject-after.ts';
import type { ChainEnvironment } from '../credentials-config.ts';
import type { CredentialsLog, ManagedCredentials } from '../managed-credentials.ts';
import { createRefreshingCredentials } from '../refreshing-credentials.ts';
import { createStaticCredentials } from '../static-credentials.ts';
import { type ChainSource, chainSources, ecsRamRole } from './chain-sources.ts';
import { fetchCredentials } from './fetch-credentials.ts';
import { SourceFailure } from './source-failure.ts';

export type ChainCredentialsOptions = {
  readonly clock: Clock;
  readonly log: CredentialsLog;
  /** Undefined if the user has none. */
  readonly homeDirectory: string | undefined;
};

/** Longer than the library's own time-outs, which a profile cannot change. */
const ATTEMPT_LIMIT_MS = 10_000;

/** Limit for the metadata server at startup. It is probed only if no other source is configured. */
const PROBE_LIMIT_MS = 1_000;

const NOTHING_CONFIGURED =
  'There are no cloud credentials: set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (or both as …_FILE), or one source of the ' +
  'default chain: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET; ALIBABA_CLOUD_ROLE_ARN, ' +
  'ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE; a profile; ALIBABA_CLOUD_ECS_METADATA; ' +
  'ALIBABA_CLOUD_CREDENTIALS_URI.';

/**
 * Creates a source from the default chain of `@alicloud/credentials`.
 *
 * Chooses the first configured source once and keeps it, even while it fails. The library's own
 * chain would continue with the next source: a pod whose STS call fails would then sign with the
 * role of its machine, which has other permissions. If no source is configured, the role of the
 * machine is used.
 * @throws Error if there is no source. The message lists the variables to set.
 */
export async function createChainCredentials(
  environment: ChainEnvironment,
  { clock, log, homeDirectory }: ChainCredentialsOptions,
): Promise<ManagedCredentials> {
  const {
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
    ALIBABA_CLOUD_SECURITY_TOKEN: securityToken,
  } = environment;
  if (accessKeyId && accessKeySecret) {
    return createStaticCredentials({ accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) });
  }
  const { name, createProvider } = await chooseSource(environment, homeDirectory);
  const load = () => fetchCredentials(createProvider);
  return createRefreshingCredentials({ name, load, clock, log, attemptLimitMs: ATTEMPT_LIMIT_MS });
}

async function chooseSource(
  environment: ChainEnvironment,
  homeDirectory: string | undefined,
): Promise<Pick<ChainSource, 'name' | 'createProvider'>> {
  for (const source of chainSources(environment, homeDirectory)) {
    if (await source.isConfigured()) return source;
  }
  const instanceRole = ecsRamRole(environment);
  const isAllowed = environment.ALIBABA_CLOUD_ECS_METADATA_DISABLED?.toLowerCase() !== 'true';
  if (isAllowed && (await hasInstanceRole(instanceRole))) return instanceRole;
  throw new Error(NOTHING_CONFIGURED);
}

async function hasInstanceRole({ createProvider }: Pick<ChainSource, 'createProvider'>): Promise<boolean> {
  try {
    await rejectAfter(PROBE_LIMIT_MS, () => fetchCredentials(createProvider));
    return true;
  } catch (error) {
    return error instanceof SourceFailure && error.hasResponse;
  }
}
