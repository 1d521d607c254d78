import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { environmentSchema } from '../../src/config/config.ts';
import { DEV_USAGE } from '../../src/demo/dev-options.ts';
import { codeBlocks, commandsOf, documents, proseOf, readDocument } from '../support/documents.ts';
import { runCli } from '../support/run-cli.ts';

/** Everything that a document shows as code: commands, and spans within a sentence. */
function codeOf(document: string): readonly string[] {
  const spans = [...proseOf(document).matchAll(/`([^`]+)`/g)].map(([, span = '']) =>
    span.replaceAll('\n', ' '),
  );
  return [...commandsOf(document), ...spans];
}

const withCommands = documents.filter((document) => commandsOf(document).length > 0);

it.each(withCommands)('%s: every shell block is valid shell', (document) => {
  for (const block of codeBlocks(document, 'sh')) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: block, encoding: 'utf8' });
    expect({ block, status, stderr }).toStrictEqual({ block, status: 0, stderr: '' });
  }
});

it.each(documents)('%s pipes or redirects the output of `npm run` only if npm is silent', (document) => {
  expect(readDocument(document).match(/npm run (?!-s )[^`\n]*[|>]|npm run cli\b/g)).toBeNull();
});

/** The commands of oss-presign that code names, with their options. */
const namedCommands = documents.flatMap((document) =>
  codeOf(document).flatMap((code) =>
    [...code.matchAll(/(?:oss-presign|npm run -s cli --) (?!help\b)([a-z][a-z-]*)([^|;&\n]*)/g)].map(
      ([, name = '', rest = '']) => ({
        document,
        name,
        options: [...rest.matchAll(/ (--[a-z-]+)/g)].map(([, option = '']) => option),
      }),
    ),
  ),
);

it('every command and option of oss-presign that a document names exists', async () => {
  expect(namedCommands.length).toBeGreaterThan(20);
  for (const { document, name, options } of namedCommands) {
    const { code, stdout } = await runCli(['help', name]);
    expect({ document, name, code }).toStrictEqual({ document, name, code: 0 });
    const missing = options.filter((option) => !stdout.includes(`${option} `));
    expect({ document, name, missing }).toStrictEqual({ document, name, missing: [] });
  }
});

it('every option of npm run dev that a document names exists', () => {
  const named = documents.flatMap((document) =>
    codeOf(document).flatMap((code) => /^npm run dev -- (--[a-z-]+)/.exec(code)?.[1] ?? []),
  );
  expect(named).not.toStrictEqual([]);
  expect(named.filter((option) => !DEV_USAGE.includes(`${option} `))).toStrictEqual([]);
});

it.each(documents)('%s names only environment variables that exist', (document) => {
  const known = [...Object.keys(environmentSchema.shape), 'OSS_PRESIGN_TOKEN'];
  const named = codeOf(document).flatMap((code) => [
    ...(code.match(/(?<![\w$])(?:AUDIT|CORS|LOG|METRICS|OSS|POLICY|REDIS|SHUTDOWN|TRUST)_[A-Z_]+\b(?!…)/g) ??
      []),
  ]);
  // An example of a mistyped variable, and a constant.
  const others = ['CORS_ORIGIN', 'FILE_POLL_INTERVAL_MS'];
  expect(named.filter((name) => !known.includes(name) && !others.includes(name))).toStrictEqual([]);
});

it('every option in the command of docs/emulator.md exists', () => {
  const [command = ''] = commandsOf('docs/emulator.md');
  const named = command.match(/--[a-z-]+/g) ?? [];
  const usage = readDocument('src/emulator/main.ts');
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((option) => !usage.includes(`\n  ${option} `))).toStrictEqual([]);
});
