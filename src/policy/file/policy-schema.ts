import { z } from 'zod';
import { targetSchema } from '../../storage/oss/target-schema.ts';
import { issuerSchema } from './issuer-schema.ts';
import { ruleSchema } from './rule-schema.ts';
import { name } from './schema-parts.ts';

/** The shape of the policy file. `parse-policy.ts` checks the references between its parts. */
export const policySchema = z.strictObject({
  issuers: z
    .array(issuerSchema)
    .min(1, 'must name at least one issuer: without one, no token is accepted')
    .meta({ description: 'The issuers whose tokens are accepted.' }),
  targets: z
    .record(name, targetSchema)
    .refine((targets) => Object.keys(targets).length > 0, 'must name at least one target')
    .meta({ description: 'The buckets, each under a name that rules use.' }),
  rules: z
    .array(ruleSchema)
    .min(1, 'must hold at least one rule: without one, every request is denied')
    .meta({
      description:
        'The uploads that callers may make. The first rule that allows the whole request grants it.',
    }),
});

export type PolicyFile = z.output<typeof policySchema>;
export type IssuerEntry = PolicyFile['issuers'][number];
export type RuleEntry = PolicyFile['rules'][number];
