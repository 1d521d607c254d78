import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';

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

describe('with commands that only print what they were called with', () => {
  /** Runs .ci/run with stand-ins for npm, apt-get and sudo. */
  function dryRun(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'oss-presign-ci-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const commands = {
      npm: 'case "$1" in exec) echo v24.21.0 ;; *) echo "npm $*" ;; esac; [ "$*" != "$FAILING" ]',
      'apt-get': 'echo "apt-get $*" >&2',
      sudo: 'exec "$@"',
    };
    for (const [name, text] of Object.entries(commands))
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const { status, stdout } = run(args, { PATH: `${folder}:${process.env.PATH}`, ...env });
    return { status, lines: stdout.split('\n').filter((line) => !/^(---|$)/.test(line)) };
  }

  it('a step runs after the steps that install what it needs, each of them once', () => {
    expect(dryRun(['redis', 'properties'])).toStrictEqual({
      status: 0,
      lines: [
        '=== install: Dependencies install from the lock file',
        'npm ci',
        'npm scripts run on Node.js v24.21.0',
        '=== properties: The property tests pass with all of their cases',
        'npm run test:properties',
        '=== redis-server: Redis installs',
        '=== redis: The limiter passes its tests with a real Redis',
        'npm run test:redis',
        'steps: 4 passed, 0 failed',
      ],
    });
  });

  it('the first failure ends the run with its exit code and names the step', () => {
    const { status, lines } = dryRun(['redis', 'demo'], { FAILING: 'run demo' });
    expect([status, lines.slice(-3)]).toStrictEqual([
      1,
      ['npm run demo', 'FAILED: demo: The demo uploads a file', 'steps: 1 passed, 1 failed'],
    ]);
  });

  it('NODE_MAJOR installs that Node.js, and fails if the npm scripts run on another one', () => {
    const { status, lines } = dryRun(['install'], { NODE_MAJOR: '26' });
    expect([status, lines.slice(1, -2)]).toStrictEqual([
      1,
      [
        'npm ci',
        'npm install --no-save --no-audit --no-fund node@26',
        'npm scripts run on Node.js v24.21.0',
        'NODE_MAJOR=26 is not what npm scripts run on.',
      ],
    ]);
    expect(dryRun(['install'], { NODE_MAJOR: '24' }).status).toBe(0);
  });
});
