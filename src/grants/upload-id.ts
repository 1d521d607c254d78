import { isUtf8 } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { TRANSFERS, type Transfer } from '../policy/actions.ts';
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
  readonly caller: { readonly issuer: string; readonly subject: string };
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Seconds since 1970; of the id, which outlives the URL. */
  readonly expiresAt: number;
};

/** The longest upload id, in characters. */
export const MAX_UPLOAD_ID_LENGTH = 3 * 1024;

const VERSION = 1;
const MAC_LENGTH = 43;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Numbers that never change, because upload ids outlive a release. */
const TRANSFER_CODES = { put: 1, form: 2 } as const;

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
// Lengths of texts are those in UTF-16 code units. So no text needs an escape, and none can be read
// as a part of another.
const BINARY_START = 36;
const GRANT_ID_LENGTH = 36;

const IS_MARKED = 1;
const HAS_MAX = 2;
const HAS_MD5 = 4;
const FIRST_DIGEST = 8;

/**
 * Returns an upload id: `base64url(payload).base64url(HMAC-SHA256)`. The same grant always has the
 * same id. Takes 3 µs.
 * @throws TypeError if the grant does not fit into {@link MAX_UPLOAD_ID_LENGTH}, or has malformed
 *   Unicode; RangeError for a number or a text out of bounds. Policy and request exclude both.
 */
export function sealUploadId(
  { kid, uploadIdMac }: Pick<ServiceKey, 'kid' | 'uploadIdMac'>,
  granted: GrantedUpload,
): string {
  const { rule, target, bucket, region, key, contentType, contentMd5, contentLength, attributes } = granted;
  const { issuer, subject } = granted.caller;
  const { metadata, cacheControl, contentDisposition, contentEncoding, expires } = attributes;
  const text = `${kid}${granted.grantId}${rule}${target}${bucket}${region}${key}${contentType}${issuer}${subject}`;
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate cannot be part of an upload id');
  const binary = `${metadata}${cacheControl}${contentDisposition}${contentEncoding}${expires}${contentMd5 ?? ''}`;
  const bytes = Buffer.allocUnsafe(BINARY_START + binary.length + Buffer.byteLength(text));
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
  bytes.writeUIntBE(contentLength.max ?? 0, 22, 6);
  bytes.writeUInt32BE(granted.issuedAt, 28);
  bytes.writeUInt32BE(granted.expiresAt, 32);
  // Each digest is a multiple of 3 bytes, so that the digests and the MD5 are decoded together.
  const textStart = BINARY_START + bytes.write(binary, BINARY_START, 'base64url');
  const end = textStart + bytes.write(text, textStart);
  const payload = bytes.toString('base64url', 0, end);
  const id = `${payload}.${uploadIdMac(payload)}`;
  if (id.length > MAX_UPLOAD_ID_LENGTH) throw new TypeError('the grant is too long for an upload id');
  return id;
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
  /** The lengths of the texts, in UTF-16 code units. */
  readonly texts: readonly number[];
  readonly textStart: number;
};

function layoutOf(bytes: Buffer): Layout | undefined {
  if (bytes.length < BINARY_START || bytes[0] !== VERSION) return undefined;
  const flags = bytes[2] ?? 0;
  let textStart = BINARY_START + ((flags & HAS_MD5) === 0 ? 0 : MD5_BYTES);
  for (const [index, length] of DIGEST_LENGTHS.entries())
    if ((flags & (FIRST_DIGEST << index)) !== 0) textStart += bytesOf(length);
  const [kid = 0, ...names] = bytes.subarray(3, 8);
  const others = [8, 10, 12, 14].map((offset) => bytes.readUInt16BE(offset));
  return { texts: [kid, GRANT_ID_LENGTH, ...names, ...others], textStart };
}

/** @returns undefined for a payload that no version of this file has sealed. */
function grantOf(bytes: Buffer, { texts, textStart }: Layout): GrantedUpload | undefined {
  const text = bytes.toString('utf8', textStart);
  let end = 0;
  const next = (length: number) => {
    end += length;
    return text.slice(end - length, end);
  };
  const [
    ,
    grantId = '',
    rule = '',
    target = '',
    bucket = '',
    region = '',
    key = '',
    contentType = '',
    issuer = '',
    subject = '',
  ] = texts.map(next);
  const transfer = TRANSFERS.find((one) => TRANSFER_CODES[one] === bytes[1]);
  const flags = bytes[2] ?? 0;
  const has = (flag: number) => (flags & flag) !== 0;
  const min = bytes.readUIntBE(16, 6);
  const greatest = bytes.readUIntBE(22, 6);
  const max = has(HAS_MAX) ? greatest : null;
  const issuedAt = bytes.readUInt32BE(28);
  const expiresAt = bytes.readUInt32BE(32);
  if (
    !isUtf8(bytes.subarray(textStart)) ||
    end !== text.length ||
    transfer === undefined ||
    !UUID.test(grantId) ||
    (max === null ? greatest !== 0 : min > max) ||
    expiresAt < issuedAt
  )
    return undefined;
  let offset = BINARY_START;
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
