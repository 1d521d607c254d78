import { toLogText } from '../text/log-text.ts';

/**
 * Returns the log fields of a rejected token: `iss`, the audience claim and `kid`.
 *
 * An operator compares them with the policy. The values are not verified, and cut to 256
 * characters. A field that the token does not have is left out.
 * @param audienceClaim the claim with the audience, if the issuer's entry names one.
 */
export function describeRejectedToken(
  {
    header,
    claims,
  }: {
    readonly header: { readonly kid?: unknown };
    readonly claims: Readonly<Record<string, unknown>>;
  },
  audienceClaim = 'aud',
): Readonly<Record<string, string>> {
  return {
    ...member('iss', claims.iss),
    ...member(audienceClaim, Object.hasOwn(claims, audienceClaim) ? claims[audienceClaim] : undefined),
    ...member('kid', header.kid),
  };
}

function member(name: string, value: unknown): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [name]: toLogText(value) };
}
