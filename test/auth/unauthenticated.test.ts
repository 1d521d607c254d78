import { describe, expect, it } from 'vitest';
import { unauthenticated } from '../../src/auth/unauthenticated.ts';
import { rejectionOf, unauthenticatedRejection } from './rejection.ts';

describe('unauthenticated', () => {
  it('keeps its description within what RFC 6750 allows, whatever the detail holds', async () => {
    const detail = 'aud has to hold "a\\b" or üpløads\r\nX-Evil: 1.';

    expect(
      await rejectionOf(() => {
        throw unauthenticated(detail, 'invalid_token');
      }),
    ).toStrictEqual(
      unauthenticatedRejection(detail, 'invalid_token', 'aud has to hold ?a?b? or ?pl?ads??X-Evil: 1.'),
    );
  });

  it('carries its log fields apart from what the client sees', () => {
    const error = unauthenticated('No.', 'invalid_token', { iss: 'https://login.test' });

    expect([error.logFields, error.headers, error.detail]).toStrictEqual([
      { iss: 'https://login.test' },
      { 'WWW-Authenticate': 'Bearer realm="oss-presign", error="invalid_token", error_description="No."' },
      'No.',
    ]);
  });
});
