import { ServiceError } from '../../src/errors.ts';

export type Rejection = Pick<ServiceError, 'code' | 'detail' | 'errors' | 'headers'>;

/** The refusal that work ended in, with all that a client would see of it. Fails where it ended well or otherwise. */
export async function rejectionOf(work: () => unknown): Promise<Rejection> {
  let outcome: unknown;
  try {
    outcome = await work();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const { code, detail, errors, headers } = error;
    return { code, detail, errors, headers };
  }
  throw new Error(`Not refused: ${JSON.stringify(outcome)}`);
}

/** What a client sees of a refusal with this detail; without an error code, of one for lack of any token. */
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
