import type { IssuerConfig } from '../auth/issuer.ts';
import type { TargetEndpoint } from '../storage/oss/target-schema.ts';
import type { ClaimReference } from './claim-reference.ts';
import type { Rule } from './file/policy-schema.ts';

export type Target = {
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: TargetEndpoint;
};

/** One entry of `who.claims`: the claim must be, or be a list that holds, one of these. */
export type ClaimCondition = {
  readonly claim: ClaimReference;
  readonly values: readonly (string | number | boolean)[];
  /** Strings with any of these beginnings match as well: `eng-` is written `eng-*`. None is empty. */
  readonly prefixes: readonly string[];
};

export type PolicyRule = Omit<Rule, 'target' | 'headers'> & {
  readonly target: Target;
  /** All headers that are signed whatever a request asks for: those of the rule, and the defaults. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the rule's own `x-oss-meta-*` headers count towards the limit of OSS, in bytes. */
  readonly metadataBytes: number;
};

/** A policy that has been checked whole. */
export type Policy = {
  readonly issuers: readonly IssuerConfig[];
  readonly rules: readonly PolicyRule[];
  /** What is allowed but should be seen by the operator, one sentence each. */
  readonly warnings: readonly string[];
};
