import type { CredentialsConfig, SecretPart } from '../credentials/credentials-config.ts';
import { parseSecret } from '../credentials/files/parse-secret.ts';
import { readFault } from '../text/text-file.ts';
import { type Environment, isSet } from './environment.ts';
import { secret, secretFile } from './variable-types.ts';

/** The variables of the credentials for Alibaba Cloud OSS. */
export const ossCredentialVariables = {
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
};

const SECRETS = ['OSS_ACCESS_KEY_ID', 'OSS_ACCESS_KEY_SECRET', 'OSS_SESSION_TOKEN'] as const;
type SecretName = (typeof SECRETS)[number];

/**
 * Reads the credentials for OSS from the environment. If none of its variables is set, they come
 * from the default credential chain of Alibaba Cloud.
 * @param valid the variables that are set to a valid value. The faults of the others have been
 *   reported.
 * @param readFile reads a `…_FILE`; throws if it cannot.
 * @returns where the credentials come from, or the faults, one sentence each without any secret.
 */
export function readOssCredentials(
  env: Environment,
  valid: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
): { readonly config: CredentialsConfig } | { readonly faults: readonly string[] } {
  if (SECRETS.every((name) => !isGiven(name, env)))
    return { config: { source: 'default-chain', environment: chainVariables(env) } };
  const faults: string[] = [];
  const [accessKeyId, accessKeySecret, securityToken] = SECRETS.map((name) =>
    readPart(name, valid, readFile, faults),
  );
  for (const name of ['OSS_ACCESS_KEY_ID', 'OSS_ACCESS_KEY_SECRET'] as const) {
    if (isGiven(name, env)) continue;
    const state = env[name] === undefined ? 'is not set' : 'is empty';
    faults.push(`${name} (or ${name}_FILE) ${state}: without credentials nothing can be signed.`);
  }
  if (!accessKeyId || !accessKeySecret || faults.length > 0) return { faults };
  if ('value' in accessKeyId && 'value' in accessKeySecret && !(securityToken && 'file' in securityToken)) {
    const credentials = {
      accessKeyId: accessKeyId.value,
      accessKeySecret: accessKeySecret.value,
      ...(securityToken && { securityToken: securityToken.value }),
    };
    return { config: { source: 'environment', credentials } };
  }
  const parts = { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) };
  return { config: { source: 'files', parts } };
}

/** Whether the environment holds a secret or names its file. */
function isGiven(name: SecretName, env: Environment): boolean {
  return isSet(env[name]) || isSet(env[`${name}_FILE`]);
}

function chainVariables(env: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith('ALIBABA_CLOUD_') && isSet(value) ? [[name, value]] : [],
    ),
  );
}

/** Undefined if the part is not given, or has a fault. */
function readPart(
  name: SecretName,
  valid: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
  faults: string[],
): SecretPart | undefined {
  const variable = `${name}_FILE` as const;
  const file = valid[variable];
  const value = valid[name];
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
