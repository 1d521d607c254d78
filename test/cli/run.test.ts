import { expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';

const COMMANDS = ['start', 'check', 'ram-policy', 'bucket-cors', 'lifecycle', 'decide'];

it.each(['--help', '-h', 'help'])('%s prints the purpose of the program and every command', async (flag) => {
  const { code, stdout, stderr } = await runCli([flag]);
  expect([code, stderr]).toStrictEqual([0, '']);
  expect(stdout).toContain('presigned PUT URLs for Alibaba Cloud OSS');
  expect(stdout).not.toMatch(/reserved|not there yet/);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} +\\w`, 'm'));
});

it.each(COMMANDS)('%s --help has usage, an example and exit codes, and does nothing else', async (name) => {
  const { code, stdout, stderr } = await runCli([name, '--help']);
  expect([code, stderr]).toStrictEqual([0, '']);
  expect(stdout).toMatch(new RegExp(`\n\nUsage: oss-presign ${name}`));
  expect(stdout).toMatch(new RegExp(`\n\nExample:\n  .*oss-presign ${name}`));
  expect(stdout).toMatch(/\n\nExit codes:\n(?: {2}\d {2}.+\n)*$/);
  for (const argv of [
    [name, '-h'],
    ['help', name],
    ['--help', name],
    [name, '--polcy', '--help'],
  ])
    expect(await runCli(argv), argv.join(' ')).toStrictEqual({ code, stdout, stderr });
});

it('shows which options are optional or repeatable', async () => {
  expect((await runCli(['decide', '--help'])).stdout).toContain(
    'Usage: oss-presign decide --claims FILE --request FILE [--policy FILE] [--output FILE]\n',
  );
  expect((await runCli(['bucket-cors', '--help'])).stdout).toContain(
    'Usage: oss-presign bucket-cors [--origin ORIGIN]… [--policy FILE] [--output FILE]\n',
  );
});

it('--version prints the version of the package', async () => {
  expect(await runCli(['--version'])).toStrictEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
});

it.each([
  [[], 'expected a command.'],
  [['nope'], 'unknown command "nope".'],
  [['explain'], 'unknown command "explain".'],
  [['chek'], 'unknown command "chek". Did you mean "check"?'],
  [['bucketcors'], 'unknown command "bucketcors". Did you mean "bucket-cors"?'],
  [['help', 'decid'], 'unknown command "decid". Did you mean "decide"?'],
  [['--policy', 'p.yaml', 'check'], 'expected a command, got "--policy".'],
  [['--hlep'], 'expected a command, got "--hlep".'],
  [['a'.repeat(5000)], `unknown command "${'a'.repeat(64)}…".`],
])('%j exits with 2, and prints the fault and the overview on stderr', async (argv, fault) => {
  const { code, stdout, stderr } = await runCli(argv);
  expect([code, stdout]).toStrictEqual([2, '']);
  expect(stderr).toMatch(`error: ${fault}\n\n`);
  expect(stderr).toContain('Usage: oss-presign COMMAND');
});

it.each([
  [['check', '--foo'], ['unknown option "--foo".']],
  [
    ['check', '--foo=bar', '-x'],
    ['unknown option "--foo".', 'unknown option "-x".'],
  ],
  [['check', '--polcy', 'p.yaml'], ['unknown option "--polcy". Did you mean "--policy"?']],
  [
    ['decide', '--claim', 'c.json', '--request', 'r.json'],
    ['unknown option "--claim". Did you mean "--claims"?', '--claims FILE is missing.'],
  ],
  [['check', 'extra'], ['unexpected argument "extra".']],
  [['check', '--', 'extra'], ['unexpected argument "extra".']],
  [['check', '--policy'], ['--policy needs a value: --policy FILE.']],
  [
    ['decide', '--claims', '--request', 'r.json'],
    ['--claims needs a value: --claims FILE.', 'unexpected argument "r.json".', '--request FILE is missing.'],
  ],
  [['check', '--policy='], ['--policy FILE is empty.']],
  [['check', '--policy', 'a', '--policy', 'b'], ['--policy is given more than once.']],
  [['check', '--constructor', 'x'], ['unknown option "--constructor".']],
  [['decide'], ['--claims FILE is missing.', '--request FILE is missing.']],
])('%j exits with 2, and prints every fault on stderr', async (argv, faults) => {
  const { code, stdout, stderr } = await runCli(argv);
  expect([code, stdout]).toStrictEqual([2, '']);
  const lines = stderr.trimEnd().split('\n');
  expect(lines.pop()).toBe(`See: oss-presign ${argv[0]} --help`);
  expect(lines.map((line) => line.replace(/^error: /, ''))).toStrictEqual(faults);
});

it('start runs the service in this process, and returns no exit code', async () => {
  const started: unknown[] = [];
  const startService = async (env: object) => void started.push(env);
  const env = { PORT: '1' };
  expect((await runCli(['start', '--policy', 'p.yaml'], { startService, env })).code).toBeUndefined();
  expect((await runCli(['start'], { startService, env })).code).toBeUndefined();
  expect(started).toStrictEqual([{ PORT: '1', POLICY_FILE: 'p.yaml' }, { PORT: '1' }]);
});

it('adds the variables of .env to the environment, never over it, and names them without a value', async () => {
  const started: unknown[] = [];
  const { stdout, stderr } = await runCli(['start'], {
    startService: async (env) => void started.push(env),
    env: { PORT: '1', CORS_ORIGINS: '' },
    files: {
      '.env':
        'PORT=2\nCORS_ORIGINS=https://a.example.com\nOSS_ACCESS_KEY_SECRET="TheSecret"\nLOG_LEVEL=debug # x\n',
    },
  });
  expect(started).toStrictEqual([
    { PORT: '1', CORS_ORIGINS: '', OSS_ACCESS_KEY_SECRET: 'TheSecret', LOG_LEVEL: 'debug' },
  ]);
  expect([stdout, stderr]).toStrictEqual(['', 'note: read from .env: LOG_LEVEL, OSS_ACCESS_KEY_SECRET\n']);
});

it('exits with 2 and the fault of .env, which the help does not read', async () => {
  const files = { '.env': 'PORT=1\nbroken' };
  const { code, stderr } = await runCli(['check'], { files });
  expect([code, stderr]).toStrictEqual([
    2,
    'error: .env line 2: expected NAME=value or a comment.\nSee: oss-presign check --help\n',
  ]);
  for (const argv of [['--help'], ['--version'], ['help', 'check'], ['check', '--help']])
    expect((await runCli(argv, { files })).code, argv.join(' ')).toBe(0);
});
