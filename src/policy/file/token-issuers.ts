/**
 * The one issuer that may stand for several: Microsoft Entra ID publishes it for all of its tenants, and in their tokens the tenant's
 * ID is in place of `{tenantid}`. The same constant as in src/auth, from which types alone may be imported here.
 */
export const MULTI_TENANT_ISSUER = 'https://login.microsoftonline.com/{tenantid}/v2.0';

/** Every value of `iss` that belongs to one entry of `issuers`, which may be of any shape. */
export function tokenIssuers({ issuer, tenants }: Readonly<Record<string, unknown>>): readonly string[] {
  if (typeof issuer !== 'string') return [];
  if (issuer !== MULTI_TENANT_ISSUER || !Array.isArray(tenants)) return [issuer];
  return tenants.map((tenant) => issuer.replace('{tenantid}', String(tenant).toLowerCase()));
}
