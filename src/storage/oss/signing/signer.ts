import { canonicalQuery } from './canonical-request.ts';
import { KeptValues } from './kept-values.ts';
import { type Scope, scopeText } from './signature.ts';
import { SigningKey } from './signing-key.ts';

/** Id, secret and token of one answer of their source: a mix does not verify. */
export type SigningCredentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** With temporary credentials (STS) only. */
  readonly securityToken?: string;
};

/** What all URLs share that the same credentials sign in the same scope. */
export type Signer = {
  readonly key: SigningKey;
  /** `x-oss-credential` as it stands in the query, encoded. */
  readonly credentialParameter: string;
  /** `&x-oss-security-token` as it stands in the query; empty for credentials that have no token. */
  readonly tokenParameter: string;
};

type KeptSigner = Signer & { readonly madeOf: SigningCredentials & Scope };

/** There is room for more regions than OSS has. */
const kept = new KeptValues<KeptSigner>(64);

/**
 * The signer of these credentials in this scope. The last of each region is kept, since four HMACs and the encoding of a
 * token take many times as long as a signature; other credentials, another day or product get another.
 */
export function signerOf(credentials: SigningCredentials, scope: Scope): Signer {
  const known = kept.get(scope.region);
  if (known && isMadeOf(known, credentials, scope)) return known;
  const { accessKeyId, accessKeySecret, securityToken } = credentials;
  return kept.keep(scope.region, {
    key: new SigningKey(accessKeySecret, scope),
    credentialParameter: canonicalQuery({ 'x-oss-credential': `${accessKeyId}/${scopeText(scope)}` }),
    tokenParameter:
      securityToken === undefined ? '' : `&${canonicalQuery({ 'x-oss-security-token': securityToken })}`,
    madeOf: { accessKeyId, accessKeySecret, ...(securityToken !== undefined && { securityToken }), ...scope },
  });
}

function isMadeOf({ madeOf }: KeptSigner, credentials: SigningCredentials, scope: Scope): boolean {
  return (
    madeOf.accessKeyId === credentials.accessKeyId &&
    madeOf.accessKeySecret === credentials.accessKeySecret &&
    madeOf.securityToken === credentials.securityToken &&
    madeOf.date === scope.date &&
    madeOf.region === scope.region &&
    madeOf.product === scope.product
  );
}
