/** One frozen value: id, secret and token always come from one answer of their source. */
export type Credentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Present with temporary credentials (STS). */
  readonly securityToken?: string;
  /** When the credentials end; absent when they do not, or when nobody knows. */
  readonly expiresAt?: Date;
};

/**
 * Where the cloud credentials come from.
 *
 * `get` answers with credentials that are valid now, or rejects; it never answers with a mix of two values. It is called
 * once per signature, so an implementation caches. `describe` says for `/readyz` whether `get` would succeed, without
 * any of the secrets; `expiresAt` says when the present ones end, undefined where they do not or where nobody knows. Neither throws or
 * starts any network.
 */
export type CredentialsSource = {
  get(): Promise<Credentials>;
  describe(): { readonly ok: boolean; readonly detail: string };
  expiresAt(): Date | undefined;
};
