import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '../../errors.ts';
import { cannotContinueUploads } from '../../grants/cannot-continue.ts';
import type { UploadRequest } from '../../policy/upload-request.ts';

const MAX_LENGTH = 255;
const VISIBLE_ASCII = /^[!-~]+$/;

/**
 * Returns the `Idempotency-Key` of an upload request; undefined without one.
 * @param canContinueUploads whether all replicas derive the same ids.
 * @throws ServiceError `invalid_request` if it is not 1 to 255 visible ASCII characters, or the
 *   request names the key or is for a multipart upload; `unavailable` if another replica would
 *   derive another id.
 */
export function idempotencyKeyOf(
  headers: IncomingHttpHeaders,
  upload: Pick<UploadRequest, 'key' | 'transfer'>,
  canContinueUploads: boolean,
): string | undefined {
  const sent = validKeyOf(headers);
  if (sent === undefined) return undefined;
  requireRepeatable(upload);
  if (!canContinueUploads) throw cannotRepeat();
  return sent;
}

/**
 * Returns the `Idempotency-Key` of a batch, whose items {@link requireRepeatable} checks; undefined
 * without one.
 * @param canContinueUploads whether all replicas derive the same ids.
 * @throws ServiceError `invalid_request` if it is not 1 to 255 visible ASCII characters;
 *   `unavailable` if another replica would derive other ids.
 */
export function idempotencyKeyOfBatch(
  headers: IncomingHttpHeaders,
  canContinueUploads: boolean,
): string | undefined {
  const sent = validKeyOf(headers);
  if (sent !== undefined && !canContinueUploads) throw cannotRepeat();
  return sent;
}

function validKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const sent = headers['idempotency-key'];
  if (sent === undefined) return undefined;
  if (typeof sent !== 'string' || sent.length > MAX_LENGTH || !VISIBLE_ASCII.test(sent)) {
    throw new ServiceError(
      'invalid_request',
      `The header Idempotency-Key must be sent once, with 1 to ${MAX_LENGTH} visible ASCII characters, such as a UUID.`,
    );
  }
  return sent;
}

/**
 * Rejects an upload for which `Idempotency-Key` has no meaning.
 * @throws ServiceError `invalid_request` if it names the key or is for a multipart upload.
 */
export function requireRepeatable({ key, transfer }: Pick<UploadRequest, 'key' | 'transfer'>): void {
  if (key !== undefined) {
    const detail =
      'The header Idempotency-Key needs "filename", for which the service creates the key. With "key", leave the header out.';
    throw new ServiceError('invalid_request', detail, {
      errors: [{ pointer: '/key', code: 'conflict', detail }],
    });
  }
  if (transfer === 'multipart') {
    const detail =
      'The header Idempotency-Key is not for multipart uploads, because each request begins a new one in the bucket. Leave the header out.';
    throw new ServiceError('invalid_request', detail, {
      errors: [{ pointer: '/transfer', code: 'conflict', detail }],
    });
  }
}

function cannotRepeat(): ServiceError {
  return cannotContinueUploads(
    'The service cannot recognize repeated requests at the moment; send the request without the header Idempotency-Key.',
  );
}
