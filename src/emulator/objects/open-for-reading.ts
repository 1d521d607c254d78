import { OssError } from '../oss-error.ts';
import type { WireRequest } from '../signature/signature-v4.ts';
import { type ObjectResponse, objectResponse, readOverrides } from './object-response.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

/**
 * Opens an object for a read, and decides the response. A symbolic link is read with the bytes of
 * its target and its own attributes. The caller closes the object.
 * @throws OssError `AccessDenied` for an anonymous request unless the object is public,
 *   `NoSuchKey`, `NoSuchVersion`, an error of the symbolic link, of {@link readOverrides} or of
 *   {@link objectResponse}.
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
}): Promise<{ readonly object: StoredObject; readonly outcome: ObjectResponse }> {
  const { method, headers, query } = wire;
  const overrides = readOverrides(query, isAnonymous);
  const versionId = query.find(({ name }) => name === 'versionId')?.value;
  const object = await store.open(bucket, key);
  let opened = object;
  try {
    if (isAnonymous && !object?.record.acl.startsWith('public-read')) throw new OssError('accessDenied');
    if (!object) throw new OssError('noSuchKey', { Key: key });
    if (versionId !== undefined && versionId !== (object.record.versionId ?? 'null')) {
      throw new OssError('noSuchVersion', { Key: key, VersionId: versionId });
    }
    opened = await followLink(store, bucket, object);
    return { object: opened, outcome: objectResponse(opened.record, { method, headers, overrides }) };
  } catch (error) {
    await opened?.close();
    throw error;
  }
}

/** Opens the target of a symbolic link; returns any other object. */
async function followLink(store: ObjectStore, bucket: string, object: StoredObject): Promise<StoredObject> {
  const { symlinkTarget } = object.record;
  if (symlinkTarget === undefined) return object;
  const target = await store.open(bucket, symlinkTarget);
  if (!target) throw new OssError('symlinkTargetNotExist', { Key: symlinkTarget });
  if (target.record.symlinkTarget !== undefined) {
    await target.close();
    throw new OssError('symlinkTargetInvalid');
  }
  await object.close();
  const { sizeBytes, etag, contentMd5, crc64 } = target.record;
  const digests = { etag, crc64, ...(contentMd5 !== undefined && { contentMd5 }) };
  const { contentMd5: _ofLink, ...link } = object.record;
  return { ...target, record: { ...link, sizeBytes, ...digests } };
}
