import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { startDev } from '../support/dev-server.ts';

it.each([
  ['its own policy', []],
  ['an unchanged policy of an operator', ['--policy', 'policy.example.yaml']],
])('the commands that npm run dev prints upload a file with %s', async (_what, args) => {
  const { banner } = await startDev(['--port', '0', ...args]);
  const commands = banner.slice(banner.indexOf('\nTOKEN='), banner.indexOf('\nPress Ctrl+C'));
  const script = commands.replaceAll(/^(Request an|Send the) .*$/gm, '');
  const output = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
  expect(output).toMatch(/^\{"method":"PUT".*\n?HTTP\/1\.1 200 OK\r$/m);
});
