import { imageSize } from 'image-size';
import type { ObjectRecord } from '../objects/object-file.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { OssError } from '../oss-error.ts';
import type { VariableValues } from './fill-in-body.ts';

/** The dimensions of an image are near its beginning. */
const MAX_READ_BYTES = 1024 ** 2;

/**
 * Reads the variables `imageInfo.…` of a stored object. There are none if it is no image.
 * @throws OssError `CallbackFailed` for an object that is no image although its type is `image/…`.
 */
export async function readImageInfo(
  store: ObjectStore,
  bucket: string,
  { key, sizeBytes, headers }: ObjectRecord,
): Promise<VariableValues> {
  const object = await store.open(bucket, key);
  try {
    const chunks: Buffer[] = [];
    const end = Math.min(sizeBytes, object?.record.sizeBytes ?? 0, MAX_READ_BYTES) - 1;
    if (object && end >= 0) for await (const chunk of object.read({ start: 0, end })) chunks.push(chunk);
    const { width, height, type = '' } = imageSize(Buffer.concat(chunks));
    return new Map<string, string | number>([
      ['imageInfo.width', width],
      ['imageInfo.height', height],
      ['imageInfo.format', type],
    ]);
  } catch {
    if (/^image\//i.test(headers['content-type'] ?? '')) throw new OssError('callbackImageInfo');
    return new Map();
  } finally {
    await object?.close();
  }
}
