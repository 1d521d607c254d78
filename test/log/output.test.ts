import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const LOG_OUTPUT = new URL('../../src/log/output.ts', import.meta.url).href;

const OPTIONS = '{ clock: () => new Date(), report: () => {} }';

const folder = mkdtempSync(join(tmpdir(), 'oss-presign-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Of every kind: short ones that share a block, one that fills more than a block, and text that has more bytes than characters. */
const makeLines = () => [
  ...Array.from({ length: 1000 }, (_, index) => `line ${index}`),
  'x'.repeat(80_000),
  '上传🙂'.repeat(3000),
  ...Array.from({ length: 1000 }, (_, index) => `上传 ${index}`),
  'y'.repeat(36_863),
  'the last one',
];

it.each([
  ['ends by itself', ''],
  ['calls process.exit', 'process.exit(0);'],
  ['fails with an uncaught error', 'throw new Error("uncaught");'],
])('writes every line, in order and whole, when the process %s', async (how, ending) => {
  const script = `
    import { createLogOutput } from ${JSON.stringify(LOG_OUTPUT)};
    const output = createLogOutput(${OPTIONS});
    for (const line of (${makeLines})()) output.write(line + '\\n');
    ${ending}`;
  const file = join(folder, `${how}.log`);
  // `cat` reads at once. This process may not read for longer than the output waits at the end.
  await promisify(execFile)('sh', [
    '-c',
    '"$0" --input-type=module --eval "$1" | cat > "$2"',
    process.execPath,
    script,
    file,
  ]);
  const written = readFileSync(file, 'utf8');
  expect(written.split('\n')).toStrictEqual([...makeLines(), '']);
});

it('writes the first line at once, without waiting for others', async () => {
  // Busy and then killed: whatever waits for a timer or for the end is never written.
  const script = `
    import { createLogOutput } from ${JSON.stringify(LOG_OUTPUT)};
    createLogOutput(${OPTIONS}).write('first\\n');
    setImmediate(() => setImmediate(() => {
      for (const until = performance.now() + 500; performance.now() < until; );
      process.kill(process.pid, 'SIGKILL');
    }));`;
  const written = await new Promise<string>((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', script], (_error, stdout) =>
      resolve(stdout),
    );
  });
  expect(written).toBe('first\n');
});

it('writes a line within moments, also when no other follows', async () => {
  const script = `
    import { createLogOutput } from ${JSON.stringify(LOG_OUTPUT)};
    const output = createLogOutput(${OPTIONS});
    output.write('before\\n');
    setTimeout(() => output.write('alone\\n'), 20);
    process.stdin.resume();`;
  const child = execFile(process.execPath, ['--input-type=module', '--eval', script]);
  let written = '';
  for await (const part of child.stdout ?? []) {
    written += part;
    if (written === 'before\nalone\n') child.stdin?.end();
  }
  expect(written).toBe('before\nalone\n');
});
