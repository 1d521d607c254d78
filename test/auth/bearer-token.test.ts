import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bearerToken } from '../../src/auth/bearer-token.ts';
import type { ServiceError } from '../../src/errors.ts';
import { rejectionOf, unauthenticatedRejection } from './rejection.ts';

const WRONG_SCHEME = 'The Authorization header must use the scheme Bearer.';
const NO_TOKEN = 'The Authorization header has no token after Bearer.';
const SEVERAL = 'The Authorization header has more than one token.';

describe('bearerToken', () => {
  it.each([
    ['Bearer a.b.c', 'a.b.c'],
    ['bearer a.b.c', 'a.b.c'],
    ['BEARER a.b.c', 'a.b.c'],
    ['Bearer   a.b.c', 'a.b.c'],
    ['Bearer AZaz09-._~+/==', 'AZaz09-._~+/=='],
    ['Bearer a.b.c,d.e.f', 'a.b.c,d.e.f'],
    ['Bearer a.b.c\t', 'a.b.c\t'],
    ['bearer "a.b.c"', '"a.b.c"'],
    ['Bearer =', '='],
    ['Bearer аbc', 'аbc'],
  ])('returns the token of %j as sent', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });

  it('rejects a missing header without an error code', async () => {
    expect(await rejectionOf(() => bearerToken(undefined))).toStrictEqual(
      unauthenticatedRejection('Send a token in the header Authorization: Bearer <token>.'),
    );
  });

  it.each([
    ['', WRONG_SCHEME, 'invalid_request'],
    ['a.b.c', WRONG_SCHEME, 'invalid_request'],
    ['Basic YWxpY2U6c2VjcmV0', WRONG_SCHEME, 'invalid_request'],
    ['DPoP a.b.c', WRONG_SCHEME, 'invalid_request'],
    ['Bearer: a.b.c', WRONG_SCHEME, 'invalid_request'],
    ['Bearer\ta.b.c', WRONG_SCHEME, 'invalid_request'],
    ['Bearera.b.c', WRONG_SCHEME, 'invalid_request'],
    ['Bearer', NO_TOKEN, 'invalid_request'],
    ['Bearer  ', NO_TOKEN, 'invalid_request'],
    ['Bearer a.b.c d.e.f', SEVERAL, 'invalid_request'],
    ['Bearer a.b.c, Bearer d.e.f', SEVERAL, 'invalid_request'],
  ] as const)('rejects %j', async (header, detail, error) => {
    expect(await rejectionOf(() => bearerToken(header))).toStrictEqual(
      unauthenticatedRejection(detail, error),
    );
  });

  it('reads a header the same with one space and with several', () => {
    const character = fc.constantFrom(...'aZ09-._~+/== ,"\té');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 12 }), (credentials) => {
        const outcomeOf = (header: string) => {
          try {
            return bearerToken(header);
          } catch (error) {
            return (error as ServiceError).detail;
          }
        };
        expect(outcomeOf(`Bearer ${credentials}`)).toBe(outcomeOf(`Bearer  ${credentials}`));
      }),
      { numRuns: 2_000 },
    );
  });
});
