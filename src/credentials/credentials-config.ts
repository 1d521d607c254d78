import type { Credentials } from '../grants/ports/credentials-source.ts';

/** One part of the credentials: its value, or a file with its value and the variable naming it. */
export type SecretPart =
  | { readonly value: string }
  | { readonly file: string; readonly variable: `OSS_${string}_FILE` };

export type SecretParts = {
  readonly accessKeyId: SecretPart;
  readonly accessKeySecret: SecretPart;
  readonly securityToken?: SecretPart;
};

/** The variables whose names begin with `ALIBABA_CLOUD_`, without empty ones. */
export type ChainEnvironment = Readonly<Record<string, string>>;

/** The source of the cloud credentials that the environment configures. */
export type CredentialsConfig =
  | { readonly source: 'environment'; readonly credentials: Credentials }
  | { readonly source: 'files'; readonly parts: SecretParts }
  | { readonly source: 'default-chain'; readonly environment: ChainEnvironment };
