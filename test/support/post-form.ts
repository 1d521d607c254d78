import { createHmac } from 'node:crypto';
import { now } from './fixed-clock.ts';
import { BUCKET, LONG_LIVED, REGION } from './test-emulator.ts';

/** A form that uploads one file, as a grant describes it. */
export type UploadForm = {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  /** The name of the field of the file, which is sent last. */
  readonly fileField: string;
};

export type FormFile = {
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Default `file.bin`. */
  readonly filename?: string;
  /** The type of the file part. By default, as a browser sends a file of an unknown type. */
  readonly type?: string;
};

/** Sends a form as a browser does: the fields in order, then the file. */
export function postForm(
  { url, fields, fileField }: UploadForm,
  { body, filename = 'file.bin', type = '' }: FormFile,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append(fileField, new Blob([body], { type }), filename);
  return fetch(url, { method: 'POST', body: form, headers, redirect: 'manual' });
}

/** Changes to the policy of a form and its signature. */
export type FormPolicy = {
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly securityToken?: string;
  };
  readonly region?: string;
  readonly bucket?: string;
  /** `yyyymmddThhmmssZ`; by default, that of the fixed clock. */
  readonly date?: string;
  readonly expiration?: string;
  /** Conditions besides those on bucket, version, credential, date and token. */
  readonly conditions?: readonly unknown[];
  /** The whole text of the policy instead. */
  readonly policyText?: string;
};

/**
 * The fields that sign a form with V4 (OSS help: "Signature Version 4 of POST requests"). Shares no
 * code with the service or the emulator.
 */
export function signForm(change: FormPolicy = {}): Record<string, string> {
  const credentials: FormPolicy['credentials'] = change.credentials ?? LONG_LIVED;
  const { region = REGION, bucket = BUCKET, conditions = [] } = change;
  const { date = '20261123T100000Z', expiration = new Date(now.getTime() + 600_000).toISOString() } = change;
  const scope = [date.slice(0, 8), region, 'oss', 'aliyun_v4_request'];
  const signed = {
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': [credentials.accessKeyId, ...scope].join('/'),
    'x-oss-date': date,
    ...(credentials.securityToken && { 'x-oss-security-token': credentials.securityToken }),
  };
  const maps = Object.entries({ bucket, ...signed }).map(([name, value]) => ({ [name]: value }));
  const text = change.policyText ?? JSON.stringify({ expiration, conditions: [...maps, ...conditions] });
  const policy = Buffer.from(text).toString('base64');
  const key = scope.reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `aliyun_v4${credentials.accessKeySecret}`,
  );
  return { ...signed, policy, 'x-oss-signature': createHmac('sha256', key).update(policy).digest('hex') };
}
