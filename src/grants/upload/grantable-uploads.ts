import { CLIENT_HEADER_FIELDS } from '../../policy/client-headers.ts';
import type { Policy, Rule } from '../../policy/policy.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import type { GrantableUploads } from '../../storage/object-storage.ts';
import { type PreparedStorage, uploadsOf } from '../prepared-storage.ts';
import { objectUpload } from './object-upload.ts';

/**
 * Lists the uploads that each rule of a policy can grant, for the cloud settings that must allow
 * them.
 */
export function grantableUploads({ rules }: Policy, storage: PreparedStorage): readonly GrantableUploads[] {
  return rules.map((rule) => ({
    bucket: rule.target.bucket,
    region: rule.target.region,
    prefixPattern: rule.prefix.parts.map((part) => ('claim' in part ? '*' : part.literal)).join(''),
    headers: possibleHeaders(rule, storage),
  }));
}

/** Returns the headers of a request that uses everything that the rule allows. */
function possibleHeaders(rule: Rule, storage: PreparedStorage): readonly string[] {
  const fields = CLIENT_HEADER_FIELDS.filter((field) => rule.clientHeaders.includes(field));
  const request: UploadRequest = {
    transfer: 'put',
    contentType: 'a/b',
    contentMd5: 'x',
    ...Object.fromEntries(fields.map((field) => [field, 'x'])),
    metadata: Object.fromEntries(rule.metadata.allowed.map((name) => [name, 'x'])),
    overwrite: false,
  };
  const headers = uploadsOf(storage, rule).headers(objectUpload(rule, request, 'x'));
  return Object.keys(headers).map((name) => name.toLowerCase());
}
