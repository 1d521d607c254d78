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

const root = new URL('../../', import.meta.url).pathname;
const DOCUMENTS = ['README.md', 'docs/cloud-setup.md'];

/** Each command of the shell blocks and of the examples with a `$` prompt, in the order in which a reader meets them. */
function commandsOf(document: string): readonly string[] {
  const text = readFileSync(join(root, document), 'utf8');
  const blocks = [...text.matchAll(/^```(sh|console)\n([\s\S]*?)^```/gm)];
  return blocks.flatMap(([, language, block = '']) => {
    const lines = block.replaceAll(/\\\n\s*/g, '').split('\n');
    if (language === 'console') return lines.flatMap((line) => (/^\$ (.*)/.exec(line) ?? []).slice(1));
    return lines.filter((line) => line !== '' && !line.startsWith('#'));
  });
}

/** Prints as npm does: unless it runs with --silent, its banner goes to stdout, where a pipe or a redirection takes it. */
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

/** A folder with the files of a checkout that the commands name, and stand-in programs in front of the PATH. */
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
          env: { PATH: `${bin}:/usr/bin:/bin` },
          stdio: 'ignore',
          timeout: 15_000,
        });
      } catch {
        // What it leaves behind counts, not whether the network was there.
      }
    },
  };
}

/** Whether a command can leave a file behind; the others only print, which other tests look at. */
const canWrite = (command: string) => /[|>]|--output|^sh |\bcp\b/.test(command);

it.each(DOCUMENTS)('%s: no command leaves a file behind but the one that it names', (document) => {
  const checkout = createCheckout();
  const expected = new Set(checkout.files());
  for (const command of commandsOf(document).filter(canWrite)) {
    checkout.run(command);
    for (const [, file = ''] of command.matchAll(/(?:--output|>) *([\w.-]+)/g)) expected.add(file);
    if (command === 'cp .env.example .env') expected.add('.env');
    // The script of bucket-cors writes the XML that it then sends.
    if (command === 'sh set-cors.sh') expected.add('cors-acme-media.xml');
    expect(checkout.files(), command).toStrictEqual([...expected].sort());
  }
});

it('docs/cloud-setup.md: what the commands write is a JSON document, a shell script and the XML of the page', () => {
  const checkout = createCheckout();
  const commands = commandsOf('docs/cloud-setup.md').filter(canWrite);
  expect(commands).toHaveLength(3);
  for (const command of commands) checkout.run(command);
  const read = (name: string) => readFileSync(join(checkout.folder, name), 'utf8');
  expect(JSON.parse(read('ram-policy.json'))).toHaveProperty('Version', '1');
  expect(readFileSync(join(root, 'docs/cloud-setup.md'), 'utf8')).toContain(read('set-cors.sh'));
  expect(read('cors-acme-media.xml')).toMatch(/^<\?xml version="1\.0"/);
});

it('no document pipes or redirects what `npm run` prints, unless npm is silent', () => {
  const documents = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  for (const document of ['README.md', 'CONTRIBUTING.md', ...documents]) {
    const text = readFileSync(join(root, document), 'utf8');
    expect(text.match(/npm run (?!-s )[^`\n]*[|>]|npm run cli\b/g), document).toBeNull();
  }
});
