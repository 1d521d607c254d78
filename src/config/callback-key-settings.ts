import type { KeyObject } from 'node:crypto';
import { parseCallbackKey } from '../storage/oss/callbacks/callback-key.ts';
import { readFault } from '../text/text-file.ts';
import type { Config } from './config.ts';

/**
 * Reads the key of `OSS_CALLBACK_KEY_FILE`.
 * @param valid the variables that are set to a valid value.
 * @param readFile reads a file as text; throws if it cannot.
 * @returns the key, undefined if the variable is not set; or its fault, one sentence.
 */
export function readCallbackKey(
  { OSS_CALLBACK_KEY_FILE: file }: Readonly<Record<string, string>>,
  readFile: (path: string) => string,
): { readonly key: KeyObject | undefined } | { readonly fault: string } {
  if (file === undefined) return { key: undefined };
  let pem: string;
  try {
    pem = readFile(file);
  } catch (error) {
    return { fault: `OSS_CALLBACK_KEY_FILE ${readFault(error)}: ${file}.` };
  }
  const parsed = parseCallbackKey(pem);
  return 'key' in parsed ? parsed : { fault: `OSS_CALLBACK_KEY_FILE ${file}: ${parsed.fault}.` };
}

/** The settings that the rules with a callback have to fit. */
export function callbackSettings({ publicUrl, callbackKey }: Pick<Config, 'publicUrl' | 'callbackKey'>): {
  readonly publicUrl: string;
  readonly hasCallbackKey: boolean;
} {
  return { publicUrl, hasCallbackKey: callbackKey !== undefined };
}
