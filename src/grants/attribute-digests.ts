import { hash } from 'node:crypto';
import { GRANT_ID_METADATA } from '../policy/grant-mark.ts';
import type { ObjectAttributes } from '../storage/object-storage.ts';

/**
 * Digests that are compared with those of a stored object: truncated SHA-256 in base64url, `''`
 * where the object must not have the attribute.
 */
export type AttributeDigests = {
  /** Of all metadata but {@link GRANT_ID_METADATA}. 32 characters, 24 bytes. */
  readonly metadata: string;
  /** Each of the others has 16 characters, 12 bytes. */
  readonly cacheControl: string;
  readonly contentDisposition: string;
  readonly contentEncoding: string;
  readonly expires: string;
};

/** A client may add metadata to a form, so it could search for two sets with the same digest. */
export const METADATA_DIGEST_LENGTH = 32;
export const HEADER_DIGEST_LENGTH = 16;

/** Digests the attributes of an object: equal digests stand for equal attributes. */
export function attributeDigests(attributes: ObjectAttributes): AttributeDigests {
  return createDigests(NO_ATTRIBUTES)(attributes);
}

const NO_ATTRIBUTES: ObjectAttributes = {
  metadata: {},
  cacheControl: undefined,
  contentDisposition: undefined,
  contentEncoding: undefined,
  expires: undefined,
};

/**
 * Returns {@link attributeDigests} for objects that mostly have these attributes: it digests only
 * the values that differ from them.
 */
export function createDigests(common: ObjectAttributes): (attributes: ObjectAttributes) => AttributeDigests {
  const known = {
    metadata: metadataDigest(common.metadata),
    cacheControl: headerDigest(common.cacheControl),
    contentDisposition: headerDigest(common.contentDisposition),
    contentEncoding: headerDigest(common.contentEncoding),
    expires: headerDigest(common.expires),
  };
  return ({ metadata, cacheControl, contentDisposition, contentEncoding, expires }) => ({
    metadata: metadata === common.metadata ? known.metadata : metadataDigest(metadata),
    cacheControl: cacheControl === common.cacheControl ? known.cacheControl : headerDigest(cacheControl),
    contentDisposition:
      contentDisposition === common.contentDisposition
        ? known.contentDisposition
        : headerDigest(contentDisposition),
    contentEncoding:
      contentEncoding === common.contentEncoding ? known.contentEncoding : headerDigest(contentEncoding),
    expires: expires === common.expires ? known.expires : headerDigest(expires),
  });
}

/** Digests metadata by lower-case name, in any order. */
function metadataDigest(metadata: ObjectAttributes['metadata']): string {
  const names: string[] = [];
  for (const name in metadata) if (name !== GRANT_ID_METADATA) names.push(name);
  if (names.length === 0) return '';
  // Each name and value with its length, so that no two sets have the same text.
  let text = '';
  if (names.length > 1) names.sort();
  for (const name of names) {
    const value = metadata[name] as string;
    text += `${name.length}:${name}${value.length}:${value}`;
  }
  return hash('sha256', text, 'base64url').slice(0, METADATA_DIGEST_LENGTH);
}

function headerDigest(value: string | undefined): string {
  return value === undefined ? '' : hash('sha256', value, 'base64url').slice(0, HEADER_DIGEST_LENGTH);
}
