import { describe, expect, it } from 'vitest';
import { parseToken } from '../../src/auth/parse-token.ts';
import { forgeToken } from '../support/forge-token.ts';
import { defaultClaims } from '../support/tokens.ts';
import { rejectionOf, unauthenticatedRejection } from './rejection.ts';

const header = { alg: 'ES256', kid: 'key-1', typ: 'JWT' };
const claims = defaultClaims('https://login.test/');
const forge = (change: object = {}) => forgeToken({ ...header, ...change }, claims, () => 'signature');
const [head, body, signature] = forge().split('.');

const NOT_THREE_PARTS = 'The token is not a JWT: it must have three parts, separated by dots.';
const NOT_BASE64URL = 'The token is not a JWT: a part is not base64url.';
const NOT_A_HEADER = 'The token is not a JWT: its header is not a JSON object.';
const NOT_CLAIMS = 'The token is not a JWT: its claims are not a JSON object.';
const OTHER_TYPE = 'The token has the wrong type (`typ` header): send an access token, JWT or at+jwt.';
const NO_ALGORITHM = 'The token has no algorithm (`alg` header).';
const BAD_KEY_ID = "The token's key ID (`kid` header) is not a string of at most 1024 characters.";
const notAccepted = (name: string) =>
  `The token has the header parameter \`${name}\`, which is not accepted.`;

