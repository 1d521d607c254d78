import type { Clock } from '../../clock.ts';
import type { ServiceError } from '../../errors.ts';
import type { Rule } from '../../policy/policy.ts';
import type { ServiceKeysSource } from '../ports/service-keys.ts';
import { clientOf, type PreparedStorage, uploadsOf } from '../prepared-storage.ts';
import { rejectionByStorage } from '../storage-failure.ts';
import type { GrantedUpload } from '../upload-id.ts';
import { checkObject } from './check-object.ts';
import { completeParts, type PartsCompletion } from './complete-parts.ts';
import { signReceipt } from './receipt.ts';
import { type CompletedUpload, describeCompleted } from './response.ts';

export type ConfirmUploadDependencies = {
  readonly serviceKeys: ServiceKeysSource;
  /** The issuer of receipts. */
  readonly publicUrl: string;
  readonly clock: Clock;
};

/** An upload whose id was accepted. */
export type ConfirmUploadInput = {
  readonly granted: GrantedUpload;
  /** The rule of the upload. */
  readonly rule: Rule;
  readonly storage: PreparedStorage;
  /** The CRC-64 of the bytes that the client sent, if it states one. */
  readonly crc64?: string | undefined;
  /** The check ends by then, at the latest; by default 72 s after it began. */
  readonly deadline?: Date | undefined;
};

type Stored = Extract<PartsCompletion, { readonly outcome: 'stored' }>;

/** The result of {@link confirmUpload}; with the response that has the receipt, if stored. */
export type Confirmation =
  | Exclude<PartsCompletion, Stored>
  | (Stored & { readonly response: CompletedUpload })
  /** The storage or the source of the credentials prevents the check. */
  | { readonly outcome: 'error'; readonly error: ServiceError };

/**
 * Assembles the parts of a multipart upload, compares the object in the bucket with the grant, and
 * signs the receipt if it is stored as granted. A failure of the storage is a value too.
 */
export async function confirmUpload(
  { serviceKeys, publicUrl, clock }: ConfirmUploadDependencies,
  input: ConfirmUploadInput,
): Promise<Confirmation> {
  const { granted, rule } = input;
  let check: PartsCompletion;
  try {
    check = await checkStorage(clock, input);
  } catch (error) {
    return { outcome: 'error', error: rejectionByStorage(error) };
  }
  if (check.outcome !== 'stored') return check;
  const { stored } = check;
  // The keys of this moment, because the calls may have taken a minute: a receipt of a key that was
  // removed in the meantime would not verify.
  const receipt = await signReceipt(serviceKeys.current().signing, {
    granted,
    rule,
    stored,
    publicUrl,
    issuedAt: clock(),
  });
  return { ...check, response: describeCompleted(granted, stored, receipt) };
}

/** @throws StorageError, ServiceError, or what the source of the credentials rejects with. */
function checkStorage(
  clock: Clock,
  { granted, rule, storage, crc64, deadline }: ConfirmUploadInput,
): Promise<PartsCompletion> {
  const { multipart } = granted;
  const client = clientOf(storage, rule.target);
  if (!multipart) return checkObject(client, granted, crc64, deadline);
  // A rule can stop to allow that objects are replaced after the upload was granted.
  const headers = uploadsOf(storage, rule).completeHeaders(multipart.overwrite && rule.overwrite);
  return completeParts({ client, granted: { ...granted, multipart }, headers, crc64, clock, deadline });
}
