import { MULTI_TENANT_ISSUER, TENANT_PLACEHOLDER } from '../../auth/issuer.ts';

/**
 * Returns every value of `iss` that belongs to one entry of `issuers`. The entry may be of any
 * shape.
 */
export function tokenIssuers({ issuer, tenants }: Readonly<Record<string, unknown>>): readonly string[] {
  if (typeof issuer !== 'string') return [];
  if (issuer !== MULTI_TENANT_ISSUER || !Array.isArray(tenants)) return [issuer];
  return tenants.map((tenant) => issuer.replace(TENANT_PLACEHOLDER, String(tenant).toLowerCase()));
}
