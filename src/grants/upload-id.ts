import { isUtf8 } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { TRANSFERS, type Transfer } from '../policy/actions.ts';
import { uuidText } from '../text/uuid.ts';
import { type AttributeDigests, HEADER_DIGEST_LENGTH, METADATA_DIGEST_LENGTH } from './attribute-digests.ts';
import type { ServiceKey, ServiceKeys } from './ports/service-keys.ts';

/** Everything that an upload id binds: the grant, and what the object must look like. */
export type GrantedUpload = {
  /** A UUID in lower case. */
  readonly grantId: string;
  readonly transfer: Transfer;
  readonly rule: string;
  readonly target: string;
  readonly bucket: string;
  readonly region: string;
  readonly key: string;
  /** Whether the object carries the grant id as metadata; see `isMarked` in `policy/`. */
  readonly isMarked: boolean;
  /** Bytes; `max` is null if any length of at least `min` was granted. */
  readonly contentLength: { readonly min: number; readonly max: number | null };
  readonly contentType: string;
  /** Base64 of the 16 bytes. */
  readonly contentMd5: string | undefined;
  readonly attributes: AttributeDigests;
  /** Present exactly if `transfer` is `multipart`. The length is then one, and there is no MD5. */
  readonly multipart: GrantedMultipart | undefined;
  readonly caller: { readonly issuer: string; readonly subject: string };
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Seconds since 1970; of the id, which outlives the URL. */
  readonly expiresAt: number;
};

/** The part of a multipart upload that its upload id binds. */
export type GrantedMultipart = {
  /** The multipart upload ID of the storage, opaque. */
  readonly uploadId: string;
  /** Bytes of each part but the last one. */
  readonly partSize: number;
  /** Whether the object may replace another one when it is completed. */
  readonly overwrite: boolean;
};

/** A grant that does not fit into an upload id. */
export class UploadIdTooLong extends TypeError {
  override readonly name = 'UploadIdTooLong';
}

/** The longest upload id, in characters. */
export const MAX_UPLOAD_ID_LENGTH = 3 * 1024;

const VERSION = 1;
const MAC_LENGTH = 43;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Numbers that never change, because upload ids outlive a release. */
const TRANSFER_CODES = { put: 1, form: 2, multipart: 3 } as const satisfies Record<Transfer, number>;

/** Characters of the digests of {@link AttributeDigests}, in their order in the payload. */
const DIGEST_LENGTHS: readonly number[] = [
  METADATA_DIGEST_LENGTH,
  HEADER_DIGEST_LENGTH,
  HEADER_DIGEST_LENGTH,
  HEADER_DIGEST_LENGTH,
  HEADER_DIGEST_LENGTH,
];
const MD5_BYTES = 16;

// The payload, by the offsets of its bytes:
//
//      0  version, transfer and flags
//      3  the lengths of kid, rule, target, bucket and region, one byte each
//      8  the lengths of key, content type, issuer and subject, two bytes each
//     16  the least and the greatest length of the object, six bytes each
//     28  when it was issued and when it expires, four bytes each
//     36  the digests that are present, and the MD5 if it is
//      …  kid, grant id, rule, target, bucket, region, key, content type, issuer, subject, in UTF-8
//
// A multipart upload differs in three places:
//
//     22  the part size in place of the greatest length, which is also the least one
//     36  before the digests, the grant id in 16 bytes instead of a text; one byte that is 1 if the
//         object may replace another; and the length of the multipart upload ID, one byte
//      …  the multipart upload ID, after the subject
//
// Lengths of texts are those in UTF-16 code units. So no text needs an escape, and none can be read
// as a part of another.
const BINARY_START = 36;
const GRANT_ID_LENGTH = 36;
const GRANT_ID_BYTES = 16;
/** The longest text whose length is one byte. */
const MAX_TEXT_LENGTH = 255;
const MULTIPART_BYTES = GRANT_ID_BYTES + 2;

const IS_MARKED = 1;
const HAS_MAX = 2;
const HAS_MD5 = 4;
const FIRST_DIGEST = 8;

/**
 * Returns an upload id: `base64url(payload).base64url(HMAC-SHA256)`. The same grant always has the
 * same id. Takes 3 µs.
 * @throws UploadIdTooLong if the grant does not fit into {@link MAX_UPLOAD_ID_LENGTH}, which only
 *   the multipart upload ID can cause; TypeError for malformed Unicode, RangeError for a
 *   number or a text out of bounds. Policy and request exclude both.
 */
