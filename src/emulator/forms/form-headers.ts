import { toHeaderValue } from '../objects/header-value.ts';
import { type PutHeaders, readPutHeaders } from '../objects/put-headers.ts';
import { OssError } from '../oss-error.ts';
import type { FormFields } from './form-fields.ts';

/** The fields that mean the same as the headers of PutObject. Metadata does too. */
const HEADER_FIELDS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'expires',
  'x-oss-object-acl',
  'x-oss-storage-class',
  'x-oss-forbid-overwrite',
  'x-oss-server-side-encryption',
  'x-oss-server-side-encryption-key-id',
];

/**
 * Reads the attributes of the object from the fields of a form. The type is the first of the field
 * `x-oss-content-type`, the type of the file, and the field `Content-Type`.
 * @param fileType as the client sent it with the file; one byte per character
 * @throws OssError as `readPutHeaders`, for a value that cannot be a header, and for
 *   `x-oss-tagging`, which no form can have.
 */
export function readFormHeaders(fields: FormFields, fileType: string | undefined): PutHeaders {
  if (fields.has('x-oss-tagging')) throw new OssError('invalidArgument', { ArgumentName: 'x-oss-tagging' });
  const headerOf = (name: string) => toHeaderValue(name, fields.get(name) ?? '');
  const names = [...fields.keys()].filter(
    (name) => HEADER_FIELDS.includes(name) || name.startsWith('x-oss-meta-'),
  );
  const type = headerOf('x-oss-content-type') || fileType || headerOf('content-type');
  return readPutHeaders(
    new Map([
      ...names.map((name) => [name, headerOf(name)] as const),
      ...(type === '' ? [] : [['content-type', type] as const]),
    ]),
  );
}
