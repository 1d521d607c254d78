import { execFileSync } from 'node:child_process';
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
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { commandsOf, documents, readDocument } from '../../support/documents.ts';

const root = new URL('../../../', import.meta.url).pathname;
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