export function sealUploadId(
  { kid, uploadIdMac }: Pick<ServiceKey, 'kid' | 'uploadIdMac'>,
  granted: GrantedUpload,
): string {
  const { rule, target, bucket, region, key, contentType, contentMd5, contentLength, attributes } = granted;
  const { grantId, multipart } = granted;
  const { issuer, subject } = granted.caller;
  const { metadata, cacheControl, contentDisposition, contentEncoding, expires } = attributes;
  const names = `${rule}${target}${bucket}${region}${key}${contentType}${issuer}${subject}`;
  const text = multipart ? `${kid}${names}${multipart.uploadId}` : `${kid}${grantId}${names}`;
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate cannot be part of an upload id');
  const binary = `${metadata}${cacheControl}${contentDisposition}${contentEncoding}${expires}${contentMd5 ?? ''}`;
  const digestsStart = BINARY_START + (multipart ? MULTIPART_BYTES : 0);
  const bytes = Buffer.allocUnsafe(digestsStart + binary.length + Buffer.byteLength(text));
  bytes[0] = VERSION;
  bytes[1] = TRANSFER_CODES[granted.transfer];
  bytes[2] =
    (granted.isMarked ? IS_MARKED : 0) |
    (contentLength.max === null ? 0 : HAS_MAX) |
    (contentMd5 === undefined ? 0 : HAS_MD5) |
    (metadata === '' ? 0 : FIRST_DIGEST) |
    (cacheControl === '' ? 0 : FIRST_DIGEST << 1) |
    (contentDisposition === '' ? 0 : FIRST_DIGEST << 2) |
    (contentEncoding === '' ? 0 : FIRST_DIGEST << 3) |
    (expires === '' ? 0 : FIRST_DIGEST << 4);
  bytes.writeUInt8(kid.length, 3);
  bytes.writeUInt8(rule.length, 4);
  bytes.writeUInt8(target.length, 5);
  bytes.writeUInt8(bucket.length, 6);
  bytes.writeUInt8(region.length, 7);
  bytes.writeUInt16BE(key.length, 8);
  bytes.writeUInt16BE(contentType.length, 10);
  bytes.writeUInt16BE(issuer.length, 12);
  bytes.writeUInt16BE(subject.length, 14);
  bytes.writeUIntBE(contentLength.min, 16, 6);
  bytes.writeUIntBE(multipart?.partSize ?? contentLength.max ?? 0, 22, 6);
  bytes.writeUInt32BE(granted.issuedAt, 28);
  bytes.writeUInt32BE(granted.expiresAt, 32);
  if (multipart) writeMultipart(bytes, granted, multipart);
  // Each digest is a multiple of 3 bytes, so that the digests and the MD5 are decoded together.
  const textStart = digestsStart + bytes.write(binary, digestsStart, 'base64url');
  const end = textStart + bytes.write(text, textStart);
  const payload = bytes.toString('base64url', 0, end);
  const id = `${payload}.${uploadIdMac(payload)}`;
  if (id.length > MAX_UPLOAD_ID_LENGTH) throw new UploadIdTooLong('the grant is too long for an upload id');
  return id;
}

function writeMultipart(
  bytes: Buffer,
  { grantId, contentLength, contentMd5, transfer }: GrantedUpload,
  { uploadId, overwrite }: GrantedMultipart,
): void {
  if (transfer !== 'multipart' || contentLength.min !== contentLength.max || contentMd5 !== undefined)
    throw new TypeError('an upload id holds one length and no MD5 of a multipart upload');
  if (uploadId.length > MAX_TEXT_LENGTH) throw new UploadIdTooLong('the multipart upload ID is too long');
  bytes.write(grantId.replaceAll('-', ''), BINARY_START, 'hex');
  bytes.writeUInt8(overwrite ? 1 : 0, BINARY_START + GRANT_ID_BYTES);
  bytes.writeUInt8(uploadId.length, BINARY_START + GRANT_ID_BYTES + 1);
}

/**
 * Returns what an upload id binds; undefined if none of the keys has sealed exactly this id. The
 * expiry is not checked. An id has one spelling only.
 * @param id of any length and content: a caller may have chosen it.
 */
export function openUploadId(keys: Pick<ServiceKeys, 'find'>, id: string): GrantedUpload | undefined {
  if (id.length > MAX_UPLOAD_ID_LENGTH) return undefined;
  const payloadLength = id.length - MAC_LENGTH - 1;
  if (payloadLength < 0 || id[payloadLength] !== '.') return undefined;
  const payload = id.slice(0, payloadLength);
  const bytes = Buffer.from(payload, 'base64url');
  const layout = layoutOf(bytes);
  if (!layout) return undefined;
  const { texts, textStart } = layout;
  // Read before the MAC is verified, because it names the key.
  const kid = bytes.toString('utf8', textStart).slice(0, texts[0]);
  const key = keys.find(kid);
  // The MAC is that of the text, so a second spelling of the same bytes is another text.
  if (!key || !isSameText(key.uploadIdMac(payload), id.slice(payloadLength + 1))) return undefined;
  return grantOf(bytes, layout);
}

