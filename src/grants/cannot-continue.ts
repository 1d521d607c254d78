import { ServiceError } from '../errors.ts';

/**
 * Rejects a request that needs service keys which all replicas share (`SERVICE_KEYS_FILE`).
 * @param detail what the client can do instead.
 */
export function cannotContinueUploads(detail: string): ServiceError {
  return new ServiceError('unavailable', detail, {
    headers: { 'Retry-After': '60' },
    logFields: {
      reason: 'REDIS_URL is set without SERVICE_KEYS_FILE, so replicas cannot open the ids of others',
    },
  });
}
