import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../src/emulator/forms/check-policy.ts';
import { parsePolicyDocument } from '../../src/emulator/forms/policy-document.ts';
import { OssError } from '../../src/emulator/oss-error.ts';
import { now } from '../support/fixed-clock.ts';

const EXPIRATION = '2026-11-23T10:00:01.000Z';
const encode = (text: string) => Buffer.from(text).toString('base64');
const policyOf = (...conditions: unknown[]) => encode(JSON.stringify({ expiration: EXPIRATION, conditions }));

/** The outcome of a policy for a form to the bucket `media`. */
function check(policy: string, fields: Readonly<Record<string, string>> = {}) {
  try {
    return checkPolicy(parsePolicyDocument(policy), {
      bucket: 'media',
      fields: new Map(Object.entries(fields)),
      now,
    });
  } catch (error) {
    if (error instanceof OssError) return `${error.status} ${error.code} ${error.ec}: ${error.message}`;
    throw error;
  }
}

const FAILED = '403 AccessDenied 0006-00000227: Invalid according to Policy: Policy Condition failed: ';

describe.each<[unknown, Record<string, string>, boolean, string]>([
  [{ bucket: 'media' }, {}, true, ''],
  [{ bucket: 'other' }, { bucket: 'other' }, false, '["eq", "$bucket", "other"]'],
  [['eq', '$bucket', 'media'], {}, true, ''],
  [{ key: 'a' }, { key: 'a' }, true, ''],
  [{ key: 'a' }, { key: 'A' }, false, '["eq", "$key", "a"]'],
  [{ key: 'a' }, {}, false, '["eq", "$key", "a"]'],
  [['eq', '$key', 'a"\\b'], { key: 'a"\\b' }, true, ''],
  [['eq', '$key', 'a"\\b'], { key: 'c' }, false, '["eq", "$key", "a\\"\\\\b"]'],
  [['eq', '$Content-Type', 'image/png'], { 'content-type': 'image/png' }, true, ''],
  [
    ['eq', '$Content-Type', 'image/png'],
    { 'content-type': 'image/PNG' },
    false,
    '["eq", "$content-type", "image/png"]',
  ],
  [['eq', '$x-oss-forbid-overwrite', 'true'], {}, false, '["eq", "$x-oss-forbid-overwrite", "true"]'],
  [['starts-with', '$key', 'u/alice/'], { key: 'u/alice/a' }, true, ''],
  [['starts-with', '$key', 'u/alice/'], { key: 'u/alic' }, false, '["starts-with", "$key", "u/alice/"]'],
  [['starts-with', '$key', ''], { key: '' }, true, ''],
  [['starts-with', '$key', ''], {}, false, '["starts-with", "$key", ""]'],
  [['in', '$content-type', ['a/b', 'c/d']], { 'content-type': 'c/d' }, true, ''],
  [
    ['in', '$content-type', ['a/b', 'c/d']],
    { 'content-type': 'c' },
    false,
    '["in", "$content-type", ["a/b", "c/d"]]',
  ],
  [['in', '$content-type', []], { 'content-type': '' }, false, '["in", "$content-type", []]'],
  [['not-in', '$cache-control', ['no-cache']], { 'cache-control': 'max-age=60' }, true, ''],
  [
    ['not-in', '$cache-control', ['no-cache']],
    { 'cache-control': 'no-cache' },
    false,
    '["not-in", "$cache-control", ["no-cache"]]',
  ],
  [['not-in', '$cache-control', ['no-cache']], {}, false, '["not-in", "$cache-control", ["no-cache"]]'],
  [['eq', '$x:uid', 'alice'], { 'x:uid': 'bob' }, false, '["eq", "$x:uid", "alice"]'],
])('the condition %j', (condition, fields, isMet, quoted) => {
  it(`${isMet ? 'accepts' : 'rejects'} ${JSON.stringify(fields)}`, () => {
    const outcome = check(policyOf(condition), fields);
    expect(outcome).toStrictEqual(isMet ? { min: 0, max: 5 * 1024 ** 3 } : FAILED + quoted);
  });
});

it('fields that no condition names are free', () => {
  const fields = { 'x-oss-object-acl': 'public-read', 'x-oss-meta-a': '1', anything: '2' };
  expect(check(policyOf({ bucket: 'media' }), fields)).toStrictEqual({ min: 0, max: 5 * 1024 ** 3 });
});

