import { type FaultName, OssError } from '../oss-error.ts';
import { fieldName } from './form-fields.ts';

/** A condition on a field of the form, or on the size of its file in bytes. */
export type Condition =
  | { readonly mode: 'eq' | 'starts-with'; readonly field: string; readonly value: string }
  | { readonly mode: 'in' | 'not-in'; readonly field: string; readonly value: readonly string[] }
  | { readonly mode: 'content-length-range'; readonly min: number; readonly max: number };

export type PolicyDocument = { readonly expiration: Date; readonly conditions: readonly Condition[] };

/**
 * Reads the policy of a form from the text of its field (OSS help: "Signature Version 4 of POST
 * requests").
 * @throws OssError `InvalidPolicyDocument` with OSS's `EC` for what is wrong.
 */
export function parsePolicyDocument(base64: string): PolicyDocument {
  const document = parseJson(base64);
  if (!isObject(document)) reject('policyNotJson');
  const { expiration, conditions } = document;
  if (expiration === undefined && conditions === undefined) reject('policyEmpty');
  if (expiration === undefined) reject('policyExpirationMissing');
  if (conditions === undefined) reject('policyConditionsMissing');
  if (!Array.isArray(conditions)) reject('policyConditionsNotList');
  return { expiration: parseExpiration(expiration), conditions: conditions.map(parseCondition) };
}

function parseJson(base64: string): unknown {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) reject('policyNotJson');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
    // OSS knows an escape that JSON lacks: a backslash before a dollar sign.
    return JSON.parse(
      text.replaceAll(/\\(.)/gs, (sequence, character) => (character === '$' ? '$' : sequence)),
    );
  } catch {
    return reject('policyNotJson');
  }
}

function parseExpiration(text: unknown): Date {
  const isInstant = typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text);
  const expiration = new Date(isInstant ? text : Number.NaN);
  // Date turns 30 February into 2 March.
  const exists =
    !Number.isNaN(expiration.getTime()) && expiration.toISOString().startsWith(`${text}`.slice(0, 19));
  if (!exists) reject('policyExpirationMissing');
  return expiration;
}

function parseCondition(condition: unknown): Condition {
  if (Array.isArray(condition)) return parseListCondition(condition);
  if (!isObject(condition)) reject('conditionMalformed');
  const [property, ...others] = Object.entries(condition);
  if (others.length > 0) reject('conditionTooLong');
  const [field, value] = property ?? reject('conditionMalformed');
  if (typeof value !== 'string') reject('conditionMalformed');
  return { mode: 'eq', field: fieldName(field), value };
}

function parseListCondition([mode, ...operands]: readonly unknown[]): Condition {
  if (mode === 'content-length-range') return parseRange(operands);
  if (mode !== 'eq' && mode !== 'starts-with' && mode !== 'in' && mode !== 'not-in') {
    return reject('conditionWithoutMode');
  }
  if (operands.length > 2) reject('conditionTooLong');
  const [name, value] = operands;
  if (typeof name !== 'string' || !name.startsWith('$')) reject('conditionMalformed');
  const field = fieldName(name.slice(1));
  if (mode === 'in' || mode === 'not-in') {
    if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) reject('conditionNotList');
    return { mode, field, value };
  }
  if (typeof value !== 'string') reject('conditionMalformed');
  return { mode, field, value };
}

function parseRange(operands: readonly unknown[]): Condition {
  if (operands.length > 2) reject('conditionTooLong');
  const [min, max] = operands;
  if (!isByteCount(min)) reject('rangeMinMalformed');
  if (!isByteCount(max)) reject('rangeMaxMalformed');
  if (max < min) reject('rangeReversed');
  return { mode: 'content-length-range', min, max };
}

function isByteCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reject(fault: FaultName): never {
  throw new OssError(fault);
}