type Layout = {
  /** The lengths of the texts, in UTF-16 code units; of the grant id, 0 if it is not a text. */
  readonly texts: readonly number[];
  readonly textStart: number;
  readonly digestsStart: number;
};

function layoutOf(bytes: Buffer): Layout | undefined {
  if (bytes.length < BINARY_START || bytes[0] !== VERSION) return undefined;
  const isMultipart = bytes[1] === TRANSFER_CODES.multipart;
  const digestsStart = BINARY_START + (isMultipart ? MULTIPART_BYTES : 0);
  const flags = bytes[2] ?? 0;
  let textStart = digestsStart + ((flags & HAS_MD5) === 0 ? 0 : MD5_BYTES);
  for (const [index, length] of DIGEST_LENGTHS.entries())
    if ((flags & (FIRST_DIGEST << index)) !== 0) textStart += bytesOf(length);
  const [kid = 0, ...names] = bytes.subarray(3, 8);
  const others = [8, 10, 12, 14].map((offset) => bytes.readUInt16BE(offset));
  const grantId = isMultipart ? 0 : GRANT_ID_LENGTH;
  const uploadId = isMultipart ? (bytes[digestsStart - 1] ?? 0) : 0;
  return { texts: [kid, grantId, ...names, ...others, uploadId], textStart, digestsStart };
}

/** @returns undefined for a payload that no version of this file has sealed. */
function grantOf(bytes: Buffer, { texts, textStart, digestsStart }: Layout): GrantedUpload | undefined {
  const text = bytes.toString('utf8', textStart);
  let end = 0;
  const next = (length: number) => {
    end += length;
    return text.slice(end - length, end);
  };
  const [
    ,
    grantIdText = '',
    rule = '',
    target = '',
    bucket = '',
    region = '',
    key = '',
    contentType = '',
    issuer = '',
    subject = '',
    uploadId = '',
  ] = texts.map(next);
  const transfer = TRANSFERS.find((one) => TRANSFER_CODES[one] === bytes[1]);
  const isMultipart = transfer === 'multipart';
  const grantId = isMultipart
    ? uuidText(bytes.subarray(BINARY_START, BINARY_START + GRANT_ID_BYTES))
    : grantIdText;
  const flags = bytes[2] ?? 0;
  const has = (flag: number) => (flags & flag) !== 0;
  const min = bytes.readUIntBE(16, 6);
  const greatest = bytes.readUIntBE(22, 6);
  const max = isMultipart ? min : has(HAS_MAX) ? greatest : null;
  const issuedAt = bytes.readUInt32BE(28);
  const expiresAt = bytes.readUInt32BE(32);
  const overwrite = bytes[BINARY_START + GRANT_ID_BYTES] ?? 0;
  if (
    !isUtf8(bytes.subarray(textStart)) ||
    end !== text.length ||
    transfer === undefined ||
    !UUID.test(grantId) ||
    (max === null ? greatest !== 0 : min > max) ||
    (isMultipart && (!has(HAS_MAX) || has(HAS_MD5) || greatest === 0 || uploadId === '' || overwrite > 1)) ||
    expiresAt < issuedAt
  )
    return undefined;
  let offset = digestsStart;
  const digests = DIGEST_LENGTHS.map((length, index) => {
    if (!has(FIRST_DIGEST << index)) return '';
    const start = offset;
    offset += bytesOf(length);
    return bytes.toString('base64url', start, offset);
  });
  const [metadata = '', cacheControl = '', contentDisposition = '', contentEncoding = '', expires = ''] =
    digests;
  return {
    grantId,
    transfer,
    rule,
    target,
    bucket,
    region,
    key,
    isMarked: has(IS_MARKED),
    contentLength: { min, max },
    contentType,
    contentMd5: has(HAS_MD5) ? bytes.toString('base64', offset, offset + MD5_BYTES) : undefined,
    attributes: { metadata, cacheControl, contentDisposition, contentEncoding, expires },
    multipart: isMultipart ? { uploadId, partSize: greatest, overwrite: overwrite === 1 } : undefined,
    caller: { issuer, subject },
    issuedAt,
    expiresAt,
  };
}

function bytesOf(base64urlLength: number): number {
  return (base64urlLength / 4) * 3;
}

/** Compares in constant time. Characters that are not ASCII have other lengths in UTF-8. */
function isSameText(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}
