import type { Readable } from 'node:stream';
import type { ObjectStore, StoredObject } from './object-store.ts';
import { OssError } from './oss-error.ts';
import type { WireRequest } from './wire-request.ts';

export type ObjectAnswer = {
  readonly status: 200 | 206;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: () => Readable;
};

/** GetObject and HeadObject: the object's headers and its bytes, or the one range of them that was asked for. */
export async function getObject({ key, headers }: WireRequest, store: ObjectStore): Promise<ObjectAnswer> {
  if (key === '') throw new OssError('notImplemented');
  const object = await store.find(key);
  if (!object) throw new OssError('noSuchKey', { Key: key });
  const range = readRange(headers.get('range'), object.size);
  const { start, end } = range ?? { start: 0, end: object.size - 1 };
  return {
    status: range ? 206 : 200,
    headers: {
      ...object.headers,
      ...sumHeaders(object),
      'content-length': String(end - start + 1),
      ...(range && { 'content-range': `bytes ${start}-${end}/${object.size}` }),
      'accept-ranges': 'bytes',
      'last-modified': object.lastModified,
      'x-oss-object-type': 'Normal',
    },
    body: () => store.read(object, start, end),
  };
}

/** What OSS answers of an object's bytes, to PUT, GET and HEAD alike. */
export function sumHeaders({ etag, contentMd5, crc64 }: StoredObject): Record<string, string> {
  return { etag: `"${etag}"`, 'content-md5': contentMd5, 'x-oss-hash-crc64ecma': crc64 };
}

/** One range of RFC 9110 14.1.2. What is no such range is ignored, as OSS does; one outside the object is refused. */
function readRange(
  text: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(text ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end) throw new OssError('range');
  return { start, end };
}
