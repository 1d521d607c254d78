import type { Caller } from '../../auth/caller.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { uuidText } from '../../text/uuid.ts';
import type { Mac } from '../ports/service-keys.ts';

export type IdempotentRequest = {
  readonly caller: Pick<Caller, 'issuer' | 'subject'>;
  /** The name of the rule that grants the request. */
  readonly rule: string;
  /** With the defaults of its fields. */
  readonly request: UploadRequest;
  /** The value of the header `Idempotency-Key`. */
  readonly idempotencyKey: string;
};

/**
 * Returns the grant id of a request that may be sent again: a UUID of version 8 (RFC 9562 5.8). It
 * is the same for the same caller, rule, request and key, and differs if any of them differs. Only
 * a holder of the service key can compute it.
 */
export function idempotentGrantId(
  mac: Mac,
  { caller, rule, request, idempotencyKey }: IdempotentRequest,
): string {
  const text = JSON.stringify([
    caller.issuer,
    caller.subject,
    rule,
    idempotencyKey,
    sortedEntries({ ...request, metadata: sortedEntries(request.metadata) }),
  ]);
  const bytes = Buffer.from(mac(text), 'base64url').subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return uuidText(bytes);
}

/** Lists what is present, so that neither the order nor an undefined field matters. */
function sortedEntries(fields: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
