import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { curlCommand, curlForm, curlPart } from '../../src/demo/curl-command.ts';
import { renderProgress } from '../../src/demo/progress-bar.ts';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { codeBlocks, shownPattern } from '../support/documents.ts';

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

it('the progress bar grows from 0 % to 100 %', () => {
  expect(renderProgress(0, 4 * 1024 ** 2, 8)).toBe('  [--------]   0 %  0.0 of 4.0 MiB');
  expect(renderProgress(1024 ** 2, 4 * 1024 ** 2, 8)).toBe('  [##------]  25 %  1.0 of 4.0 MiB');
  expect(renderProgress(0, 0, 8)).toBe('  [########] 100 %  0.0 of 0.0 MiB');
});

it('a curl command survives quotes in its values', () => {
  expect(curlCommand({ method: 'PUT', url: "http://a/it's", headers: { A: "b'c" } })).toBe(
    `curl -sS -X PUT 'http://a/it'\\''s' \\\n    -H 'A: b'\\''c'`,
  );
});

it('the curl command of a form sends every field as it is, and the file last', () => {
  const fields = { key: "it's", 'x-oss-meta-a': '@b' };
  expect(curlForm({ url: 'http://a/', fields, fileField: 'file', file: 'a.txt' })).toBe(
    `curl -sS 'http://a/' \\\n    --form-string 'key=it'\\''s' \\\n    --form-string 'x-oss-meta-a=@b' \\\n    --form 'file=@a.txt'`,
  );
});

it('the curl command of a part cuts it out of the file, and sends no type', () => {
  expect(curlPart({ url: 'http://a/?b&c', file: "it's.mp4", offset: 8, contentLength: 4 })).toBe(
    `tail -c +9 'it'\\''s.mp4' | head -c 4 | \\\n    curl -sS -X PUT 'http://a/?b&c' \\\n    -H 'Content-Type:' --data-binary @-`,
  );
});
