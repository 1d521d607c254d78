import { expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

const COMMANDS = ['start', 'check', 'ram-policy', 'bucket-cors', 'decide', 'explain'];

it.each(['--help', '-h'])('%s tells what the program is for and every command', async (flag) => {
  const { code, stdout, stderr } = await runCli([flag]);
  expect([code, stderr]).toStrictEqual([0, '']);
  expect(stdout).toContain('presigned PUT URLs for Alibaba Cloud OSS');
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} +\\w`, 'm'));
});

it.each(COMMANDS)('%s --help has usage, an example and exit codes, and does nothing else', async (name) => {
  const { code, stdout, stderr } = await runCli([name, '--help']);
  expect([code, stderr]).toStrictEqual([0, '']);
  expect(stdout).toMatch(new RegExp(`\n\nUsage: oss-presign ${name}`));
  expect(stdout).toMatch(new RegExp(`\n\nExample:\n  .*oss-presign ${name}`));
  expect(stdout).toMatch(/\n\nExit codes:\n(?: {2}\d {2}.+\n)*$/);
  expect(await runCli([name, '-h'])).toStrictEqual({ code, stdout, stderr });
});

it('says which options may be left out or repeated, and what each is', async () => {
  expect((await runCli(['decide', '--help'])).stdout).toContain(
    'Usage: oss-presign decide --claims FILE --request FILE [--policy FILE]\n',
  );
  expect((await runCli(['bucket-cors', '--help'])).stdout).toContain(
    'Usage: oss-presign bucket-cors [--origin ORIGIN]… [--policy FILE]\n',
  );
});

it('--version is that of the package', async () => {
  expect(await runCli(['--version'])).toStrictEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
});

it.each([
  [[], 'no command is given.'],
  [['nope'], 'there is no command "nope".'],
  [['--policy', 'p.yaml', 'check'], 'the command comes first, and --policy is none.'],
])('%j ends 2 with the fault and the overview on stderr', async (argv, fault) => {
  const { code, stdout, stderr } = await runCli(argv);
  expect([code, stdout]).toStrictEqual([2, '']);
  expect(stderr).toMatch(`error: ${fault}\n\n`);
  expect(stderr).toContain('Usage: oss-presign COMMAND');
});

it.each([
  [['check', '--foo'], ["Unknown option '--foo'."]],
  [['check', 'extra'], ["Unexpected argument 'extra'."]],
  [['check', '--policy'], [expect.stringMatching(/^Option '--policy <value>' argument missing/)]],
  [['check', '--policy='], ['--policy FILE is empty.']],
  [['check', '--policy', 'a', '--policy', 'b'], ['--policy is given more than once.']],
  [['decide'], ['--claims FILE is missing.', '--request FILE is missing.']],
])('%j ends 2 with every fault on stderr', async (argv, faults) => {
  const { code, stdout, stderr } = await runCli(argv);
  expect([code, stdout]).toStrictEqual([2, '']);
  const lines = stderr.trimEnd().split('\n');
  expect(lines.pop()).toBe(`See: oss-presign ${argv[0]} --help`);
  expect(lines.map((line) => line.replace(/^error: /, ''))).toStrictEqual(faults);
});

it('explain says that it is not there yet, and ends 2', async () => {
  const { code, stdout, stderr } = await runCli(['explain']);
  expect([code, stdout]).toStrictEqual([2, '']);
  expect(stderr).toContain('explain is not there yet');
});

it('start turns the process into the service, which then has the exit code', async () => {
  const started: unknown[] = [];
  const startService = async (file: string | undefined) => void started.push(file);
  expect((await runCli(['start', '--policy', 'p.yaml'], { startService })).code).toBeUndefined();
  expect((await runCli(['start'], { startService })).code).toBeUndefined();
  expect(started).toStrictEqual(['p.yaml', undefined]);
});
