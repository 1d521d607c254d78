import { dispositionWithName } from '../../policy/download-name.ts';
import type { Rule } from '../../policy/policy.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type { ObjectUpload } from '../../storage/object-storage.ts';

/** The object that a granted request creates. Its own Content-Disposition replaces the rule's if the rule keeps file names. */
export function objectUpload(rule: Rule, request: UploadRequest, key: string): ObjectUpload {
  const upload = { ...request, key, overwrite: rule.overwrite && request.overwrite };
  if (!rule.keepFilename || request.filename === undefined) return upload;
  const type = rule.headers['Content-Disposition'] ?? 'attachment';
  return { ...upload, contentDisposition: dispositionWithName(type.toLowerCase(), request.filename) };
}
