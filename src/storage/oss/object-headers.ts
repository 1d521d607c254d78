import { CLIENT_HEADER_FIELDS, CLIENT_HEADERS } from '../../policy/client-headers.ts';
import { dispositionWithName } from '../../policy/download-name.ts';
import type { Rule } from '../../policy/policy.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';

/**
 * Every header that the client has to set, verbatim, for a granted request. Content-Length is not among them: browsers
 * forbid setting it, and every HTTP client sends it by itself.
 * @returns a new object; all values are printable ASCII, trimmed and not empty.
 */
export function uploadHeaders(rule: Rule, request: UploadRequest): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': request.contentType };
  if (request.contentMd5 !== undefined) headers['Content-MD5'] = request.contentMd5;
  for (const field of CLIENT_HEADER_FIELDS) {
    const value = request[field];
    if (value !== undefined) headers[CLIENT_HEADERS[field]] = value;
  }
  if (!(rule.overwrite && request.overwrite)) headers['x-oss-forbid-overwrite'] = 'true';
  for (const [name, value] of Object.entries(request.metadata)) headers[`x-oss-meta-${name}`] = value;
  Object.assign(headers, rule.headers);
  if (rule.keepFilename && request.filename !== undefined) {
    const type = rule.headers['Content-Disposition'] ?? 'attachment';
    headers['Content-Disposition'] = dispositionWithName(type.toLowerCase(), request.filename);
  }
  return headers;
}
