import { DEFAULT_CLOCK_TOLERANCE_SECONDS, type IssuerConfig } from './issuer.ts';

/** OpenID Connect Core 2: a subject has at most 255 characters. */
const MAX_SUBJECT_LENGTH = 255;

/** The last instant that a `Date` can hold, in milliseconds. */
const MAX_INSTANT_MS = 8.64e15;

type Claims = Readonly<Record<string, unknown>>;

/** The requirements of an issuer's policy entry for claims. */
export type ClaimRequirements = Pick<IssuerConfig, 'audience' | 'audienceClaim' | 'clockToleranceSeconds'>;

/**
 * Returns why claims are not valid now, as one sentence for the client, or undefined if they are.
 *
 * Checks subject, audience, expiry, not-before and issue time (RFC 7519 4.1, RFC 8725 3.8 and 3.9).
 * `exp`, `sub` and the audience are required. The clock may differ by the tolerance in either
 * direction. `iss` is not checked, because it selected the issuer whose requirements are passed.
 */
export function claimsFault(claims: Claims, requirements: ClaimRequirements, now: Date): string | undefined {
  const {
    audience,
    audienceClaim = 'aud',
    clockToleranceSeconds = DEFAULT_CLOCK_TOLERANCE_SECONDS,
  } = requirements;
  return (
    timesFault(claims, now.getTime(), clockToleranceSeconds * 1000) ??
    audienceFault(claims, audienceClaim, audience) ??
    subjectFault(claims.sub)
  );
}

function timesFault({ exp, nbf, iat }: Claims, now: number, toleranceMs: number): string | undefined {
  if (exp === undefined) return 'The token has no expiry time (`exp` claim).';
  if (!isNumericDate(exp)) return notNumericDate('exp');
  if (nbf !== undefined && !isNumericDate(nbf)) return notNumericDate('nbf');
  if (iat !== undefined && !isNumericDate(iat)) return notNumericDate('iat');
  if (exp * 1000 + toleranceMs <= now) return `The token expired at ${formatInstant(exp)}.`;
  if (nbf !== undefined && nbf * 1000 - toleranceMs > now)
    return `The token is not valid before ${formatInstant(nbf)} (\`nbf\` claim).`;
  if (iat !== undefined && iat * 1000 - toleranceMs > now)
    return `The token was issued in the future, at ${formatInstant(iat)} (\`iat\` claim).`;
  return undefined;
}

function audienceFault(
  claims: Claims,
  claim: string,
  audience: string | readonly string[],
): string | undefined {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined) return `The token has no audience (\`${claim}\` claim).`;
  const named: readonly unknown[] = [value].flat();
  if (!named.every((entry) => typeof entry === 'string'))
    return `The token's audience (\`${claim}\` claim) is neither a string nor a list of strings.`;
  const accepted = [audience].flat();
  if (!named.some((entry) => accepted.includes(entry)))
    return `The token is for another audience: its \`${claim}\` claim must contain ${accepted.join(' or ')}.`;
  return undefined;
}

function subjectFault(sub: unknown): string | undefined {
  if (sub === undefined) return 'The token has no subject (`sub` claim).';
  if (typeof sub !== 'string' || sub.length < 1 || sub.length > MAX_SUBJECT_LENGTH)
    return `The token's subject (\`sub\` claim) must be a string of 1 to ${MAX_SUBJECT_LENGTH} characters.`;
  if (!sub.isWellFormed() || /[\p{Cc}\u2028\u2029]/u.test(sub))
    return "The token's subject (`sub` claim) contains a control character or malformed Unicode.";
  return undefined;
}

/** RFC 7519 2. Without the upper bound, a token with the expiry `1e400` would never expire. */
function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value * 1000) <= MAX_INSTANT_MS;
}

function notNumericDate(name: string): string {
  return `The token's \`${name}\` claim is not a time in seconds since 1970.`;
}

function formatInstant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
