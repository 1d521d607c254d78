/** The path below `PUBLIC_URL` that the storage calls when an upload is stored. */
export const CALLBACK_PATH = '/v1/callbacks/oss';

/**
 * Returns the address that the storage calls.
 * @param publicUrl without a slash at its end.
 */
export function callbackUrl(publicUrl: string): string {
  return `${publicUrl}${CALLBACK_PATH}`;
}
