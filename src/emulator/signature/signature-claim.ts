import { type FaultName, OssError } from '../oss-error.ts';
import { type CredentialScope, SCOPE_END } from './signature-v4.ts';

/** The signature of a request and its parameters, from query or header. Nothing is verified yet. */
export type SignatureClaim = {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** `yyyymmddThhmmssZ`, as it is signed. */
  readonly signedAtText: string;
  readonly signedAt: Date;
  /**
   * Seconds; null for the header form, which does not expire but tolerates only 15 minutes of clock
   * difference.
   */
  readonly expiresInSeconds: number | null;
  /** The names as listed, empty when there is no list. */
  readonly additionalHeaders: string;
  readonly securityToken: string | undefined;
  readonly signature: string;
  readonly faults: ScopeFaults;
};

/** The faults to report for a credential; they depend on where it stands. */
export type ScopeFaults = {
  /** It is not of the expected form, or for another product. */
  readonly malformed: FaultName;
  /** Its day is malformed or not that of the signature. */
  readonly date: FaultName;
  /** Its region is not that of the bucket. */
  readonly region: FaultName;
};

/** Splits `<AccessKeyId>/<yyyymmdd>/<region>/<product>/aliyun_v4_request`. */
export function parseCredential(
  credential: string,
  faults: ScopeFaults,
): { accessKeyId: string; scope: CredentialScope } {
  const [accessKeyId, date, region, product, end, ...rest] = credential.split('/');
  if (!accessKeyId || !date || !region || !product || end !== SCOPE_END || rest.length > 0) {
    throw new OssError(faults.malformed);
  }
  if (!/^\d{8}$/.test(date)) throw new OssError(faults.date);
  return { accessKeyId, scope: { date, region, product } };
}

/** Throws for a list of additional headers that is malformed. */
export function checkAdditionalHeaders(list: string): void {
  if (list === '') throw new OssError('additionalHeadersEmpty');
  const names = list.split(';');
  if (names.includes('')) throw new OssError('additionalHeadersBlankName');
  const forbidden = names.find((name) => name.includes('_'));
  if (forbidden !== undefined) throw new OssError('additionalHeaderAbsent', { ArgumentName: forbidden });
}

/** Reads `yyyymmddThhmmssZ`; null for any other text, and for a day or hour that does not exist. */
export function parseBasicIso(text: string): Date | null {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) return null;
  const [, year, month, day, hour, minute, second] = parts;
  const instant = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return !Number.isNaN(instant.getTime()) && toBasicIso(instant) === text ? instant : null;
}

export function toBasicIso(instant: Date): string {
  return instant.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}
