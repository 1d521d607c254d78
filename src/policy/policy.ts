import type { IssuerConfig } from '../auth/issuer.ts';
import type { Endpoint } from '../storage/oss/endpoint.ts';
import type { Action, Transfer } from './actions.ts';
import type { ClaimReference } from './claim-reference.ts';
import type { ClientHeader } from './client-headers.ts';
import type { PrefixTemplate } from './prefix-template.ts';

/** A policy that has been checked as a whole. */
export type Policy = {
  readonly issuers: readonly IssuerConfig[];
  /** Tried in this order. */
  readonly rules: readonly Rule[];
  /** Likely mistakes of the operator that the policy file may contain, one sentence each. */
  readonly warnings: readonly string[];
};

/**
 * A rule allows some callers to do something with some objects below a prefix of a bucket. The
 * fields about uploads mean something only if `actions` has `upload`; otherwise they allow nothing.
 */
export type Rule = {
  readonly name: string;
  /** At least one. */
  readonly actions: readonly Action[];
  readonly who: CallerConditions;
  readonly target: Target;
  readonly prefix: PrefixTemplate;
  /** Whether the client or the server chooses the object key. */
  readonly naming: 'client' | 'server' | 'either';
  /** Whether Content-Disposition has the file name that the client sent. */
  readonly keepFilename: boolean;
  readonly transfers: readonly Transfer[];
  /** Bytes of each part but the last one, unless the request names a size; of multipart uploads. */
  readonly partSize: number;
  /** How long a multipart upload can be continued. */
  readonly uploadExpiresInSeconds: number;
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
  /** The headers that are signed for every request: those of the rule, and the defaults. */
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes of the rule's own `x-oss-meta-*` headers, as OSS counts them towards its limit. */
  readonly metadataBytes: number;
  /** Whether downloads may ask to be shown in the browser. */
  readonly inline: boolean;
  /** Whether uploads have an id, and a receipt once they are stored. */
  readonly receipts: boolean;
  /** The `aud` of receipts; undefined for the service's own address. */
  readonly receiptAudience: string | undefined;
  readonly receiptExpiresInSeconds: number;
  /** Whether the storage reports a PUT or a form to the service when the object is stored. */
  readonly callback: boolean;
  /** The receiver of notifications about stored uploads, if there is one. */
  readonly notify?: NotificationReceiver | undefined;
  /** For each caller. A missing limit does not apply. */
  readonly limits: {
    readonly requestsPerMinute?: number | undefined;
    readonly bytesPerDay?: number | undefined;
  };
  /** Rules whose prefixes may overlap with this one's without a warning. */
  readonly sharesPrefixWith: readonly string[];
};

/** The backend that is notified when an upload is stored. */
export type NotificationReceiver = {
  readonly url: string;
  /** 1,000 to 10,000. */
  readonly timeoutMs: number;
  /** At least one. Each signs, so that a receiver with any of them verifies. */
  readonly secrets: readonly Uint8Array[];
};

/** A rule applies to a caller that meets every condition that is present. */
export type CallerConditions = {
  readonly issuer?: string | undefined;
  /** The token must have each of these scopes. */
  readonly scope?: readonly string[] | undefined;
  readonly claims?: readonly ClaimCondition[] | undefined;
};

/** One entry of `who.claims`: the claim must be one of these values, or a list with one of them. */
export type ClaimCondition = {
  readonly claim: ClaimReference;
  readonly values: readonly (string | number | boolean)[];
  /**
   * Strings that begin with one of these also match. `eng-*` in the file is `eng-` here. None is
   * empty.
   */
  readonly prefixes: readonly string[];
};

/** A bucket, and the addresses under which clients and the service reach it. */
export type Target = {
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  readonly endpoint: Endpoint;
  /** How the service itself reaches the bucket. */
  readonly serviceEndpoint: Endpoint;
};
