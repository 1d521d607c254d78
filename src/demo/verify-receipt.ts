import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { CompletedUpload } from '../grants/completion/response.ts';

/** Verifies a receipt as the backend of an app does, and returns its claims. */
export async function verifyReceipt(
  serviceUrl: string,
  { receipt }: CompletedUpload,
): Promise<Readonly<Record<string, unknown>>> {
  const keys = createRemoteJWKSet(new URL(`${serviceUrl}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(receipt, keys, {
    issuer: serviceUrl,
    audience: serviceUrl,
    algorithms: ['ES256'],
    typ: 'upload-receipt+jwt',
  });
  return payload;
}
