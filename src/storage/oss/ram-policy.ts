import type { Policy, Rule } from '../../policy/policy.ts';

export type RamStatement = {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
};

/** A policy document of Alibaba Cloud RAM, as its console and API take it. */
export type RamPolicy = { readonly Version: '1'; readonly Statement: readonly RamStatement[] };

/**
 * The least that the signing credentials need: writing objects under the prefixes of the rules, where `{claim}` is `*`; and
 * tagging them where a rule adds tags. `x-oss-forbid-overwrite` needs nothing more. Resources stand once each, sorted.
 *
 * KMS encryption needs `kms:GenerateDataKey` and `kms:Decrypt` as well; on which key, only the bucket's owner knows.
 * Source: OSS PutObject, permissions; RAM policies for OSS.
 */
export function ramPolicy({ rules }: Policy): RamPolicy {
  const tagging = rules.filter(addsTags);
  return {
    Version: '1',
    Statement: [
      { Effect: 'Allow', Action: ['oss:PutObject'], Resource: resourcesOf(rules) },
      ...(tagging.length === 0
        ? []
        : [{ Effect: 'Allow', Action: ['oss:PutObjectTagging'], Resource: resourcesOf(tagging) } as const]),
    ],
  };
}

function addsTags({ headers }: Rule): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'x-oss-tagging');
}

function resourcesOf(rules: readonly Rule[]): readonly string[] {
  const resources = rules.map(({ target, prefix }) => {
    const pattern = prefix.parts.map((part) => ('claim' in part ? '*' : part.literal)).join('');
    return `acs:oss:*:*:${target.bucket}/${pattern}*`;
  });
  return [...new Set(resources)].sort();
}
