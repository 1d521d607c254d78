import type { FormUpload, PresignedForm, Signing } from '../object-storage.ts';
import { type FormField, fieldRecord } from './form-fields.ts';
import { type PostCondition, postPolicy } from './signing/post-policy.ts';
import { checkExpiry } from './signing/presign.ts';
import type { Signer } from './signing/signers.ts';
import { ALGORITHM } from './signing/string-to-sign.ts';

/**
 * Signs a form (OSS V4 signature of POST requests). A condition binds the exact value of each
 * field, and the length of the file. Fields that no condition names stay free.
 * @param bucket its name, and the address to which its forms are sent.
 * @throws TypeError for a key that OSS would expand, a length that is not a range, an expiry that
 *   OSS would reject, and a field that occurs twice.
 */
export function signForm(
  { bucket, url }: { readonly bucket: string; readonly url: string },
  { key, contentLength }: Pick<FormUpload, 'key' | 'contentLength'>,
  fields: readonly FormField[],
  { second, instant, day }: Signer,
  { expiresInSeconds }: Pick<Signing, 'expiresInSeconds'>,
): PresignedForm {
  checkExpiry(expiresInSeconds);
  checkKey(key);
  checkLength(contentLength);
  const { securityToken } = day.credentials;
  const signature = {
    'x-oss-signature-version': ALGORITHM,
    'x-oss-credential': day.credential,
    'x-oss-date': instant,
    ...(securityToken !== undefined && { 'x-oss-security-token': securityToken }),
  };
  const expiration = new Date((second + expiresInSeconds) * 1000);
  const conditions: readonly PostCondition[] = [
    ...Object.entries({ bucket, ...signature }).map(([name, value]) => ({ [name]: value })),
    ['content-length-range', contentLength.min, contentLength.max],
    ['eq', '$key', key],
    ...fields.map(({ name, value }) => ['eq', `$${name}`, value] as const),
  ];
  const policy = Buffer.from(postPolicy(expiration, conditions)).toString('base64');
  return {
    method: 'POST',
    url,
    fields: {
      key,
      ...fieldRecord(fields),
      ...signature,
      policy,
      'x-oss-signature': day.key.signPolicy(policy),
    },
    fileField: 'file',
  };
}

function checkKey(key: string): void {
  if (key === '' || !key.isWellFormed()) {
    throw new TypeError('the key must not be empty nor hold a lone surrogate');
  }
  if (key.includes('${')) throw new TypeError('the key must not hold "${", because OSS expands it in forms');
}

function checkLength({ min, max }: FormUpload['contentLength']): void {
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min < 0 || max < min) {
    throw new TypeError('contentLength must be a range of whole numbers of bytes');
  }
}
