import { createServiceKeysReader } from '../service-keys/read-service-keys-file.ts';
import type { Config } from './config.ts';
import { type Environment, isSet } from './environment.ts';

/**
 * Returns the faults of the service keys and of the address that belongs to them, one sentence each
 * without any part of a key.
 * @param valid the variables that are set to a valid value. The faults of the others have been
 *   reported.
 * @param readFile reads a file as text; throws if it cannot.
 */
export function serviceKeysFaults(
  env: Environment,
  { SERVICE_KEYS_FILE: file }: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
): readonly string[] {
  if (file === undefined) return [];
  const reading = createServiceKeysReader(file, readFile)();
  const faults = 'faults' in reading ? [...reading.faults] : [];
  if (!isSet(env.PUBLIC_URL))
    faults.push('SERVICE_KEYS_FILE is set, but PUBLIC_URL is not: receipts name it as their issuer.');
  return faults;
}

/** Returns the consequences of running without `SERVICE_KEYS_FILE`, one sentence each. */
export function serviceKeysWarnings({
  serviceKeysFile,
  canContinueUploads,
}: Pick<Config, 'serviceKeysFile' | 'canContinueUploads'>): readonly string[] {
  if (serviceKeysFile !== undefined) return [];
  return [
    canContinueUploads
      ? 'SERVICE_KEYS_FILE is not set: upload ids and receipts are valid only until this process stops, and not for other replicas.'
      : 'REDIS_URL is set, but SERVICE_KEYS_FILE is not: replicas cannot read the upload ids of each other, so requests with an upload id or an Idempotency-Key get 503.',
  ];
}

/** The settings that the policy has to fit, because receipts depend on both. */
export function receiptSettings({
  publicUrl,
  serviceKeysFile,
}: Pick<Config, 'publicUrl' | 'serviceKeysFile'>): {
  readonly publicUrl: string;
  readonly hasServiceKeysFile: boolean;
} {
  return { publicUrl, hasServiceKeysFile: serviceKeysFile !== undefined };
}
