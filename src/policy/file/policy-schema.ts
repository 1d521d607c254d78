import { z } from 'zod';
import { targetSchema } from '../../storage/oss/target-schema.ts';
import { issuerSchema } from './issuer-schema.ts';
import { ruleSchema } from './rule-schema.ts';
import { name } from './schema-parts.ts';

/** The policy file's shape. References between its parts are checked by `parse-policy.ts`. */
export const policySchema = z.strictObject({
  issuers: z.array(issuerSchema).min(1, 'must name at least one issuer: without one, nobody can be let in'),
  targets: z
    .record(name, targetSchema)
    .refine((targets) => Object.keys(targets).length > 0, 'must name at least one target'),
  rules: z.array(ruleSchema).min(1, 'must hold at least one rule: without one, everything is refused'),
});

export type PolicyFile = z.output<typeof policySchema>;
export type IssuerEntry = PolicyFile['issuers'][number];
export type RuleEntry = PolicyFile['rules'][number];
