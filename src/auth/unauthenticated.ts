import { ServiceError } from '../errors.ts';

const CHALLENGE = 'Bearer realm="oss-presign"';

/** RFC 6750 3 allows printable ASCII in `error_description`, except the quote and the backslash. */
const NOT_ALLOWED_IN_DESCRIPTION = /[^\x20-\x21\x23-\x5b\x5d-\x7e]/g;

/**
 * Creates the error of a request without a valid token: a 401 with its `WWW-Authenticate` header.
 *
 * @param detail one plain sentence that explains what to change. The client receives it, so it
 *   contains nothing from the token except times.
 * @param error the code of RFC 6750 3.1; omitted if the request has no authentication at all.
 * @param logFields written to the log only.
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
