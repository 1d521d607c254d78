import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../../errors.ts';
import { countJsonParts } from './json-complexity.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route needs the bytes of the body besides its value. */
    keepsRawBody?: boolean;
  }
  interface FastifyRequest {
    /** The bytes of the body, if the route keeps them. */
    rawBody: Buffer | undefined;
  }
}

/** At most this many bytes of body are read, unless the route has a limit of its own. */
export const MAX_BODY_BYTES = 65_536;

/** The limit of the routes that take long lists. */
export const MAX_LIST_BODY_BYTES = 1_048_576;

/**
 * The most members and list items of a body of more than {@link MAX_BODY_BYTES}. A longer body
 * holds long texts; many small parts would take too long to parse.
 */
const MAX_PARTS = 10_000;

/**
 * Accepts JSON in UTF-8 only. Bytes that are not UTF-8 are rejected, not replaced: a repaired
 * object key would not be the requested one. Objects with `__proto__` or `constructor.prototype`
 * are rejected.
 *
 * A compressed body, and one in another charset, is rejected with 415 before it is read. Register
 * it after authentication: a 401 precedes a 415.
 */
export function registerJsonBody(app: FastifyInstance): void {
  app.decorateRequest('rawBody', undefined);
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', ({ method, headers, routeOptions }, _reply, done) => {
    const isRouted = routeOptions.url !== undefined;
    done(isRouted && method !== 'GET' && method !== 'HEAD' ? contentFault(headers) : undefined);
  });
  acceptJson(app, 'application/json');
}

/** Parses bodies of this media type as JSON, on the routes of this instance and its children. */
export function acceptJson(app: FastifyInstance, mediaType: string): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  app.addContentTypeParser(
    mediaType,
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    (request, body, done) => {
      if (request.routeOptions.config.keepsRawBody) request.rawBody = body as Buffer;
      if (body.length > MAX_BODY_BYTES && countJsonParts(body as Buffer, MAX_PARTS) > MAX_PARTS) {
        const detail = `The body has more than ${MAX_PARTS} fields and list items in all; send fewer.`;
        done(new ServiceError('invalid_request', detail));
        return;
      }
      let text: string;
      try {
        text = decoder.decode(body as Buffer);
      } catch (cause) {
        done(new ServiceError('invalid_request', 'The body is not valid UTF-8.', { cause }));
        return;
      }
      void parseJson(request, text, done);
    },
  );
}

/** The 415 for a body that is not plain UTF-8 according to its headers. */
function contentFault(headers: IncomingHttpHeaders): ServiceError | undefined {
  const {
    'content-encoding': contentEncoding,
    'transfer-encoding': transferEncoding,
    'content-type': contentType,
  } = headers;
  if (!consistsOf(contentEncoding, 'identity') || !consistsOf(transferEncoding, 'chunked')) {
    return new ServiceError(
      'unsupported_media_type',
      'The body is compressed. Send the body uncompressed, without Content-Encoding.',
      // RFC 9110 15.5.16 and 12.5.3: shows a client that the coding is the cause, not the type.
      { headers: { 'Accept-Encoding': 'identity' } },
    );
  }
  if (contentType?.includes(';') && namesOtherCharset(contentType)) {
    return new ServiceError(
      'unsupported_media_type',
      'The Content-Type names a charset other than UTF-8. Send the body in UTF-8, as Content-Type: application/json.',
    );
  }
  return undefined;
}

/**
 * Whether a list of codings is missing, empty or names the one coding only. Codings are
 * case-insensitive (RFC 9110 8.4.1).
 */
function consistsOf(list: string | undefined, coding: string): boolean {
  if (list === undefined || list === coding) return true;
  return list.split(',').every((entry) => ['', coding].includes(entry.trim().toLowerCase()));
}

/** Whether a JSON type has a `charset` other than UTF-8 (RFC 8259 8.1), or US-ASCII, its subset. */
function namesOtherCharset(contentType: string): boolean {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!/^application\/(?:[\w.-]{1,64}\+)?json$/.test(type.trim())) return false;
  return parameters.some((parameter) => {
    const [name = '', value = ''] = parameter.split('=', 2);
    return name.trim() === 'charset' && !/^"?(utf-?8|us-ascii|ascii)"?$/.test(value.trim());
  });
}
