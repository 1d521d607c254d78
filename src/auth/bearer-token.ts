import { unauthenticated } from './unauthenticated.ts';

/**
 * Returns the token of an `Authorization: Bearer …` header (RFC 6750 2.1), exactly as sent.
 *
 * The name of the scheme may be in any case (RFC 9110 11.1). The characters of the token are not
 * checked here: `parseToken` does that, and a cached token was checked when it was first seen.
 * @throws ServiceError `unauthenticated`; if there is no header, without error code (RFC 6750 3.1).
 */
export function bearerToken(authorizationHeader: string | undefined): string {
  if (authorizationHeader === undefined) {
    throw unauthenticated('Send a token in the header Authorization: Bearer <token>.');
  }
  const [scheme = '', ...tokens] = authorizationHeader.split(' ').filter((part) => part !== '');
  if (scheme.toLowerCase() !== 'bearer') {
    throw unauthenticated('The Authorization header must use the scheme Bearer.', 'invalid_request');
  }
  const [token] = tokens;
  if (token === undefined) {
    throw unauthenticated('The Authorization header has no token after Bearer.', 'invalid_request');
  }
  if (tokens.length > 1) {
    throw unauthenticated('The Authorization header has more than one token.', 'invalid_request');
  }
  return token;
}
