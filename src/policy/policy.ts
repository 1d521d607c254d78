import type { IssuerConfig } from '../auth/issuer.ts';
import type { Endpoint } from '../storage/oss/endpoint.ts';
import type { ClaimReference } from './claim-reference.ts';
import type { ClientHeader } from './client-headers.ts';
import type { PrefixTemplate } from './prefix-template.ts';

/** A policy that has been checked as a whole. */
export type Policy = {
  readonly issuers: readonly IssuerConfig[];
  /** Tried in this order. */
  readonly rules: readonly Rule[];
  /** What is allowed but likely a mistake of the operator, one sentence each. */
  readonly warnings: readonly string[];
};

/** Who may upload what to which prefix of a bucket. */
export type Rule = {
  readonly name: string;
  readonly who: CallerConditions;
  readonly target: Target;
  readonly prefix: PrefixTemplate;
  /** Who chooses the object key. */
  readonly naming: 'client' | 'server' | 'either';
  /** Whether Content-Disposition offers the file under the name that the client sent. */
  readonly keepFilename: boolean;
  /** Media types and ranges in lower case, without parameters. */
  readonly contentTypes: readonly string[];
  /** Bytes; null when unlimited. */
  readonly maxSize: number | null;
  readonly expiresIn: { readonly defaultSeconds: number; readonly maxSeconds: number };
  /** Names in lower case, without `x-oss-meta-`; the required ones are also allowed. */
  readonly metadata: { readonly allowed: readonly string[]; readonly required: readonly string[] };
  readonly overwrite: boolean;
  /** The request fields for headers that clients may set. */
  readonly clientHeaders: readonly ClientHeader[];
  /** The headers that are signed whatever a request asks for: those of the rule, and the defaults. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the rule's own `x-oss-meta-*` headers count towards the limit of OSS, in bytes. */
  readonly metadataBytes: number;
  /** For each caller; a limit that is missing does not apply. */
  readonly limits: {
    readonly requestsPerMinute?: number | undefined;
    readonly bytesPerDay?: number | undefined;
  };
  /** Rules whose prefixes may overlap with this one's without a warning. */
  readonly sharesPrefixWith: readonly string[];
};

/** Whom a rule is for: a caller that meets every condition that is present. */
export type CallerConditions = {
  readonly issuer?: string | undefined;
  /** Each of these scopes. */
  readonly scope?: readonly string[] | undefined;
  readonly claims?: readonly ClaimCondition[] | undefined;
};

/** One entry of `who.claims`: the claim must be, or be a list that holds, one of these. */
export type ClaimCondition = {
  readonly claim: ClaimReference;
  readonly values: readonly (string | number | boolean)[];
  /** Strings with any of these beginnings match as well: `eng-` is written `eng-*`. None is empty. */
  readonly prefixes: readonly string[];
};

/** A bucket, and the address under which clients reach it. */
export type Target = {
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: Endpoint;
};
