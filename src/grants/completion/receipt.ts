import { SignJWT } from 'jose';
import type { Rule } from '../../policy/policy.ts';
import type { StoredObject } from '../../storage/object-storage.ts';
import type { ServiceKey } from '../ports/service-keys.ts';
import type { GrantedUpload } from '../upload-id.ts';

/** The `typ` of receipts, so that no service takes one for an access token (RFC 8725 3.11). */
export const RECEIPT_TYPE = 'upload-receipt+jwt';

export type ReceiptInput = {
  readonly granted: GrantedUpload;
  /** The rule of the upload. */
  readonly rule: Pick<Rule, 'receiptAudience' | 'receiptExpiresInSeconds'>;
  readonly stored: StoredObject;
  readonly publicUrl: string;
  readonly issuedAt: Date;
};

/**
 * Signs a receipt (RFC 7519, ES256): the statement of this service that it has seen the object of
 * this upload in the bucket, as granted. `sub` and `caller_issuer` are those of the uploader.
 */
export function signReceipt(
  { kid, receiptKey }: Pick<ServiceKey, 'kid' | 'receiptKey'>,
  { granted, rule, stored, publicUrl, issuedAt }: ReceiptInput,
): Promise<string> {
  const issuedAtSeconds = Math.floor(issuedAt.getTime() / 1000);
  return new SignJWT({
    iss: publicUrl,
    aud: rule.receiptAudience ?? publicUrl,
    sub: granted.caller.subject,
    caller_issuer: granted.caller.issuer,
    rule: granted.rule,
    target: granted.target,
    bucket: granted.bucket,
    key: granted.key,
    content_length: stored.contentLength,
    content_type: granted.contentType,
    etag: stored.etag,
    ...(stored.crc64 !== undefined && { crc64: stored.crc64 }),
    ...(stored.versionId !== undefined && { version_id: stored.versionId }),
    iat: issuedAtSeconds,
    exp: issuedAtSeconds + rule.receiptExpiresInSeconds,
    jti: granted.grantId,
  })
    .setProtectedHeader({ alg: 'ES256', typ: RECEIPT_TYPE, kid })
    .sign(receiptKey);
}
