import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { parseCompleteRequestBody, parseStatusRequestBody } from '../../../src/grants/completion/request.ts';

function faultsOf(parse: (body: unknown) => unknown, body: unknown): unknown {
  try {
    parse(body);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'invalid_request')
      return error.errors ?? error.detail;
    throw error;
  }
  throw new Error('the body is accepted');
}

const BOTH = [
  ['status', parseStatusRequestBody],
  ['complete', parseCompleteRequestBody],
] as const;

describe.each(BOTH)('the body of %s', (_title, parse) => {
  it.each([
    ['an id', { id: 'abc.def' }],
    ['the longest id', { id: 'x'.repeat(3072) }],
  ])('accepts %s', (_case, body) => {
    expect(parse(body)).toStrictEqual(body);
  });

  it.each<[string, unknown, unknown]>([
    ['no object', 'abc', 'The body must be a JSON object.'],
    ['a list', ['abc'], 'The body must be a JSON object.'],
    ['null', null, 'The body must be a JSON object.'],
    ['no id', {}, [{ pointer: '/id', code: 'required', detail: 'id is required.' }]],
    ['a number', { id: 7 }, [{ pointer: '/id', code: 'invalid_type', detail: 'id must be a string.' }]],
    ['an empty list', { id: [] }, [{ pointer: '/id', code: 'invalid_type', detail: 'id must be a string.' }]],
    [
      'a long list',
      { id: Array.from({ length: 3073 }, () => 0) },
      [{ pointer: '/id', code: 'invalid_type', detail: 'id must be a string.' }],
    ],
    ['an empty id', { id: '' }, [{ pointer: '/id', code: 'invalid_value', detail: 'id must not be empty.' }]],
    [
      'a longer id',
      { id: 'x'.repeat(3073) },
      [{ pointer: '/id', code: 'invalid_value', detail: 'id must have at most 3072 characters.' }],
    ],
    [
      'an unknown field',
      { id: 'a', key: 'users/alice/a.png' },
      [{ pointer: '/key', code: 'unknown_field', detail: 'Unknown field "key"; leave it out.' }],
    ],
    [
      'a name of OSS',
      { uploadId: 'a' },
      [
        { pointer: '/id', code: 'required', detail: 'id is required.' },
        {
          pointer: '/uploadId',
          code: 'unknown_field',
          detail: 'Unknown field "uploadId". Did you mean "id"?',
        },
      ],
    ],
  ])('rejects %s', (_case, body, faults) => {
    expect(faultsOf(parse, body)).toStrictEqual(faults);
  });
});

it.each(['0', '1', '9962105210321023210', '18446744073709551615'])('accepts the CRC-64 %s', (crc64) => {
  expect(parseCompleteRequestBody({ id: 'a', crc64 })).toStrictEqual({ id: 'a', crc64 });
});

const CRC64_FAULT =
  'crc64 must be a whole number from 0 to 18446744073709551615 in digits, without a sign and without leading zeros.';

it.each([
  '18446744073709551616',
  '99999999999999999999',
  '184467440737095516150',
  '1'.repeat(60_000),
  '01',
  '00',
  '-1',
  '+1',
  '1e3',
  '0x1',
  ' 1',
  '1\n',
  '',
  '١',
])('rejects the CRC-64 %j with one fault', (crc64) => {
  expect(faultsOf(parseCompleteRequestBody, { id: 'a', crc64 })).toStrictEqual([
    { pointer: '/crc64', code: 'invalid_value', detail: CRC64_FAULT },
  ]);
});

it('rejects a CRC-64 that is a number, because JSON numbers are not exact', () => {
  expect(faultsOf(parseCompleteRequestBody, { id: 'a', crc64: 7 })).toStrictEqual([
    { pointer: '/crc64', code: 'invalid_type', detail: 'crc64 must be a string.' },
  ]);
});

it('rejects a CRC-64 for the status, which compares none', () => {
  expect(faultsOf(parseStatusRequestBody, { id: 'a', crc64: '1' })).toStrictEqual([
    { pointer: '/crc64', code: 'unknown_field', detail: 'Unknown field "crc64"; leave it out.' },
  ]);
});
