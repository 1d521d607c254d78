import { describeRejectedToken } from './rejected-token.ts';
import { unauthenticated } from './unauthenticated.ts';

/**
 * Longer tokens are rejected unread. `maxHeaderSize` limits all headers of a request to the same
 * number of bytes, so no longer token arrives. Entra ID and Keycloak issue tokens of 11 KB for
 * users with many groups or roles.
 */
export const MAX_TOKEN_BYTES = 16_384;

/** Limits for `alg`, `typ` and `kid`, far above the values that issuers use. */
const MAX_ALGORITHM_LENGTH = 32;
const MAX_TYPE_LENGTH = 64;
const MAX_KEY_ID_LENGTH = 1024;

/**
 * The accepted values of `typ`, in lower case and without `application/`: none, a plain JWT, or an
 * access token (RFC 9068 2.1). Issuers sign other kinds of JWT (`dpop+jwt`, `logout+jwt`,
 * `secevent+jwt`, …) with the same keys for other purposes, so these must not be accepted as access
 * tokens (RFC 8725 2.8, 3.11).
 */
const ACCEPTED_TYPES: readonly unknown[] = [undefined, 'jwt', 'at+jwt'];

/**
 * A token with one of these header parameters is rejected.
 *
 * `jku`, `x5u` and `jwk` would let the token choose its own key (RFC 8725 3.10). `crit` requires
 * extensions, and this service supports none (RFC 7515 4.1.11). `b64` is such an extension (RFC
 * 7797), and a JWT must not use it. `cty` means that another token is nested inside (RFC 7519 5.2).
 *
 * `x5c` and `x5t` are ignored instead, as RFC 7515 4 requires for parameters that are not
 * understood: some issuers send their certificates with every token.
 */
const REJECTED_PARAMETERS = ['jku', 'x5u', 'jwk', 'crit', 'b64', 'cty'] as const;

/** Base64url (RFC 4648 5) without padding (RFC 7515 2). */
const NEITHER_BASE64URL_NOR_DOT = /[^\w.-]/;
const ENDS_OF_ONE_BYTE = 'AQgw';
const ENDS_OF_TWO_BYTES = 'AEIMQUYcgkosw048';

const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The decoded parts of a token. Nothing in them has been verified. */
export type ParsedToken = {
  readonly header: { readonly alg: string; readonly kid: string | undefined };
  readonly claims: Readonly<Record<string, unknown>>;
};

/**
 * Decodes a JWT in compact serialization (RFC 7519 7.2) and checks its form and its header.
 *
 * Each segment must be canonical base64url, so that every other parser reads the same content.
 * @throws ServiceError `unauthenticated`; it contains no part of the token.
 */
export function parseToken(token: string): ParsedToken {
  if (token.length > MAX_TOKEN_BYTES) throw malformed(`The token is longer than ${MAX_TOKEN_BYTES} bytes.`);
  const [headerSegment, claimsSegment, signatureSegment, ...more] = token.split('.');
  if (more.length === 2) throw malformed('The token is encrypted (JWE). Send a signed one (JWS).');
  if (
    headerSegment === undefined ||
    claimsSegment === undefined ||
    signatureSegment === undefined ||
    more.length > 0
  )
    throw malformed('The token is not a JWT: it must have three parts, separated by dots.');
  if (
    NEITHER_BASE64URL_NOR_DOT.test(token) ||
    !endsCanonically(headerSegment) ||
    !endsCanonically(claimsSegment) ||
    !endsCanonically(signatureSegment)
  )
    throw malformed('The token is not a JWT: a part is not base64url.');
  const header = parseJsonObject(headerSegment);
  if (!header) throw malformed('The token is not a JWT: its header is not a JSON object.');
  const claims = parseJsonObject(claimsSegment);
  if (!claims) throw malformed('The token is not a JWT: its claims are not a JSON object.');
  const fault = headerFault(header);
  if (fault !== undefined)
    throw unauthenticated(fault, 'invalid_token', describeRejectedToken({ header, claims }));
  const { alg, kid } = header as ParsedToken['header'];
  return { header: { alg, kid }, claims };
}

function headerFault(header: Readonly<Record<string, unknown>>): string | undefined {
  for (const parameter of REJECTED_PARAMETERS) {
    if (Object.hasOwn(header, parameter))
      return `The token has the header parameter \`${parameter}\`, which is not accepted.`;
  }
  const { alg, kid, typ } = header;
  if (
    typ !== 'JWT' &&
    !ACCEPTED_TYPES.includes(
      typeof typ === 'string' && typ.length <= MAX_TYPE_LENGTH ? normalizeType(typ) : typ,
    )
  ) {
    return 'The token has the wrong type (`typ` header): send an access token, JWT or at+jwt.';
  }
  if (typeof alg !== 'string' || alg.length > MAX_ALGORITHM_LENGTH)
    return 'The token has no algorithm (`alg` header).';
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KEY_ID_LENGTH))
    return `The token's key ID (\`kid\` header) is not a string of at most ${MAX_KEY_ID_LENGTH} characters.`;
  return undefined;
}

/** RFC 7515 4.1.9: `application/` may be left out, and case does not matter. */
function normalizeType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

/**
 * Whether the base64url segment has a possible length and ends canonically: the bits of the last
 * character that encode no byte must be zero (RFC 4648 3.5).
 */
function endsCanonically(segment: string): boolean {
  switch (segment.length % 4) {
    case 0:
      return true;
    case 2:
      return ENDS_OF_ONE_BYTE.includes(segment.charAt(segment.length - 1));
    case 3:
      return ENDS_OF_TWO_BYTES.includes(segment.charAt(segment.length - 1));
    default:
      return false;
  }
}

function parseJsonObject(segment: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(Buffer.from(segment, 'base64url')));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @throws TypeError if the bytes are not UTF-8. */
function decodeUtf8(bytes: Buffer): string {
  const text = bytes.toString();
  // U+FFFD may stand for invalid UTF-8, and U+FEFF at the start may be a byte order mark. Decode
  // strictly only then, because the strict decoder is many times slower.
  return text.includes('\ufffd') || text.startsWith('\ufeff') ? STRICT_UTF8.decode(bytes) : text;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(detail: string): Error {
  return unauthenticated(detail, 'invalid_token');
}
