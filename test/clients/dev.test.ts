import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { startDev } from '../support/dev-server.ts';

it.each([
  ['its own policy', []],
  ['an unchanged policy of an operator', ['--policy', 'policy.example.yaml']],
])('the commands that npm run dev prints upload and confirm a file with %s', async (_what, args) => {
  const { banner } = await startDev(['--port', '0', ...args]);
  const commands = banner.slice(banner.indexOf('\nTOKEN='), banner.indexOf('\nPress Ctrl+C'));
  const script = commands.replaceAll(/^[A-Z][a-z].*:$/gm, '');
  const output = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
  expect(output).toMatch(/^\{"transfer":"put".*\n?HTTP\/1\.1 200 OK\r$/m);
  expect(output).toMatch(/^\{"state":"stored",.*"receipt":"/m);
});
