import { ServiceError } from '../errors.ts';

const CHALLENGE = 'Bearer realm="oss-presign"';

/** What RFC 6750 3 allows within error_description: printable ASCII without the quote and the backslash. */
const NOT_ALLOWED_IN_DESCRIPTION = /[^\x20-\x21\x23-\x5b\x5d-\x7e]/g;

/**
 * Creates the 401 of a request without a valid token, with its `WWW-Authenticate` header.
 *
 * @param detail one plain sentence that says what to change. It reaches the client, so it never holds anything from the token
 *   except the times that it names.
 * @param error the code of RFC 6750 3.1; left out when the request held no authentication at all.
 * @param logFields goes to the log only.
 */
export function unauthenticated(
  detail: string,
  error?: 'invalid_request' | 'invalid_token',
  logFields?: Readonly<Record<string, string>>,
): ServiceError {
  const description = detail.replace(NOT_ALLOWED_IN_DESCRIPTION, '?');
  const challenge = error ? `${CHALLENGE}, error="${error}", error_description="${description}"` : CHALLENGE;
  return new ServiceError('unauthenticated', detail, {
    headers: { 'WWW-Authenticate': challenge },
    ...(logFields && { logFields }),
  });
}
