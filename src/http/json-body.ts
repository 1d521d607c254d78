import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../errors.ts';

/** At most this many bytes of body are read. */
export const MAX_BODY_BYTES = 65_536;

/**
 * Takes JSON in UTF-8 and nothing else. Bytes that are not UTF-8 are refused, not replaced: a key that was repaired on
 * its way in would not be the key that was asked for. Objects with `__proto__` or `constructor.prototype` are refused.
 */
export function registerJsonBody(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    (request, body, done) => {
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
