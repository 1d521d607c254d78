import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkForm } from '../../src/emulator/operations/post-object.ts';
import { OssError } from '../../src/emulator/oss-error.ts';

type Vector = {
  readonly name: string;
  readonly input: {
    readonly region: string;
    readonly bucket: string;
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly securityToken?: string;
    readonly signTime: string;
    readonly policyJson: string;
  };
  readonly expected: { readonly formFields: Readonly<Record<string, string>> };
};

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../storage/oss/signing/vectors/post-policy.json', import.meta.url), 'utf8'),
).vectors;

/** The outcome for the form of a vector, of which something may be changed. */
function check({ input, expected }: Vector, change: Partial<Vector['input']> & { fields?: object } = {}) {
  const { accessKeyId, accessKeySecret, securityToken } = { ...input, ...change };
  const { region, bucket, signTime } = { ...input, ...change };
  const fields = Object.entries({ ...expected.formFields, ...change.fields });
  try {
    return checkForm(new Map(fields.filter((field): field is [string, string] => field[1] !== undefined)), {
      region,
      bucket,
      credentials: [{ accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) }],
      clock: () => new Date(signTime),
    });
  } catch (error) {
    if (error instanceof OssError) return error.code;
    throw error;
  }
}

it('holds all vectors', () => {
  expect(vectors).toHaveLength(8);
});

describe.each(vectors)('$name', (vector) => {
  const { formFields } = vector.expected;
  const { conditions } = JSON.parse(vector.input.policyJson) as { conditions: unknown[] };
  const named = new Set(
    conditions.flatMap((condition) => {
      const [mode, field] = Array.isArray(condition)
        ? condition
        : ['eq', `$${Object.keys(condition as object)[0]}`];
      return mode === 'content-length-range' ? [] : [field.slice(1)];
    }),
  );

  it('is accepted, with the range of its policy', () => {
    const [, min, max] =
      conditions.find((one): one is unknown[] => Array.isArray(one) && one[0] === 'content-length-range') ??
      [];
    expect(check(vector)).toStrictEqual({ min, max });
  });

  it('is rejected with another secret, region, bucket or time', () => {
    const { accessKeySecret, signTime } = vector.input;
    const later = new Date(Date.parse(signTime) + 8 * 86_400_000).toISOString();
    expect(check(vector, { accessKeySecret: `${accessKeySecret}x` })).toBe('SignatureDoesNotMatch');
    expect(check(vector, { region: 'cn-beijing' })).toBe('InvalidArgument');
    expect(check(vector, { bucket: 'other' })).toBe('AccessDenied');
    expect(check(vector, { signTime: later })).toBe('AccessDenied');
  });

  it.each(Object.keys(formFields))('is rejected if the field %s is absent', (name) => {
    // Without its condition, no policy asks for it.
    const isFree = !named.has(name) && !['policy', 'x-oss-signature'].includes(name);
    const outcome = check(vector, { fields: { [name]: undefined } });
    if (isFree) expect(outcome).toStrictEqual(check(vector));
    else expect(['AccessDenied', 'InvalidArgument', 'InvalidSecurityToken']).toContain(outcome);
  });

  it.each([...named].filter((name) => name !== 'bucket'))('is rejected if %s has another value', (name) => {
    const value = name === 'cache-control' ? 'no-cache' : `x${formFields[name]}`;
    const outcome = check(vector, { fields: { [name]: value } });
    // A key that may begin with anything.
    if (vector.name === 'post-not-in-cache' && name === 'key') expect(outcome).toStrictEqual(check(vector));
    else expect(outcome).toMatch(/^(AccessDenied|InvalidA.*|InvalidSecurityToken)$/);
  });

  it('is rejected if any character of its policy changes', () => {
    const { policy = '' } = formFields;
    for (let index = 0; index < policy.length; index += 7) {
      const other = policy[index] === 'A' ? 'B' : 'A';
      const changed = policy.slice(0, index) + other + policy.slice(index + 1);
      expect(check(vector, { fields: { policy: changed } })).toBe('SignatureDoesNotMatch');
    }
  });

  it('is rejected if any character of its signature changes', () => {
    const { 'x-oss-signature': signature = '' } = formFields;
    for (let index = 0; index < signature.length; index++) {
      const other = signature[index] === '0' ? '1' : '0';
      const changed = signature.slice(0, index) + other + signature.slice(index + 1);
      expect(check(vector, { fields: { 'x-oss-signature': changed } })).toBe('SignatureDoesNotMatch');
    }
  });
});
