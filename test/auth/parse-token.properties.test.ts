import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseToken } from '../../src/auth/parse-token.ts';
import type { ServiceError } from '../../src/errors.ts';
import { codePoint } from '../support/code-point.ts';
import { forgeToken } from '../support/forge-token.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { defaultClaims } from '../support/tokens.ts';

const header = { alg: 'ES256', kid: 'key-1', typ: 'JWT' };
const [head, body, signature] = forgeToken(
  header,
  defaultClaims('https://login.test/'),
  () => 'signature',
).split('.');

const NOT_BASE64URL = 'The token is not a JWT: a part is not base64url.';
const NOT_CLAIMS = 'The token is not a JWT: its claims are not a JSON object.';

/** Returns why a token is rejected; undefined if it is accepted. */
function detailOf(token: string): string | undefined {
  try {
    parseToken(token);
    return undefined;
  } catch (error) {
    return (error as ServiceError).detail;
  }
}

// Every parser then reads the same: the encoding of the decoded bytes is the part itself.
it('accepts a part if, and only if, it is the base64url encoding of its bytes', () => {
  const character = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
  const nearly = fc.constantFrom(...'+/=. \n\té\0');
  const part = fc.oneof(
    fc.string({ unit: character, maxLength: 9 }),
    fc.string({ unit: fc.oneof({ weight: 9, arbitrary: character }, nearly), maxLength: 9 }),
  );
  fc.assert(
    fc.property(part, fc.nat(2), (text, place) => {
      fc.pre(!text.includes('.'));
      const token = [head, body, signature].map((one, index) => (index === place ? text : one)).join('.');
      const isCanonical = Buffer.from(text, 'base64url').toString('base64url') === text;
      expect(detailOf(token) === NOT_BASE64URL).toBe(!isCanonical);
    }),
    { numRuns: propertyRuns(5_000) },
  );
});

it('accepts claims if, and only if, a strict UTF-8 decoder does', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.string({ unit: codePoint, maxLength: 6 }).map((text) => Buffer.from(text)),
    fc.constantFrom('\ufffd', '\ufeff', 'é\ufffd', '\ud83d').map((text) => Buffer.from(text)),
  );
  const strict = new TextDecoder('utf-8', { fatal: true });
  fc.assert(
    fc.property(bytes, fc.boolean(), (some, atStart) => {
      const json = atStart
        ? Buffer.concat([some, Buffer.from('{"sub":"alice"}')])
        : Buffer.concat([Buffer.from('{"sub":"'), some, Buffer.from('"}')]);
      let expected: unknown;
      try {
        expected = JSON.parse(strict.decode(json));
      } catch {
        expected = NOT_CLAIMS;
      }
      const token = forgeToken(header, json, () => 's');
      expect(detailOf(token) ?? parseToken(token).claims).toStrictEqual(expected);
    }),
    { numRuns: propertyRuns(5_000) },
  );
});
