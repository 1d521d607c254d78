import { expect, it } from 'vitest';
import { curlCommand, curlForm, curlPart } from '../../src/demo/curl-command.ts';
import { renderProgress } from '../../src/demo/progress-bar.ts';

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
