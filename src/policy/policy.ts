import type { IssuerConfig } from '../auth/issuer.ts';
import type { Rule } from './file/policy-schema.ts';
import type { TargetEndpoint } from './file/target-schema.ts';

export type Target = {
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: TargetEndpoint;
};

export type PolicyRule = Omit<Rule, 'target'> & { readonly target: Target };

/** A policy that has been checked whole. */
export type Policy = {
  readonly issuers: readonly IssuerConfig[];
  readonly rules: readonly PolicyRule[];
  /** What is allowed but should be seen by the operator, one sentence each. */
  readonly warnings: readonly string[];
};
