import type { Clock } from '../../clock.ts';
import type { ServiceError } from '../../errors.ts';
import type { Rule } from '../../policy/policy.ts';
import type { NotificationOutcome, Notifier } from '../ports/notifier.ts';
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
  readonly notifier: Notifier;
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
  /** The check and the notification end by then; by default 67 s after the check began. */
  readonly deadline?: Date | undefined;
};

type Stored = Extract<PartsCompletion, { readonly outcome: 'stored' }>;

/** The result of {@link confirmUpload}; with the response that has the receipt, if stored. */
export type Confirmation =
  | Exclude<PartsCompletion, Stored>
  | (Stored & { readonly response: CompletedUpload })
  /** Stored as well, but the receiver of the rule was not notified. */
  | (Omit<Stored, 'outcome'> & {
      readonly outcome: 'not_notified';
      readonly response: CompletedUpload;
      readonly notification: Exclude<NotificationOutcome, 'delivered'>;
    })
  /** The storage or the source of the credentials prevents the check. */
  | { readonly outcome: 'error'; readonly error: ServiceError };

/**
 * Assembles the parts of a multipart upload, compares the object in the bucket with the grant,
 * signs the receipt if it is stored as granted, and notifies the receiver of the rule. A failure of
 * the storage is a value too. It may be called again at any time; each call that finds the object
 * stored notifies.
 */
export async function confirmUpload(
  { serviceKeys, publicUrl, notifier, clock }: ConfirmUploadDependencies,
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
  const response = describeCompleted(granted, stored, receipt);
  if (!rule.notify) return { ...check, response };
  const { grantId, caller } = granted;
  const notification = await notifier.notify(
    {
      id: grantId,
      rule: rule.name,
      receiver: rule.notify,
      type: 'upload.stored',
      data: { id: grantId, rule: rule.name, caller, ...response },
    },
    input.deadline,
  );
  if (notification === 'delivered') return { ...check, response };
  return { ...check, outcome: 'not_notified', response, notification };
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
  return completeParts({
    ...{ client, granted: { ...granted, multipart }, headers, crc64, clock, deadline },
    reservedMs: rule.notify?.timeoutMs ?? 0,
  });
}
