import type { KeyObject } from 'node:crypto';
import { decodeBase64 } from '../../../text/base64.ts';
import type { CallbackVerdict, CallbackVerifier } from '../../callback-verifier.ts';
import type { FindCallbackKey } from './callback-keys.ts';
import { isSigned } from './is-signed.ts';
import { callbackKeyUrl } from './key-url.ts';

/** Enough for a key of 8192 bits. */
const MAX_SIGNATURE_LENGTH = 2048;

export type CallbackVerifierOptions = {
  /** The address that OSS calls, whatever path a proxy turns it into. */
  readonly url: string;
  /** The only key that is accepted; undefined for the key that a call names. */
  readonly key: KeyObject | undefined;
  readonly findKey: FindCallbackKey;
};

/** Creates the check that OSS, or the owner of the configured key, made a call. */
export function createCallbackVerifier({ url, key, findKey }: CallbackVerifierOptions): CallbackVerifier {
  const path = decodeURIComponent(new URL(url).pathname);
  return {
    async verify({ authorization = '', keyUrl = '', query, body }, deadline): Promise<CallbackVerdict> {
      const address = key ? undefined : callbackKeyUrl(keyUrl);
      if (!key && address === undefined) return { result: 'key_url' };
      if (authorization === '' || authorization.length > MAX_SIGNATURE_LENGTH) return { result: 'signature' };
      const signature = decodeBase64(authorization, 'base64');
      if (!signature) return { result: 'signature' };
      let signingKey: KeyObject;
      try {
        signingKey = key ?? (await findKey(address ?? '', deadline));
      } catch (error) {
        return { result: 'no_key', cause: error instanceof Error ? error : new Error(String(error)) };
      }
      return { result: isSigned({ path, query, body }, signingKey, signature) ? 'verified' : 'signature' };
    },
  };
}
