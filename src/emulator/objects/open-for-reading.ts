import type { FileHandle } from 'node:fs/promises';
import { OssError } from '../oss-error.ts';
import type { WireRequest } from '../signature/signature-v4.ts';
import { type ObjectResponse, objectResponse } from './object-response.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Opens an object for GetObject or HeadObject, and decides the response. The caller closes the
 * handle.
 * @throws OssError `AccessDenied` for an anonymous request unless the object is public,
 *   `NoSuchKey`, or an error of {@link objectResponse}.
 */
export async function openForReading({
  store,
  bucket,
  key,
  wire,
  isAnonymous,
}: {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly key: string;
  readonly wire: WireRequest;
  readonly isAnonymous: boolean;
}): Promise<{ readonly handle: FileHandle; readonly outcome: ObjectResponse }> {
  const object = await store.open(bucket, key);
  try {
    if (isAnonymous && !object?.record.acl.startsWith('public-read')) throw new OssError('accessDenied');
    if (!object) throw new OssError('noSuchKey', { Key: key });
    // Only a signed request may replace response headers.
    const outcome = objectResponse(object.record, wire.headers, isAnonymous ? [] : wire.query);
    return { handle: object.handle, outcome };
  } catch (error) {
    await object?.handle.close();
    throw error;
  }
}
