import { expect, it } from 'vitest';
import { cutForLog } from '../../src/text/log-text.ts';

it('cuts what a caller chose to 256 characters, never within a surrogate pair', () => {
  expect(cutForLog('x'.repeat(256))).toBe('x'.repeat(256));
  expect(cutForLog('x'.repeat(257))).toBe(`${'x'.repeat(255)}…`);
  expect(cutForLog(`${'x'.repeat(254)}🙂🙂`)).toBe(`${'x'.repeat(254)}…`);
});
