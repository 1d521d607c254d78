import { ramPolicy } from '../../storage/oss/ram-policy.ts';
import { cloudAccess } from '../cloud-access.ts';
import type { Command } from '../command.ts';
import { OUTPUT_OPTION, writeDocument } from '../output-option.ts';
import { POLICY_OPTION, policyOf } from '../policy-option.ts';

/** `oss-presign ram-policy`: the least privilege that the service's credentials need. */
export const ramPolicyCommand: Command = {
  name: 'ram-policy',
  summary: 'print the RAM policy that the signing credentials need',
  description: `Prints the least-privilege RAM policy, as JSON, for the user or role whose credentials sign. It allows writing objects under
the prefixes of the rules with uploads, reading objects under those with downloads or receipts (the service asks OSS for the
object before it signs a receipt), listing and aborting multipart uploads under those that have them, tagging where a rule adds
tags, and nothing else. A {claim} in a prefix becomes "*". Needs no credentials and no network.`,
  options: { policy: POLICY_OPTION, output: OUTPUT_OPTION },
  example: 'oss-presign ram-policy --policy policy.yaml --output ram-policy.json',
  exitCodes: { 0: 'printed or written' },
  run: async (options, context) => {
    const policy = policyOf(options, context);
    writeDocument(`${JSON.stringify(ramPolicy(cloudAccess(policy)), null, 2)}\n`, options, context);
    for (const { name, headers } of policy.rules) {
      const isKms = Object.entries(headers).some(
        ([header, value]) => header.toLowerCase() === 'x-oss-server-side-encryption' && value === 'KMS',
      );
      if (isKms)
        context.write(
          'stderr',
          `note: rule ${name} encrypts with KMS; allow kms:GenerateDataKey and kms:Decrypt on that key as well.\n`,
        );
    }
    return 0;
  },
};
