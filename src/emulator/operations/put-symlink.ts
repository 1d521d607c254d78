import { checkObjectName } from '../objects/object-name.ts';
import { digestHeaders } from '../objects/object-response.ts';
import { readPutHeaders } from '../objects/put-headers.ts';
import { storeBody } from '../objects/store-body.ts';
import { OssError } from '../oss-error.ts';
import { decodeUtf8 } from '../request-target.ts';
import type { ObjectOperation } from './operation.ts';

/**
 * PutSymlink: stores a symbolic link to the object that `x-oss-symlink-target` names. The object
 * need not exist.
 * @throws OssError for a target that is missing or not a name of an object, and as PutObject.
 */
export const putSymlink: ObjectOperation = async (call) => {
  const { headers } = call.wire;
  const encoded = headers.get('x-oss-symlink-target');
  if (encoded === undefined) throw new OssError('symlinkTargetMissing');
  const symlinkTarget = decodeUtf8(encoded) ?? '';
  checkObjectName(symlinkTarget);
  const record = await storeBody(call, {
    key: call.key,
    headers: readPutHeaders(headers),
    symlinkTarget,
    body: nothing(),
    confirm: () => undefined,
  });
  call.response.writeHead(200, { ...digestHeaders(record), 'Content-Length': 0 }).end();
};

/** A symbolic link has no bytes of its own. */
async function* nothing(): AsyncGenerator<Uint8Array> {}