it('all ranges of a policy apply', () => {
  const policy = policyOf(
    ['content-length-range', 1, 10],
    ['content-length-range', 5, 20],
    ['content-length-range', 0, 15],
  );
  expect(check(policy)).toStrictEqual({ min: 5, max: 10 });
});

it.each([
  [String.raw`{"key":"\$a"}`, '$a'],
  [String.raw`["eq","$key","a\$b\$"]`, 'a$b$'],
  [String.raw`["eq","$key","\\$"]`, '\\$'],
  [String.raw`["eq","$key","\\\$"]`, '\\$'],
  [String.raw`["eq","$key","\"\\\u56fe"]`, '"\\图'],
])('the escapes in %s are read', (condition, key) => {
  const policy = encode(`{"expiration":"${EXPIRATION}","conditions":[${condition}]}`);
  expect(check(policy, { key })).toStrictEqual({ min: 0, max: 5 * 1024 ** 3 });
  expect(check(policy, { key: `${key}x` })).toContain(FAILED);
});

it.each([
  ['2026-11-23T10:00:00.001Z', true],
  ['2026-11-23T10:00:01Z', true],
  ['2026-11-23T10:00:00.000Z', false],
  ['2026-11-23T09:59:59.999Z', false],
])('at 10:00:00, a policy with the expiration %s is valid: %s', (expiration, isValid) => {
  const outcome = check(encode(JSON.stringify({ expiration, conditions: [] })));
  expect(outcome).toStrictEqual(
    isValid
      ? { min: 0, max: 5 * 1024 ** 3 }
      : '403 AccessDenied 0006-00000213: Invalid according to Policy: Policy expired.',
  );
});

const document = (members: object) => encode(JSON.stringify(members));
const withCondition = (condition: unknown) => policyOf(condition);

it.each<[string, string, string]>([
  ['no Base64', 'e30*', '201'],
  ['Base64 of the URL alphabet', encode('{"a":"??>"}').replaceAll('/', '_').replaceAll('+', '-'), '201'],
  ['no JSON', encode('{'), '201'],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('base64'), '201'],
  ['an empty text', '', '201'],
  ['a list', document([]), '201'],
  ['null', encode('null'), '201'],
  ['no conditions', document({ expiration: EXPIRATION }), '207'],
  ['no expiration', document({ conditions: [] }), '208'],
  ['an expiration that is a number', document({ expiration: 1, conditions: [] }), '208'],
  ['an expiration without a zone', document({ expiration: '2027-01-01T00:00:00', conditions: [] }), '208'],
  [
    'an expiration on a day that there is not',
    document({ expiration: '2027-02-30T00:00:00Z', conditions: [] }),
    '208',
  ],
  ['neither of the two', document({}), '209'],
  ['conditions that are a map', document({ expiration: EXPIRATION, conditions: { key: 'a' } }), '214'],
  ['a mode that there is not', withCondition(['ends-with', '$key', 'a']), '216'],
  ['a condition without a mode', withCondition([]), '216'],
  ['a map of two', withCondition({ key: 'a', bucket: 'media' }), '218'],
  ['a list of four', withCondition(['eq', '$key', 'a', 'b']), '218'],
  ['a range of three', withCondition(['content-length-range', 1, 2, 3]), '218'],
  ['a range from more to less', withCondition(['content-length-range', 2, 1]), '219'],
  ['a minimum that is a text', withCondition(['content-length-range', '1', 2]), '221'],
  ['a negative minimum', withCondition(['content-length-range', -1, 2]), '221'],
  ['a maximum with a fraction', withCondition(['content-length-range', 1, 2.5]), '223'],
  ['no maximum', withCondition(['content-length-range', 1]), '223'],
  ['a condition that is a text', withCondition('$key'), '222'],
  ['a condition that is null', withCondition(null), '222'],
  ['an empty map', withCondition({}), '222'],
  ['a map to a number', withCondition({ key: 1 }), '222'],
  ['a field without its dollar sign', withCondition(['eq', 'key', 'a']), '222'],
  ['a value that is a list', withCondition(['eq', '$key', ['a']]), '222'],
  ['no value', withCondition(['eq', '$key']), '222'],
  ['values that are a text', withCondition(['in', '$key', 'a']), '224'],
  ['values that are numbers', withCondition(['not-in', '$key', [1]]), '224'],
])('a policy with %s is invalid', (_name, policy, ec) => {
  expect(check(policy, { key: 'a' })).toMatch(new RegExp(`^400 InvalidPolicyDocument 0006-00000${ec}: `));
});
