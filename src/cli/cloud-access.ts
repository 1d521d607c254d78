import { type PreparedStorage, prepareStorage, uploadsOf } from '../grants/prepared-storage.ts';
import { objectUpload } from '../grants/upload/object-upload.ts';
import { CLIENT_HEADER_FIELDS } from '../policy/client-headers.ts';
import type { Policy, Rule } from '../policy/policy.ts';
import type { UploadRequest } from '../policy/upload-request.ts';
import type { PrefixAccess } from '../storage/object-storage.ts';
import { prepareBucket } from '../storage/oss/bucket.ts';

/**
 * Lists what each rule of a policy can grant, for the cloud settings that must allow it. A rule
 * that only confirms grants nothing: the uploads that it confirms are those of another rule.
 */
export function cloudAccess(policy: Policy): readonly PrefixAccess[] {
  const storage = prepareStorage(policy, prepareBucket);
  return policy.rules
    .filter(({ actions }) => actions.includes('upload') || actions.includes('download'))
    .map((rule) => accessOf(rule, storage));
}

function accessOf(rule: Rule, storage: PreparedStorage): PrefixAccess {
  const parts = rule.prefix.parts;
  const firstClaim = parts.findIndex((part) => 'claim' in part);
  const literals = firstClaim === -1 ? parts : parts.slice(0, firstClaim);
  const isUpload = rule.actions.includes('upload');
  return {
    bucket: rule.target.bucket,
    region: rule.target.region,
    prefixPattern: parts.map((part) => ('claim' in part ? '*' : part.literal)).join(''),
    literalPrefix: literals.map((part) => ('claim' in part ? '' : part.literal)).join(''),
    methods: methodsOf(rule),
    headers: headersOf(rule, storage),
    isChecked: isUpload && rule.receipts,
    isTagged: isUpload && Object.keys(rule.headers).some((name) => name.toLowerCase() === 'x-oss-tagging'),
    ...(isUpload &&
      rule.transfers.includes('multipart') && {
        multipart: { expiresInSeconds: rule.uploadExpiresInSeconds },
      }),
  };
}

function methodsOf({ actions, transfers }: Rule): PrefixAccess['methods'] {
  const methods: PrefixAccess['methods'][number][] = [];
  // Parts are sent by PUT. The service itself makes the other calls of a multipart upload.
  if (actions.includes('upload') && (transfers.includes('put') || transfers.includes('multipart')))
    methods.push('PUT');
  if (actions.includes('upload') && transfers.includes('form')) methods.push('POST');
  if (actions.includes('download')) methods.push('GET');
  return methods;
}

/** Returns each header that a client can be asked to send. */
function headersOf(rule: Rule, storage: PreparedStorage): readonly string[] {
  if (!rule.actions.includes('upload')) return [];
  if (rule.transfers.includes('put')) return possibleHeaders(rule, storage);
  return rule.transfers.includes('multipart') ? ['content-md5'] : [];
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
    ...(rule.naming === 'server' ? { filename: 'x' } : { key: 'x' }),
  };
  const upload = objectUpload(rule, request, { key: 'x', grantId: 'x' });
  const headers = uploadsOf(storage, rule).headers(upload);
  return Object.keys(headers).map((name) => name.toLowerCase());
}
