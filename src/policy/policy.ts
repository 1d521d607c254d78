import type { Rule } from './file/policy-schema.ts';
import type { TargetEndpoint } from './file/target-schema.ts';

export type Target = {
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: TargetEndpoint;
};

export type IssuerKeys =
  | { readonly kind: 'jwksUrl'; readonly url: string }
  | { readonly kind: 'jwks'; readonly jwks: { readonly keys: readonly object[] } }
  | { readonly kind: 'discovery' }
  | { readonly kind: 'secret'; readonly secret: Uint8Array };

export type PolicyIssuer = {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly keys: IssuerKeys;
  readonly algorithms: readonly string[];
};

export type PolicyRule = Omit<Rule, 'target'> & { readonly target: Target };

/** A policy that has been checked whole. */
export type Policy = {
  readonly issuers: readonly PolicyIssuer[];
  readonly rules: readonly PolicyRule[];
  /** What is allowed but should be seen by the operator, one sentence each. */
  readonly warnings: readonly string[];
};
