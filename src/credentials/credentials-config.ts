import type { Credentials } from '../grants/ports/credentials-source.ts';

/** One part of the credentials: its value, or the file that holds it and the variable that named this file. */
export type SecretPart =
  | { readonly value: string }
  | { readonly file: string; readonly variable: `OSS_${string}_FILE` };

export type SecretParts = {
  readonly accessKeyId: SecretPart;
  readonly accessKeySecret: SecretPart;
  readonly securityToken?: SecretPart;
};

/** The variables whose names begin with `ALIBABA_CLOUD_`; one that is set to nothing is left out. */
export type ChainEnvironment = Readonly<Record<string, string>>;

/** Where the cloud credentials are to come from, as the environment says. */
export type CredentialsConfig =
  | { readonly source: 'environment'; readonly credentials: Credentials }
  | { readonly source: 'files'; readonly parts: SecretParts }
  | { readonly source: 'default-chain'; readonly environment: ChainEnvironment };
