import { expect, it } from 'vitest';
import { renderCheck } from '../../src/health/check.ts';

const STATIC = { name: 'credentials', ok: true, detail: 'static' };

it.each([
  ['ok credentials\n', STATIC, { details: false }],
  ['ok credentials: static\n', STATIC, { details: true }],
  ['FAILED credentials: expired\n', { ...STATIC, ok: false, detail: 'expired' }, { details: true }],
  ['FAILED credentials\n', { name: 'credentials', ok: false }, { details: true }],
])('renders %j', (line, check, options) => {
  expect(renderCheck(check, options)).toBe(line);
});
