import { access } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CLIProfileCredentialsProvider,
  type CredentialsProvider,
  ECSRAMRoleCredentialsProvider,
  OIDCRoleArnCredentialsProvider,
  ProfileCredentialsProvider,
  URICredentialsProvider,
} from '@alicloud/credentials';
import type { ChainEnvironment } from '../credentials-config.ts';

/** One source of the default chain, with the library's name for it. */
export type ChainSource = {
  readonly name: string;
  /** Whether a variable or an existing file selects this source. */
  readonly isConfigured: () => boolean | Promise<boolean>;
  /** Creates a provider whose cache is empty. */
  readonly createProvider: () => CredentialsProvider;
};

const CONNECT_TIMEOUT_MS = 2_000;
const READ_TIMEOUT_MS = 5_000;

/** Short, because the metadata server runs on the same host. */
const METADATA_TIMEOUT_MS = 1_000;

const NO_HOME_DIRECTORY =
  'ALIBABA_CLOUD_CREDENTIALS_FILE is set, but the user of this process has no home directory: set HOME to any folder. ' +
  'The Alibaba Cloud library needs it to read a profile.';

/**
 * Returns the sources of the library's default chain, in its order.
 *
 * The access key in variables, which comes first in that chain, is not part of the list. Without a
 * home directory, profiles in it are not found.
 */
export function chainSources(
  environment: ChainEnvironment,
  homeDirectory: string | undefined,
): readonly ChainSource[] {
  const isInHome = (...path: readonly string[]) =>
    homeDirectory !== undefined && exists(join(homeDirectory, ...path));
  const isSet = (...names: readonly string[]) => names.every((name) => environment[`ALIBABA_CLOUD_${name}`]);
  const isOn = (name: string) => environment[`ALIBABA_CLOUD_${name}`]?.toLowerCase() === 'true';
  return [
    {
      name: 'oidc_role_arn',
      isConfigured: () => isSet('ROLE_ARN', 'OIDC_PROVIDER_ARN', 'OIDC_TOKEN_FILE'),
      createProvider: () =>
        OIDCRoleArnCredentialsProvider.builder()
          .withRoleArn(environment.ALIBABA_CLOUD_ROLE_ARN ?? '')
          .withOIDCProviderArn(environment.ALIBABA_CLOUD_OIDC_PROVIDER_ARN ?? '')
          .withOIDCTokenFilePath(environment.ALIBABA_CLOUD_OIDC_TOKEN_FILE ?? '')
          // The audit trail of Alibaba Cloud shows this name.
          .withRoleSessionName(environment.ALIBABA_CLOUD_ROLE_SESSION_NAME ?? 'oss-presign')
          .withStsRegionId(environment.ALIBABA_CLOUD_STS_REGION ?? '')
          .withEnableVpc(isOn('VPC_ENDPOINT_ENABLED'))
          .withConnectTimeout(CONNECT_TIMEOUT_MS)
          .withReadTimeout(READ_TIMEOUT_MS)
          .build(),
    },
    {
      name: 'cli_profile',
      isConfigured: () => !isOn('CLI_PROFILE_DISABLED') && isInHome('.aliyun', 'config.json'),
      createProvider: () => CLIProfileCredentialsProvider.builder().build(),
    },
    {
      name: 'profile',
      isConfigured: () => {
        if (isSet('CREDENTIALS_FILE') && homeDirectory === undefined) throw new Error(NO_HOME_DIRECTORY);
        return isSet('CREDENTIALS_FILE') || isInHome('.alibabacloud', 'credentials');
      },
      createProvider: () => ProfileCredentialsProvider.builder().build(),
    },
    {
      ...ecsRamRole(environment),
      isConfigured: () => isSet('ECS_METADATA') && !isOn('ECS_METADATA_DISABLED'),
    },
    {
      name: 'credentials_uri',
      isConfigured: () => isSet('CREDENTIALS_URI'),
      createProvider: () =>
        URICredentialsProvider.builder()
          .withCredentialsURI(environment.ALIBABA_CLOUD_CREDENTIALS_URI ?? '')
          .withConnectTimeout(CONNECT_TIMEOUT_MS)
          .withReadTimeout(READ_TIMEOUT_MS)
          .build(),
    },
  ];
}

/** Returns the source for the machine's role. `ALIBABA_CLOUD_ECS_METADATA` can name the role. */
export function ecsRamRole(environment: ChainEnvironment): Pick<ChainSource, 'name' | 'createProvider'> {
  return {
    name: 'ecs_ram_role',
    createProvider: () =>
      ECSRAMRoleCredentialsProvider.builder()
        .withRoleName(environment.ALIBABA_CLOUD_ECS_METADATA ?? '')
        .withDisableIMDSv1(environment.ALIBABA_CLOUD_IMDSV1_DISABLED?.toLowerCase() === 'true')
        .withConnectTimeout(METADATA_TIMEOUT_MS)
        .withReadTimeout(METADATA_TIMEOUT_MS)
        .build(),
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
