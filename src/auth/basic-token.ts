import { bearerToken } from './bearer-token.ts';
import { MAX_TOKEN_BYTES } from './parse-token.ts';
import { unauthenticated } from './unauthenticated.ts';

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Returns the token of a client that can only send a user and a password: the password of `user`
 * in an `Authorization: Basic …` header (RFC 7617). `Authorization: Bearer …` is accepted too.
 * @throws ServiceError `unauthenticated`; if there is no header, without error code (RFC 6750 3.1).
 */
export function basicOrBearerToken(authorizationHeader: string | undefined, user: string): string {
  if (authorizationHeader === undefined) {
    throw unauthenticated(`Send a token as the password of the user ${user}.`);
  }
  const [scheme = '', ...credentials] = authorizationHeader.split(' ').filter((part) => part !== '');
  if (scheme.toLowerCase() !== 'basic') return bearerToken(authorizationHeader);
  const [encoded = ''] = credentials;
  // Checked before anything is decoded: 4 characters are 3 bytes.
  const maxLength = Math.ceil((user.length + 1 + MAX_TOKEN_BYTES) / 3) * 4;
  const isBase64 = credentials.length === 1 && encoded.length <= maxLength && BASE64.test(encoded);
  if (!isBase64) {
    throw unauthenticated('The Authorization header has no base64 after Basic.', 'invalid_request');
  }
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (pair.slice(0, Math.max(colon, 0)) !== user) {
    throw unauthenticated(`The user must be ${user}, with a token as password.`, 'invalid_request');
  }
  const token = pair.slice(colon + 1);
  if (token === '') throw unauthenticated('The password is empty; it must be a token.', 'invalid_request');
  return token;
}
