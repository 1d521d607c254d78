import type { UploadCallback } from '../object-storage.ts';

/** OSS rejects a longer one. */
const MAX_PARAMETER_LENGTH = 5 * 1024;

/** Needs no escape in JSON, and cannot be read as a variable of the body, such as `${object}`. */
const UPLOAD_ID = /^[\w.-]+$/;

/**
 * Returns the value of the parameter or field `callback`: JSON in base64. It is the same for a URL
 * and a form. Anyone who sees it can read it. Source: OSS, Callback.
 * @throws TypeError for an id of other characters, or a callback that is too long for OSS.
 */
export function callbackParameter({ url, id }: UploadCallback): string {
  if (id.length > MAX_PARAMETER_LENGTH || !UPLOAD_ID.test(id))
    throw new TypeError('the id of a callback must be an upload id');
  const text = JSON.stringify({
    // OSS takes several addresses, separated by ";".
    callbackUrl: url.replaceAll(';', '%3B'),
    callbackBody: JSON.stringify({ id }),
    callbackBodyType: 'application/json',
    // Without it, a server with several certificates cannot choose the right one.
    ...(url.startsWith('https:') && { callbackSNI: true }),
  });
  const parameter = Buffer.from(text).toString('base64');
  if (parameter.length > MAX_PARAMETER_LENGTH)
    throw new TypeError(`a callback must have at most ${MAX_PARAMETER_LENGTH} characters in base64`);
  return parameter;
}