describe('parseToken', () => {
  it('returns the header and the claims of a token', () => {
    expect(parseToken(forge())).toStrictEqual({ header: { alg: 'ES256', kid: 'key-1' }, claims });
  });

  it.each([
    ['no kid', { kid: undefined }, undefined],
    ['an empty kid', { kid: '' }, ''],
    ['a kid that looks like a path', { kid: '../../dev/null' }, '../../dev/null'],
    ['a kid that looks like SQL', { kid: "x' OR '1'='1" }, "x' OR '1'='1"],
  ])('accepts %s as a name', (_, change, kid) => {
    expect(parseToken(forge(change)).header).toStrictEqual({ alg: 'ES256', kid });
  });

  it.each([
    undefined,
    'JWT',
    'jwt',
    'application/jwt',
    'at+jwt',
    'AT+JWT',
    'application/at+jwt',
    'Application/AT+JWT',
  ])('accepts the type %j', (typ) => {
    expect(parseToken(forge({ typ })).claims).toStrictEqual(claims);
  });

  // Some issuers send their certificates. The service does not read them.
  it.each(['x5c', 'x5t', 'x5t#S256', 'zip', 'tenant'])('ignores the header parameter %s', (name) => {
    expect(parseToken(forge({ [name]: ['anything'] }))).toStrictEqual({
      header: { alg: 'ES256', kid: 'key-1' },
      claims,
    });
  });

  it.each([
    ['nothing', '', NOT_THREE_PARTS],
    ['one part', 'opaque', NOT_THREE_PARTS],
    ['two parts', `${head}.${body}`, NOT_THREE_PARTS],
    ['four parts', `${forge()}.${signature}`, NOT_THREE_PARTS],
    ['six parts', 'a.b.c.d.e.f', NOT_THREE_PARTS],
    ['an encrypted token', 'a.b.c.d.e', 'The token is encrypted (JWE). Send a signed one (JWS).'],
    ['a JSON serialization', JSON.stringify({ payload: body, protected: head, signature }), NOT_THREE_PARTS],
    ['dots only', '..', NOT_A_HEADER],
    ['an empty header', `.${body}.${signature}`, NOT_A_HEADER],
    ['empty claims', `${head}..${signature}`, NOT_CLAIMS],
    ['a space at its end', `${forge()} `, NOT_BASE64URL],
    ['a space at its start', ` ${forge()}`, NOT_BASE64URL],
    ['a line break in the middle', `${head}\n.${body}.${signature}`, NOT_BASE64URL],
    ['a letter outside ASCII', `${head}.${body}é.${signature}`, NOT_BASE64URL],
    ['a letter that only looks like ASCII', forge().replace('e', 'е'), NOT_BASE64URL],
    ['a NUL', `${forge()}\0`, NOT_BASE64URL],
    ['padding', `${head}.${body}.${signature}=`, NOT_BASE64URL],
    ['base64 instead of base64url', `${head}.${body}.ab+/`, NOT_BASE64URL],
    ['percent escapes', `${head}.${body}.ab%2B`, NOT_BASE64URL],
    ['a part of impossible length', `${head}.${body}.abcde`, NOT_BASE64URL],
    ['bits that no byte uses', `${head}.${body}.QR`, NOT_BASE64URL],
    ['a header that is not JSON', forgeToken('{"alg":', claims, () => 's'), NOT_A_HEADER],
    ['a header that is not UTF-8', forgeToken(new Uint8Array([0xff, 0x7b]), claims, () => 's'), NOT_A_HEADER],
    ['a header that is a list', forgeToken([header], claims, () => 's'), NOT_A_HEADER],
    ['a header that is null', forgeToken('null', claims, () => 's'), NOT_A_HEADER],
    ['claims that are not JSON', forgeToken(header, 'alice', () => 's'), NOT_CLAIMS],
    ['claims that are a list', forgeToken(header, [claims], () => 's'), NOT_CLAIMS],
    ['claims that are null', forgeToken(header, 'null', () => 's'), NOT_CLAIMS],
    ['claims that are a string', forgeToken(header, '"alice"', () => 's'), NOT_CLAIMS],
    ['claims after a second value', forgeToken(header, '{}{}', () => 's'), NOT_CLAIMS],
    [
      'claims that are not UTF-8',
      forgeToken(header, new Uint8Array([0x7b, 0xc3, 0x28]), () => 's'),
      NOT_CLAIMS,
    ],
    [
      'a subject that is not UTF-8',
      forgeToken(header, Buffer.from('{"sub":"alic\xe9"}', 'latin1'), () => 's'),
      NOT_CLAIMS,
    ],
    ['claims in UTF-16', forgeToken(header, Buffer.from('{}', 'utf16le'), () => 's'), NOT_CLAIMS],
    ['claims that are nested 5,000 times', forgeToken(header, '['.repeat(5000), () => 's'), NOT_CLAIMS],
    ['another token as its claims', forgeToken(header, forge(), () => 's'), NOT_CLAIMS],
  ])('rejects %s', async (_, token, detail) => {
    expect(await rejectionOf(() => parseToken(token))).toStrictEqual(
      unauthenticatedRejection(detail, 'invalid_token'),
    );
  });

  it.each([
    ['an address of keys', { jku: 'https://evil.test/jwks' }, notAccepted('jku')],
    ['an address of a certificate', { x5u: 'https://evil.test/cert' }, notAccepted('x5u')],
    ['a key', { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } }, notAccepted('jwk')],
    ['a key of null', { jwk: null }, notAccepted('jwk')],
    ['an unknown extension', { crit: ['exp'], exp: 1 }, notAccepted('crit')],
    ['no extension, in an empty list', { crit: [] }, notAccepted('crit')],
    ['an unencoded payload', { crit: ['b64'], b64: false }, notAccepted('crit')],
    ['an unencoded payload, not as critical', { b64: false }, notAccepted('b64')],
    ['an encoded payload, as an extension', { b64: true }, notAccepted('b64')],
    ['a nested token', { cty: 'JWT' }, notAccepted('cty')],
    ['the type of an ID token', { typ: 'id_token' }, OTHER_TYPE],
    ['a proof of possession', { typ: 'dpop+jwt' }, OTHER_TYPE],
    ['a logout token', { typ: 'logout+jwt' }, OTHER_TYPE],
    ['a security event', { typ: 'application/secevent+jwt' }, OTHER_TYPE],
    ['an accepted type with a suffix', { typ: 'JWT+evil' }, OTHER_TYPE],
    ['a type with application/ in its middle', { typ: 'jwapplication/t' }, OTHER_TYPE],
    ['a type of another tree', { typ: 'text/jwt' }, OTHER_TYPE],
    ['an empty type', { typ: '' }, OTHER_TYPE],
    ['a type of null', { typ: null }, OTHER_TYPE],
    ['a list of types', { typ: ['JWT'] }, OTHER_TYPE],
    ['no algorithm', { alg: undefined }, NO_ALGORITHM],
    ['a list of algorithms', { alg: ['ES256'] }, NO_ALGORITHM],
    ['an algorithm of null', { alg: null }, NO_ALGORITHM],
    ['a numeric kid', { kid: 1 }, BAD_KEY_ID],
    ['a kid of null', { kid: null }, BAD_KEY_ID],
    ['a list of kids', { kid: ['key-1'] }, BAD_KEY_ID],
  ])('rejects a header with %s', async (_, change, detail) => {
    expect(await rejectionOf(() => parseToken(forge(change)))).toStrictEqual(
      unauthenticatedRejection(detail, 'invalid_token'),
    );
  });

  it.each([1_000, 8_193, 12_000, 16_384])('reads a token of %i bytes', (length) => {
    const available = length - forgeToken(header, {}, () => '').length;
    // The claims cannot have every length in base64url, so the signature fills the rest.
    const padding = 'x'.repeat(Math.floor((available * 3) / 4) - 16);
    const token = forgeToken(header, { pad: padding }, () => '');
    const rest = length - token.length;
    const filled = token + 'A'.repeat(rest % 4 === 1 ? rest - 1 : rest);

    expect(parseToken(filled).claims).toStrictEqual({ pad: padding });
    expect(length - filled.length).toBeLessThanOrEqual(1);
  });

  it('rejects a longer token unread', async () => {
    expect(await rejectionOf(() => parseToken(`${head}.${body}.`.padEnd(16_385, 'A')))).toStrictEqual(
      unauthenticatedRejection('The token is longer than 16384 bytes.', 'invalid_token'),
    );
  });

  it.each([
    ['an algorithm of 33 characters', { alg: 'A'.repeat(33) }, NO_ALGORITHM],
    ['an algorithm of 10,000 characters', { alg: 'A'.repeat(10_000) }, NO_ALGORITHM],
    ['a type of 65 characters', { typ: `application/${'a'.repeat(53)}` }, OTHER_TYPE],
    ['a type of 10,000 characters', { typ: 'JWT'.repeat(3_333) }, OTHER_TYPE],
    ['a kid of 1,025 characters', { kid: 'k'.repeat(1_025) }, BAD_KEY_ID],
    ['a kid of 10,000 characters', { kid: 'k'.repeat(10_000) }, BAD_KEY_ID],
  ])('rejects %s', async (_, change, detail) => {
    expect(await rejectionOf(() => parseToken(forge(change)))).toStrictEqual(
      unauthenticatedRejection(detail, 'invalid_token'),
    );
  });

  it('accepts a kid of 1,024 characters', () => {
    expect(parseToken(forge({ kid: 'k'.repeat(1_024) })).header.kid).toBe('k'.repeat(1_024));
  });

  it.each([
    ['a byte order mark at the start', Buffer.from('\ufeff{"sub":"alice"}'), { sub: 'alice' }],
    ['a valid replacement character', Buffer.from('{"sub":"\ufffd"}'), { sub: '\ufffd' }],
  ])('reads claims with %s', (_, json, read) => {
    expect(parseToken(forgeToken(header, json, () => 's')).claims).toStrictEqual(read);
  });
});
