import { describe, expect, it } from 'vitest';
import { unauthenticated } from '../../src/auth/unauthenticated.ts';
import { refusalOf, unauthenticatedRefusal } from './refusal.ts';

describe('unauthenticated', () => {
  it('keeps its description within what RFC 6750 allows, whatever the detail holds', async () => {
    const detail = 'aud has to hold "a\\b" or üpløads\r\nX-Evil: 1.';

    expect(
      await refusalOf(() => {
        throw unauthenticated(detail, 'invalid_token');
      }),
    ).toStrictEqual(
      unauthenticatedRefusal(detail, 'invalid_token', 'aud has to hold ?a?b? or ?pl?ads??X-Evil: 1.'),
    );
  });

  it('carries its cause for the log, apart from what the client sees', () => {
    const cause = new Error('inner');

    expect(unauthenticated('No.', 'invalid_token', cause).cause).toBe(cause);
  });
});
