import { describe, expect, it } from 'vitest';
import { storageFailure } from '../../src/grants/storage-failure.ts';
import { PROBLEMS } from '../../src/http/plugins/problem-json.ts';
import { STORAGE_FAILURES, StorageError } from '../../src/storage/storage-error.ts';

describe.each(STORAGE_FAILURES)('a failure of the kind %s', (kind) => {
  const cause = new StorageError(kind, 'the bucket media failed', {
    status: 403,
    code: 'AccessDenied',
    ec: '0003-00000301',
    requestId: '51524FBF3C5D68394A371BEC',
  });
  const error = storageFailure(cause);

  it('has the status that states whether a later try can succeed', () => {
    const isTemporary = kind === 'busy' || kind === 'unreachable';
    expect(PROBLEMS[error.code].status).toBe(isTemporary ? 503 : 502);
    expect(error.code).toBe(isTemporary ? 'unavailable' : 'storage_error');
    expect(error.headers).toStrictEqual(
      isTemporary ? { 'Retry-After': expect.stringMatching(/^[1-9]$/) } : {},
    );
  });

  it('logs what the storage stated, and does not send it', () => {
    expect(error.cause).toBe(cause);
    expect(error.logFields).toStrictEqual({
      storageFailure: kind,
      storageStatus: '403',
      storageCode: 'AccessDenied',
      storageEc: '0003-00000301',
      storageRequestId: '51524FBF3C5D68394A371BEC',
    });
    expect(error.detail).not.toMatch(/media|AccessDenied|0003|51524/);
  });
});

it('logs only the kind if there was no response', () => {
  const error = storageFailure(new StorageError('unreachable', 'oss.example did not respond in time'));
  expect(error.logFields).toStrictEqual({ storageFailure: 'unreachable' });
});
