import type { BucketClient, StoredObject } from '../../storage/object-storage.ts';
import type { GrantedUpload } from '../upload-id.ts';
import { type Difference, differencesOf } from './compare-object.ts';

/** The object under the key of an upload, compared with the grant. */
export type ObjectCheck =
  | { readonly outcome: 'stored'; readonly stored: StoredObject }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'mismatch'; readonly differences: readonly Difference[] };

/**
 * Asks the storage for the object of an upload, and compares it with the grant.
 * @param crc64 the CRC-64 of the bytes that the client sent, if it states one.
 * @param deadline the call ends by then, at the latest.
 * @throws StorageError, or whatever the source of the credentials rejects with.
 */
export async function checkObject(
  client: Pick<BucketClient, 'headObject'>,
  granted: GrantedUpload,
  crc64: string | undefined,
  deadline?: Date,
): Promise<ObjectCheck> {
  const stored = await client.headObject(granted.key, deadline);
  if (!stored) return { outcome: 'absent' };
  const differences = differencesOf(granted, stored, crc64);
  return differences.length === 0 ? { outcome: 'stored', stored } : { outcome: 'mismatch', differences };
}
