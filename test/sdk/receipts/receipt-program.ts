/** A receipt to verify, as a backend does. */
export type ReceiptJob = {
  /** The address of the published keys. */
  readonly jwks: string;
  readonly issuer: string;
  readonly audience: string;
  readonly receipt: string;
};

export type ReceiptResult =
  | { readonly claims: Readonly<Record<string, unknown>> }
  /** The reason of the library. */
  | { readonly rejected: string };
