import { toLogText } from './log-text.ts';

/**
 * What the log records of a rejected token, so that its operator can compare it with the policy: `iss`, `aud` and `kid`, each
 * cut to 256 characters. They are not verified. A member that the token does not have is left out.
 * @param audienceClaim the claim that stands in for `aud`, where the issuer has one.
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
