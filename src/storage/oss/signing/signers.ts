import type { SigningCredentials } from '../../object-storage.ts';
import { canonicalQuery } from './canonical-request.ts';
import { SigningKey } from './signing-key.ts';
import { ossInstant, scopeText } from './string-to-sign.ts';

/** The values that all signatures share that the same credentials make in the same second. */
export type Signer = {
  readonly second: number;
  /** The second as it is signed. */
  readonly instant: string;
  readonly day: DaySigner;
};

/** The values that all signatures share that the same credentials make on the same day. */
export type DaySigner = {
  readonly credentials: SigningCredentials;
  readonly date: string;
  readonly key: SigningKey;
  /** The access key id and the scope, as they are in the header Authorization. */
  readonly credential: string;
  /** `x-oss-credential` as it is in the query, encoded. */
  readonly credentialParameter: string;
  /** `&x-oss-security-token` as it is in the query; empty for credentials without a token. */
  readonly tokenParameter: string;
};

/**
 * Returns the signer for an instant and credentials. It computes only what changed since the last
 * call.
 */
export function createSigners(region: string): (signedAt: Date, credentials: SigningCredentials) => Signer {
  let current: Signer | undefined;
  return (signedAt, credentials) => {
    const second = Math.floor(signedAt.getTime() / 1000);
    if (current?.second !== second || !isSameCredentials(current.day.credentials, credentials)) {
      const { text, date } = ossInstant(signedAt);
      const day =
        current?.day.date === date && isSameCredentials(current.day.credentials, credentials)
          ? current.day
          : createDaySigner(credentials, date, region);
      current = { second, instant: text, day };
    }
    return current;
  };
}

function createDaySigner(
  { accessKeyId, accessKeySecret, securityToken }: SigningCredentials,
  date: string,
  region: string,
): DaySigner {
  const scope = { date, region, product: 'oss' };
  const credential = `${accessKeyId}/${scopeText(scope)}`;
  return {
    credentials: { accessKeyId, accessKeySecret, ...(securityToken !== undefined && { securityToken }) },
    date,
    key: new SigningKey(accessKeySecret, scope),
    credential,
    credentialParameter: canonicalQuery({ 'x-oss-credential': credential }),
    tokenParameter:
      securityToken === undefined ? '' : `&${canonicalQuery({ 'x-oss-security-token': securityToken })}`,
  };
}

/** Whether both are the same credentials: id, secret and token. */
export function isSameCredentials(one: SigningCredentials, other: SigningCredentials): boolean {
  return (
    one.accessKeyId === other.accessKeyId &&
    one.accessKeySecret === other.accessKeySecret &&
    one.securityToken === other.securityToken
  );
}
