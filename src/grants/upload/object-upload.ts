import { dispositionWithName } from '../../policy/download-name.ts';
import { GRANT_ID_METADATA, isMarked } from '../../policy/grant-mark.ts';
import type { Rule } from '../../policy/policy.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type { FormUpload, ObjectUpload } from '../../storage/object-storage.ts';

/**
 * Returns the object that a granted request creates. If the rule keeps file names, the object's own
 * Content-Disposition replaces the rule's.
 */
export function objectUpload(rule: Rule, request: UploadRequest, key: string): ObjectUpload {
  return {
    key,
    contentType: request.contentType,
    contentLength: request.contentLength,
    contentMd5: request.contentMd5,
    metadata: request.metadata,
    cacheControl: request.cacheControl,
    contentDisposition: keptName(rule, request) ?? request.contentDisposition,
    contentEncoding: request.contentEncoding,
    overwrite: rule.overwrite && request.overwrite,
  };
}

/**
 * Returns an upload whose object carries the id of its grant, if the rule and the request need
 * that.
 */
export function withGrantId<Upload extends Pick<ObjectUpload, 'metadata'>>(
  upload: Upload,
  rule: Rule,
  request: UploadRequest,
  grantId: string,
): Upload {
  if (!isMarked(rule, request)) return upload;
  return { ...upload, metadata: { ...upload.metadata, [GRANT_ID_METADATA]: grantId } };
}

/** Returns the object that a granted request for a form creates. */
export function formUpload(rule: Rule, request: UploadRequest, key: string): FormUpload {
  const { contentMd5: _, ...upload } = objectUpload(rule, request, key);
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
