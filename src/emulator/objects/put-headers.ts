import { type FaultName, OssError } from '../oss-error.ts';

/** The longest body, of an object or of a part. */
export const MAX_BODY_BYTES = 5 * 1024 ** 3;
const MAX_METADATA_BYTES = 8 * 1024;
const MAX_TAGS = 10;
const KEPT = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
  'x-oss-server-side-encryption',
  'x-oss-server-side-encryption-key-id',
  'x-oss-server-side-data-encryption',
];
const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];
/** The values that a header may have, and the fault for any other. */
const CHOICES: Readonly<Record<string, readonly [FaultName, readonly string[]]>> = {
  'x-oss-object-acl': ['aclUnknown', ['default', 'private', 'public-read', 'public-read-write']],
  'x-oss-storage-class': [
    'storageClassUnknown',
    ['Standard', 'IA', 'Archive', 'ColdArchive', 'DeepColdArchive'],
  ],
  'x-oss-server-side-encryption': ['encryptionUnknown', ['AES256', 'KMS', 'SM4']],
  'x-oss-forbid-overwrite': ['forbidOverwriteUnknown', ['true', 'false']],
};

export type PutHeaders = {
  readonly acl: string;
  readonly mayReplace: boolean;
  /** The headers that GetObject and HeadObject send, with lower-case names. */
  readonly served: Readonly<Record<string, string>>;
};

/**
 * Reads the headers of PutObject (OSS help: "PutObject") except those about the body.
 * @throws OssError for a value that OSS does not accept, metadata over 8 KB, and a header that is
 *   not emulated.
 */
export function readPutHeaders(headers: ReadonlyMap<string, string>): PutHeaders {
  for (const name of CONDITIONS) {
    if (headers.has(name)) throw new OssError('headerNotImplemented', { Header: name });
  }
  if (headers.has('x-oss-copy-source')) throw new OssError('notImplemented', { Header: 'x-oss-copy-source' });
  for (const [name, [fault, choices]] of Object.entries(CHOICES)) {
    const value = headers.get(name);
    if (value !== undefined && !choices.includes(value)) {
      throw new OssError(fault, { ArgumentName: name, ArgumentValue: value });
    }
  }
  const metadata = [...headers].filter(([name]) => name.startsWith('x-oss-meta-'));
  checkMetadata(metadata);
  const tags = countTags(headers.get('x-oss-tagging'));
  return {
    acl: headers.get('x-oss-object-acl') ?? 'default',
    mayReplace: headers.get('x-oss-forbid-overwrite') !== 'true',
    served: {
      'content-type': headers.get('content-type') ?? 'application/octet-stream',
      ...Object.fromEntries([...headers].filter(([name]) => KEPT.includes(name))),
      ...Object.fromEntries(metadata),
      'x-oss-storage-class': headers.get('x-oss-storage-class') ?? 'Standard',
      ...(tags > 0 && { 'x-oss-tagging-count': String(tags) }),
    },
  };
}

/**
 * Reads `Content-MD5`; null if it was not sent.
 * @throws OssError `InvalidDigest` if it is not the Base64 of 16 bytes.
 */
export function readContentMd5(text: string | undefined): Buffer | null {
  if (text === undefined) return null;
  if (!/^[A-Za-z0-9+/]{22}==$/.test(text)) throw new OssError('contentMd5Malformed');
  return Buffer.from(text, 'base64');
}

/**
 * Checks the length of a body, if the request declares one.
 * @throws OssError `MissingContentLength`, or `EntityTooLarge` over 5 GB.
 */
export function checkBodyLength(headers: ReadonlyMap<string, string>): void {
  const length = headers.get('content-length');
  if (length === undefined && !headers.has('transfer-encoding')) throw new OssError('missingContentLength');
  if (Number(length ?? 0) > MAX_BODY_BYTES) throw new OssError('entityTooLarge');
}

function checkMetadata(metadata: readonly (readonly [string, string])[]): void {
  let bytes = 0;
  for (const [name, value] of metadata) {
    if (!/^x-oss-meta-[a-z0-9-]+$/.test(name)) reject(name, value);
    bytes += name.length + value.length;
  }
  if (bytes > MAX_METADATA_BYTES) throw new OssError('metadataTooLarge');
}

function countTags(tagging: string | undefined): number {
  if (tagging === undefined || tagging === '') return 0;
  const names = new URLSearchParams(tagging);
  const isWellFormed =
    names.size <= MAX_TAGS &&
    new Set(names.keys()).size === names.size &&
    [...names].every(
      ([name, value]) => name !== '' && Buffer.byteLength(name) <= 128 && Buffer.byteLength(value) <= 256,
    );
  if (!isWellFormed) reject('x-oss-tagging', tagging);
  return names.size;
}

function reject(name: string, value: string): never {
  throw new OssError('invalidArgument', { ArgumentName: name, ArgumentValue: value });
}
