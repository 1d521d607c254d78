import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { systemErrorCode } from '../../src/text/system-error.ts';

it('returns the code of a system error', () => {
  let error: unknown;
  try {
    readFileSync(new URL('no-such-file', import.meta.url));
  } catch (caught) {
    error = caught;
  }
  expect(systemErrorCode(error)).toBe('ENOENT');
});

it.each([
  ['an error without a code', new Error('no code')],
  ['an error whose code is not text', Object.assign(new Error('number'), { code: 7 })],
  ['a value that is not an error', { code: 'ENOENT' }],
  ['undefined', undefined],
])('returns "unknown error" for %s', (_, error) => {
  expect(systemErrorCode(error)).toBe('unknown error');
});
