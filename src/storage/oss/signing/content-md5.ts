import { hash } from 'node:crypto';

/** Returns the value of Content-MD5 for a body (RFC 1864). OSS rejects a body that differs. */
export function contentMd5Of(body: Uint8Array): string {
  return hash('md5', body, 'base64');
}
