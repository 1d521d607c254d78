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

/** One source of the default chain, by the library's name for it. */
export type ChainSource = {
  readonly name: string;
  /** Whether the environment, or a file that is there, asks for this source. */
  readonly isConfigured: () => boolean | Promise<boolean>;
  /** Makes a provider without a cache. */
  readonly createProvider: () => CredentialsProvider;
};

const CONNECT_TIMEOUT_MS = 2_000;
const READ_TIMEOUT_MS = 5_000;

/** The metadata server is on the machine's own host. */
const METADATA_TIMEOUT_MS = 1_000;

const NO_HOME_DIRECTORY =
  'ALIBABA_CLOUD_CREDENTIALS_FILE is set, and the user of this process has no home directory: set HOME, which may be any folder. ' +
  'The library of Alibaba Cloud needs it to read a profile.';

/**
 * The sources of the library's default chain in its order, without the plain variables that come first. Without a home directory no
 * profile is found there.
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
          // The cloud's audit trail shows this name.
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

/** The role of the machine, whichever it is unless `ALIBABA_CLOUD_ECS_METADATA` names one. */
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
