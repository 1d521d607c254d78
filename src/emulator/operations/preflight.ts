import type { ServerResponse } from 'node:http';
import { preflightHeaders } from '../cors.ts';
import type { EmulatorBucket } from '../options.ts';
import { OssError } from '../oss-error.ts';

/**
 * OptionObject, the preflight of a browser: sends what the bucket's CORS rules allow. It needs no
 * signature.
 * @throws OssError if a header of the preflight is missing, or no rule allows the request.
 */
export function sendPreflight(
  response: ServerResponse,
  bucket: EmulatorBucket | undefined,
  headers: ReadonlyMap<string, string>,
): void {
  const origin = headers.get('origin');
  const method = headers.get('access-control-request-method');
  if (origin === undefined) throw new OssError('preflightOriginMissing');
  if (method === undefined) throw new OssError('preflightMethodMissing');
  const requested = headers.get('access-control-request-headers') ?? '';
  const allowed = preflightHeaders(bucket?.corsRules ?? [], origin, method, requested);
  response.setHeader('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
  if (allowed === null) throw new OssError('accessForbidden');
  response.writeHead(200, { ...allowed, 'Content-Length': 0 }).end();
}
