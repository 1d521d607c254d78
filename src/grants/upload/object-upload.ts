import type { GrantedObject } from '../../policy/decide-upload.ts';
import { dispositionWithName } from '../../policy/download-name.ts';
import { GRANT_ID_METADATA, isMarked } from '../../policy/grant-mark.ts';
import type { Rule } from '../../policy/policy.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type { FormUpload, ObjectUpload } from '../../storage/object-storage.ts';

/**
 * Returns the object that a granted request creates. If the rule keeps file names, the object's own
 * Content-Disposition replaces the rule's. The object carries the id of the grant if
 * {@link isMarked}.
 */
export function objectUpload(
  rule: Rule,
  request: UploadRequest,
  { key, grantId }: Pick<GrantedObject, 'key' | 'grantId'>,
): ObjectUpload {
  const { metadata } = request;
  return {
    key,
    contentType: request.contentType,
    contentLength: request.contentLength,
    contentMd5: request.contentMd5,
    metadata: isMarked(rule, request) ? { ...metadata, [GRANT_ID_METADATA]: grantId } : metadata,
    cacheControl: request.cacheControl,
    contentDisposition: keptName(rule, request) ?? request.contentDisposition,
    contentEncoding: request.contentEncoding,
    overwrite: rule.overwrite && request.overwrite,
  };
}

/** Returns the object that a granted request for a form creates. */
export function formUpload(
  rule: Rule,
  request: UploadRequest,
  granted: Pick<GrantedObject, 'key' | 'grantId'>,
): FormUpload {
  const { contentMd5: _, ...upload } = objectUpload(rule, request, granted);
  const { contentLength, maxContentLength = 0 } = request;
  return {
    ...upload,
    contentLength: { min: contentLength ?? 0, max: contentLength ?? maxContentLength },
  };
}

function keptName({ keepFilename, headers }: Rule, { filename }: UploadRequest): string | undefined {
  if (!keepFilename || filename === undefined) return undefined;
  return dispositionWithName((headers['Content-Disposition'] ?? 'attachment').toLowerCase(), filename);
}
