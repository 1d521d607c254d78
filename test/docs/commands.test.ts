import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import { environmentSchema } from '../../src/config/config.ts';
import { DEV_USAGE } from '../../src/demo/dev-options.ts';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { codeBlocks, documents, proseOf, readDocument } from '../support/documents.ts';
import { runCli } from '../support/run-cli.ts';

const root = new URL('../../', import.meta.url).pathname;

/**
 * Each command of the shell blocks and of the examples with a `$` prompt, in the order in which a
 * reader meets them.
 */
function commandsOf(document: string): readonly string[] {
  const blocks = [...readDocument(document).matchAll(/^```(sh|console)\n([\s\S]*?)^```/gm)];
  return blocks.flatMap(([, language, block = '']) => {
    const lines = block.replaceAll(/\\\n\s*/g, '').split('\n');
    if (language === 'console') return lines.flatMap((line) => (/^\$ (.*)/.exec(line) ?? []).slice(1));
    return lines.filter((line) => line !== '' && !line.startsWith('#'));
  });
}

/** Everything that a document shows as code: commands, and spans within a sentence. */
function codeOf(document: string): readonly string[] {
  const spans = [...proseOf(document).matchAll(/`([^`]+)`/g)].map(([, span = '']) =>
    span.replaceAll('\n', ' '),
  );
  return [...commandsOf(document), ...spans];
}

const withCommands = documents.filter((document) => commandsOf(document).length > 0);

/**
 * Prints as npm does: unless it runs with --silent, its banner goes to stdout, where a pipe or a
 * redirection takes it.
 */
const NPM = `#!/bin/sh
[ "$1" = run ] || exit 0
shift
case "$1" in
  -s | --silent) shift ;;
  *) printf '\\n> oss-presign@0.1.0 %s\\n> node src/cli/main.ts\\n\\n' "$1" ;;
esac
[ "$1" = cli ] || exit 0
shift 2
exec oss-presign "$@"
`;
const NPX = '#!/bin/sh\nshift\nexec oss-presign "$@"\n';
const OTHER_PROGRAMS = ['curl', 'docker', 'kubectl', 'ossutil', 'aliyun', 'git'];

/**
 * A folder with the files of a checkout that the commands name, and stand-in programs in front of
 * the PATH.
 */
function createCheckout(): {
  readonly folder: string;
  run(command: string): void;
  files(): readonly string[];
} {
  const base = mkdtempSync(join(tmpdir(), 'oss-presign-docs-'));
  onTestFinished(() => rmSync(base, { recursive: true }));
  const [folder, bin] = [join(base, 'checkout'), join(base, 'bin')];
  mkdirSync(folder);
  mkdirSync(bin);
  copyFileSync(join(root, 'policy.example.yaml'), join(folder, 'policy.example.yaml'));
  copyFileSync(join(root, '.env.example'), join(folder, '.env.example'));
  const cli = `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'src/cli/main.ts')}' "$@"\n`;
  const programs = { npm: NPM, npx: NPX, 'oss-presign': cli };
  const all = { ...Object.fromEntries(OTHER_PROGRAMS.map((name) => [name, '#!/bin/sh\n'])), ...programs };
  for (const [name, script] of Object.entries(all)) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  return {
    folder,
    files: () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort(),
    run: (command) => {
      try {
        execFileSync('sh', ['-c', command], {
          cwd: folder,
          env: { ...COMPILE_CACHE, PATH: `${bin}:/usr/bin:/bin` },
          stdio: 'ignore',
          timeout: 15_000,
        });
      } catch {
        // Only the files that it leaves behind count: there may be no network.
      }
    },
  };
}

/** Whether a command can leave a file behind; the others only print, which other tests look at. */
const canWrite = (command: string) => /[|>]|--output|^sh |\bcp\b/.test(command);

/** Checks the files that the commands of a page have written. */
const WRITTEN: Readonly<Record<string, (read: (name: string) => string) => void>> = {
  'docs/cloud-setup.md': (read) => {
    expect(JSON.parse(read('ram-policy.json'))).toHaveProperty('Version', '1');
    expect(readDocument('docs/cloud-setup.md')).toContain(read('set-cors.sh'));
    expect(read('cors-acme-media.xml')).toMatch(/^<\?xml version="1\.0"/);
  },
};

it('the pages whose files are checked have commands', () => {
  expect(withCommands).toStrictEqual(expect.arrayContaining(Object.keys(WRITTEN)));
});

it.each(withCommands)(
  '%s: each command leaves behind only the file that it names, with what the page shows',
  (document) => {
    const checkout = createCheckout();
    const expected = new Set(checkout.files());
    for (const command of commandsOf(document).filter(canWrite)) {
      checkout.run(command);
      for (const [, file = ''] of command.matchAll(/(?:--output|>) *([\w.-]+)/g)) expected.add(file);
      const [, copy] = /^cp \S+ (\S+)$/.exec(command) ?? [];
      if (copy !== undefined) expected.add(copy);
      // The script of bucket-cors writes the XML that it then sends.
      if (command === 'sh set-cors.sh') expected.add('cors-acme-media.xml');
      expect(checkout.files(), command).toStrictEqual([...expected].sort());
    }
    WRITTEN[document]?.((name) => readFileSync(join(checkout.folder, name), 'utf8'));
  },
);

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
