import type { AccessPolicyGenerator, GrantableUploads } from '../object-storage.ts';

export type RamStatement = {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
};

/** A policy document of Alibaba Cloud RAM, in the form that its console and API accept. */
export type RamPolicy = { readonly Version: '1'; readonly Statement: readonly RamStatement[] };

/**
 * Returns the permissions that the signing credentials need: to write objects under the prefixes of
 * the rules, and to tag them if a rule adds tags. `x-oss-forbid-overwrite` needs no further
 * permission. Resources are unique and sorted.
 *
 * KMS encryption also needs `kms:GenerateDataKey` and `kms:Decrypt` on a key that only the bucket's
 * owner knows. Source: OSS PutObject, permissions; RAM policies for OSS.
 */
export const ramPolicy: AccessPolicyGenerator<RamPolicy> = (uploads) => {
  const tagging = uploads.filter(({ headers }) => headers.includes('x-oss-tagging'));
  const statements = [
    { Effect: 'Allow', Action: ['oss:PutObject'], Resource: resourcesOf(uploads) },
    { Effect: 'Allow', Action: ['oss:PutObjectTagging'], Resource: resourcesOf(tagging) },
  ] as const;
  return { Version: '1', Statement: statements.filter(({ Resource }) => Resource.length > 0) };
};

function resourcesOf(uploads: readonly GrantableUploads[]): readonly string[] {
  const resources = uploads.map(({ bucket, prefixPattern }) => `acs:oss:*:*:${bucket}/${prefixPattern}*`);
  return [...new Set(resources)].sort();
}
