import { describe, expect, it } from 'vitest';
import { unauthenticated } from '../../src/auth/unauthenticated.ts';
import { rejectionOf, unauthenticatedRejection } from './rejection.ts';

describe('unauthenticated', () => {
  it('replaces each character that RFC 6750 does not allow in the description', async () => {
    const detail = 'aud must contain "a\\b" or üpløads\r\nX-Evil: 1.';

    expect(
      await rejectionOf(() => {
        throw unauthenticated(detail, 'invalid_token');
      }),
    ).toStrictEqual(
      unauthenticatedRejection(detail, 'invalid_token', 'aud must contain ?a?b? or ?pl?ads??X-Evil: 1.'),
    );
  });

  it('keeps its log fields out of the response', () => {
    const error = unauthenticated('No.', 'invalid_token', { iss: 'https://login.test' });

    expect([error.logFields, error.headers, error.detail]).toStrictEqual([
      { iss: 'https://login.test' },
      { 'WWW-Authenticate': 'Bearer realm="oss-presign", error="invalid_token", error_description="No."' },
      'No.',
    ]);
  });
});
