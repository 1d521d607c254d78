import { OssError } from '../oss-error.ts';

const MAX_NAME_BYTES = 1023;

/**
 * Checks an object name: OSS rejects an empty one, one over 1023 bytes of UTF-8, and one that
 * begins with `/` or `\`.
 * @throws OssError `InvalidObjectName`.
 */
export function checkObjectName(name: string): void {
  if (name === '') throw new OssError('objectNameEmpty');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new OssError('objectNameInvalid');
  if (/^[/\\]/.test(name)) throw new OssError('objectNameLeadingSlash');
}
