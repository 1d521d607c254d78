import { metadataBytes } from './metadata-size.ts';
import type { Rule } from './policy.ts';
import type { UploadRequest } from './upload-request.ts';

/**
 * The name of the metadata with the id of a grant. No rule and no request may use it for anything
 * else.
 */
export const GRANT_ID_METADATA = 'upload-id';

const UUID_LENGTH = 36;

/** The bytes that the mark adds to the metadata, as `MAX_METADATA_BYTES` counts them. */
export const GRANT_MARK_BYTES = metadataBytes({ [GRANT_ID_METADATA]: 'x'.repeat(UUID_LENGTH) });

/**
 * Whether the object carries the id of its grant. If the caller chose the key, objects of other
 * grants can have the same one. A form always does: a field that no condition names is free, so a
 * client could otherwise send the id of another grant in it.
 */
export function isMarked(
  { receipts }: Pick<Rule, 'receipts'>,
  { key, transfer }: Pick<UploadRequest, 'key' | 'transfer'>,
): boolean {
  return receipts && (key !== undefined || transfer === 'form');
}
