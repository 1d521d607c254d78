/** How far the clocks of issuer and service may be apart. */
const CLOCK_TOLERANCE_MS = 30_000;

/** OpenID Connect Core 2: a subject has at most 255 characters. */
const MAX_SUBJECT_LENGTH = 255;

/** The last instant that a `Date` can hold, in milliseconds. */
const MAX_INSTANT_MS = 8.64e15;

/**
 * Says why claims do not hold now, in one sentence for the client, or undefined when they do: subject, audience, expiry,
 * not-before and issue time (RFC 7519 4.1, RFC 8725 3.8 and 3.9). `exp`, `aud` and `sub` are required. The clock may be
 * off by 30 s either way. `iss` is not looked at: it chose the issuer whose audience is given here.
 */
export function claimsFault(
  claims: Readonly<Record<string, unknown>>,
  audience: string | readonly string[],
  now: Date,
): string | undefined {
  return timesFault(claims, now.getTime()) ?? audienceFault(claims.aud, audience) ?? subjectFault(claims.sub);
}

function timesFault({ exp, nbf, iat }: Readonly<Record<string, unknown>>, now: number): string | undefined {
  if (exp === undefined) return 'The token does not say when it expires (exp).';
  if (!isNumericDate(exp)) return notNumericDate('exp');
  if (nbf !== undefined && !isNumericDate(nbf)) return notNumericDate('nbf');
  if (iat !== undefined && !isNumericDate(iat)) return notNumericDate('iat');
  if (exp * 1000 + CLOCK_TOLERANCE_MS <= now) return `The token expired at ${formatInstant(exp)}.`;
  if (nbf !== undefined && nbf * 1000 - CLOCK_TOLERANCE_MS > now)
    return `The token is not valid before ${formatInstant(nbf)} (nbf).`;
  if (iat !== undefined && iat * 1000 - CLOCK_TOLERANCE_MS > now)
    return `The token was issued in the future, at ${formatInstant(iat)} (iat).`;
  return undefined;
}

function audienceFault(aud: unknown, audience: string | readonly string[]): string | undefined {
  // Before any list is made: what nearly all tokens have is one audience, the right one.
  if (typeof aud === 'string' && isOneOf(audience, aud)) return undefined;
  if (aud === undefined) return 'The token does not say for whom it is (aud).';
  const named: readonly unknown[] = [aud].flat();
  if (!named.every((entry) => typeof entry === 'string'))
    return 'The audience (aud) of the token is neither a string nor a list of strings.';
  if (!named.some((entry) => isOneOf(audience, entry)))
    return `The token is for another audience; aud has to hold ${[audience].flat().join(' or ')}.`;
  return undefined;
}

function isOneOf(audience: string | readonly string[], named: string): boolean {
  return typeof audience === 'string' ? audience === named : audience.includes(named);
}

function subjectFault(sub: unknown): string | undefined {
  if (sub === undefined) return 'The token does not say whose it is (sub).';
  if (typeof sub !== 'string' || sub.length < 1 || sub.length > MAX_SUBJECT_LENGTH)
    return `The subject (sub) of the token is not a string of 1 to ${MAX_SUBJECT_LENGTH} characters.`;
  if (!sub.isWellFormed() || /[\p{Cc}\u2028\u2029]/u.test(sub))
    return 'The subject (sub) of the token holds a control character or malformed Unicode.';
  return undefined;
}

/** RFC 7519 2. Without the bound, `1e400` would be a token that never expires. */
function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value * 1000) <= MAX_INSTANT_MS;
}

function notNumericDate(name: string): string {
  return `The token has a time (${name}) that is not a number of seconds since 1970.`;
}

function formatInstant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
