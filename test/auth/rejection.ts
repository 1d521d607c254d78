import { ServiceError } from '../../src/errors.ts';

export type Rejection = Pick<ServiceError, 'code' | 'detail' | 'errors' | 'headers'>;

/** Returns the ServiceError of the work as a client receives it. Fails if there is none. */
export async function rejectionOf(work: () => unknown): Promise<Rejection> {
  let outcome: unknown;
  try {
    outcome = await work();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const { code, detail, errors, headers } = error;
    return { code, detail, errors, headers };
  }
  throw new Error(`Not rejected: ${JSON.stringify(outcome)}`);
}

/** The rejection with this detail; without an error code, that of a request without a token. */
export function unauthenticatedRejection(
  detail: string,
  error?: 'invalid_request' | 'invalid_token',
  description = detail,
): Rejection {
  const cause = error ? `, error="${error}", error_description="${description}"` : '';
  return {
    code: 'unauthenticated',
    detail,
    errors: undefined,
    headers: { 'WWW-Authenticate': `Bearer realm="oss-presign"${cause}` },
  };
}
