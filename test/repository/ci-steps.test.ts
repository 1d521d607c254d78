import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { expect, it } from 'vitest';

const script = join(import.meta.dirname, '../../.ci/run');

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(script, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

it('.ci/run --list prints the id of each step with a sentence', () => {
  const { status, stdout, stderr } = run(['--list']);
  expect([status, stderr]).toStrictEqual([0, '']);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toContain('test          The tests that need only npm pass');
  for (const line of lines) expect(line).toMatch(/^[a-z-]+ +[A-Z].+[^.]$/);
  expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(lines.length);
});

it.each([[['tset']], [['unchanged', '--lst']], [['--list', 'test']]])(
  '.ci/run %s runs nothing, names what it does not know, and exits with 2',
  (args) => {
    const unknown = args.find((one) => !['unchanged', 'test'].includes(one));
    expect(run(args)).toStrictEqual({
      status: 2,
      stdout: '',
      stderr: `error: there is no step "${unknown}"; .ci/run --list shows all steps\n`,
    });
  },
);

it('.ci/run engine fails with one sentence if there is no container engine', () => {
  const { status, stdout, stderr } = run(['engine'], { CONTAINER_TOOL: '/nowhere/containers' });
  expect([status, stderr]).toStrictEqual([1, '']);
  expect(stdout.split('\n')).toStrictEqual([
    '',
    '=== engine: A container engine is available',
    'The container suite needs a running Docker engine (docker info fails), or a script in CONTAINER_TOOL.',
    '',
    'FAILED: engine: A container engine is available',
    'steps: 0 passed, 1 failed',
    '',
  ]);
});
