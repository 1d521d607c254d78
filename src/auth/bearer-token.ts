import { unauthenticated } from './unauthenticated.ts';

/** What nearly all clients send before the token. */
const ORDINARY_START = 'Bearer ';

/**
 * The token of an `Authorization: Bearer …` header (RFC 6750 2.1). The scheme's name may be in any case (RFC 9110 11.1);
 * the token is handed on exactly as it came. Which characters it has is for whoever takes it apart: one that is remembered
 * need not be read.
 * @throws ServiceError `unauthenticated`; without an error code when there is no header, as RFC 6750 3.1 says.
 */
export function bearerToken(authorizationHeader: string | undefined): string {
  if (authorizationHeader === undefined) {
    throw unauthenticated('Send a token in the header Authorization: Bearer <token>.');
  }
  const { length } = ORDINARY_START;
  if (
    authorizationHeader.startsWith(ORDINARY_START) &&
    authorizationHeader.length > length &&
    !authorizationHeader.includes(' ', length)
  )
    return authorizationHeader.slice(length);
  const [scheme = '', ...tokens] = authorizationHeader.split(' ').filter((part) => part !== '');
  if (scheme.toLowerCase() !== 'bearer') {
    throw unauthenticated('The Authorization header has to use the scheme Bearer.', 'invalid_request');
  }
  const [token] = tokens;
  if (token === undefined) {
    throw unauthenticated('The Authorization header holds no token after Bearer.', 'invalid_request');
  }
  if (tokens.length > 1) {
    throw unauthenticated('The Authorization header holds more than one token.', 'invalid_request');
  }
  return token;
}
