import type { AccessPolicyGenerator, PrefixAccess } from '../object-storage.ts';

export type RamStatement = {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
};

/** A policy document of Alibaba Cloud RAM, in the form that its console and API accept. */
export type RamPolicy = { readonly Version: '1'; readonly Statement: readonly RamStatement[] };

/**
 * Returns the permissions that the credentials of the service need: to write objects under the
 * prefixes of the rules, to tag them if a rule adds tags, to read them where a rule has downloads
 * or receipts (a HEAD needs `oss:GetObject` too), and to list and abort multipart uploads where a
 * rule has them. `x-oss-forbid-overwrite` needs no further permission, nor do the calls that begin
 * and complete a multipart upload. Resources are unique and sorted.
 *
 * KMS encryption also needs `kms:GenerateDataKey` and `kms:Decrypt` on a key that only the bucket's
 * owner knows. Source: OSS PutObject, PostObject, HeadObject and the calls of multipart uploads,
 * permissions; RAM policies for OSS.
 */
export const ramPolicy: AccessPolicyGenerator<RamPolicy> = (access) => {
  const uploads = access.filter(({ methods }) => methods.includes('PUT') || methods.includes('POST'));
  const read = access.filter(({ methods, isChecked }) => isChecked || methods.includes('GET'));
  const tagging = access.filter(({ isTagged }) => isTagged);
  const multipart = access.filter((one) => one.multipart !== undefined);
  const statements = [
    { Effect: 'Allow', Action: ['oss:PutObject'], Resource: resourcesOf(uploads) },
    { Effect: 'Allow', Action: ['oss:GetObject'], Resource: resourcesOf(read) },
    { Effect: 'Allow', Action: ['oss:PutObjectTagging'], Resource: resourcesOf(tagging) },
    {
      Effect: 'Allow',
      Action: ['oss:ListParts', 'oss:AbortMultipartUpload'],
      Resource: resourcesOf(multipart),
    },
  ] as const;
  return { Version: '1', Statement: statements.filter(({ Resource }) => Resource.length > 0) };
};

function resourcesOf(access: readonly PrefixAccess[]): readonly string[] {
  const resources = access.map(({ bucket, prefixPattern }) => `acs:oss:*:*:${bucket}/${prefixPattern}*`);
  return [...new Set(resources)].sort();
}
