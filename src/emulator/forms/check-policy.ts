import { MAX_BODY_BYTES } from '../objects/put-headers.ts';
import { OssError } from '../oss-error.ts';
import type { FormFields } from './form-fields.ts';
import type { Condition, PolicyDocument } from './policy-document.ts';

/** The sizes in bytes that a file may have, both included. */
export type LengthRange = { readonly min: number; readonly max: number };

/**
 * Checks the fields of a form against its policy. A field that no condition names may have any
 * value. A condition on a field that is absent fails.
 * @returns the sizes that the file may have.
 * @throws OssError `AccessDenied` if the policy has expired, or for the first condition that
 *   fails.
 */
export function checkPolicy(
  { expiration, conditions }: PolicyDocument,
  form: { readonly bucket: string; readonly fields: FormFields; readonly now: Date },
): LengthRange {
  if (form.now >= expiration) throw new OssError('policyExpired');
  let [min, max] = [0, MAX_BODY_BYTES];
  for (const condition of conditions) {
    if (condition.mode === 'content-length-range') {
      min = Math.max(min, condition.min);
      max = Math.min(max, condition.max);
      continue;
    }
    const { mode, field, value } = condition;
    const sent = field === 'bucket' ? form.bucket : form.fields.get(field);
    if (sent === undefined || !isMet(condition, sent)) {
      const quoted = Array.isArray(value) ? `[${value.map(quote).join(', ')}]` : quote(value as string);
      throw new OssError('policyConditionFailed', {}, `["${mode}", ${quote(`$${field}`)}, ${quoted}]`);
    }
  }
  return { min, max };
}

function isMet(condition: Exclude<Condition, { mode: 'content-length-range' }>, sent: string): boolean {
  switch (condition.mode) {
    case 'eq':
      return sent === condition.value;
    case 'starts-with':
      return sent.startsWith(condition.value);
    case 'in':
      return condition.value.includes(sent);
    case 'not-in':
      return !condition.value.includes(sent);
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}
