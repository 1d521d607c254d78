import type { Rule } from './policy.ts';
import type { Violation } from './rule-violations.ts';

/** A positive decision on one object: the rule that allows the request, and the object's key. */
export type Grant = {
  readonly rule: Rule;
  readonly key: string;
};

/** A negative decision. `rule` is the name of the nearest rule; undefined if no rule is near. */
export type Denial = {
  readonly allowed: false;
  readonly violations: readonly Violation[];
  readonly rule?: string;
};

/** The policy's decision on one object. */
export type Decision<Granted extends Grant = Grant> =
  | { readonly allowed: true; readonly grant: Granted }
  | Denial;
