import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { codeBlocks, shownPattern } from '../../support/documents.ts';

it('npm run demo does the main job from end to end, and exits with 0', async () => {
  const child = spawn(process.execPath, ['src/demo/demo.ts'], {
    env: { ...process.env, ...COMPILE_CACHE },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect({ stderr, code }).toStrictEqual({ stderr: '', code: 0 });
  for (const line of [
    '201 Created',
    '100 %  24.0 of 24.0 MiB',
    '200 OK, ETag',
    'offered as attachment; filename="Holiday 2026.png"',
    'The same bytes.',
    'users/alice/holiday.png',
    'its receipt is valid',
    'Then it sends each part to its URL:',
    'The connection broke in the middle of part 2',
    '"from": 2',
    'has 31457280 bytes, those of the file',
    'the receipts are valid',
    '"code": "key_outside_prefix"',
    '"code": "content_type_not_allowed"',
    '403 SignatureDoesNotMatch',
    'all three forbidden uploads were rejected',
  ]) {
    expect(stdout).toContain(line);
  }
  const [shown] = codeBlocks('README.md', '').filter((block) => block.includes('201 Created'));
  expect(stdout).toMatch(shownPattern(`…${shown}`));
});
