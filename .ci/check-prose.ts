/**
 * Looks for words and sentence openings that this project does not use, and for comment lines of
 * `src` over 100 columns, in all text that git tracks. Prints a line for each, with what to write
 * instead, and exits 1 if there is one.
 *
 *     npm run check:prose                  everything
 *     npm run check:prose -- src/http docs files and folders
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { findWords } from './prose/find-words.ts';

/** Folders and files whose text people read. */
const READ_BY_PEOPLE =
  /^(?:src|test|bench|docs|examples|deploy|\.ci|\.github)\/|^[^/]+\.(?:md|ya?ml|ts)$|^Dockerfile$|^\.env\.example$|^package\.json$/;

const NOT_PROSE = [
  // Generated: what is wrong there is wrong in its source too.
  ...['openapi.yaml', 'test/http/docs/openapi-types.ts', '.env.example', 'bench/results.md'],
  ...['src/policy/registered-types.ts', 'src/policy/type-extensions.ts'],
  // The words themselves.
  ...['.ci/prose/word-list.ts', '.ci/prose/find-words.ts', 'test/repository/prose.test.ts'],
];

const root = new URL('../', import.meta.url);
const paths = process.argv.slice(2);

const tracked = execFileSync('git', ['ls-files', '-z', '--', ...(paths.length === 0 ? ['.'] : paths)], {
  cwd: root,
  encoding: 'utf8',
}).split('\0');

// Git lists a file that has a conflict once for each side.
const files = [...new Set(tracked)].filter(
  (file) =>
    READ_BY_PEOPLE.test(file) &&
    !NOT_PROSE.includes(file) &&
    !/\.(?:png|sum|lock)$|(?:^|\/)(?:vectors|node_modules)\/|package-lock\.json$/.test(file),
);

if (files.length === 0) {
  process.stderr.write(`error: git tracks no text in ${paths.join(' ')}\n`);
  process.exitCode = 2;
}
let count = 0;
for (const file of files) {
  const content = readFileSync(new URL(file, root), 'utf8');
  for (const { line, text, write } of findWords(file, content, /^src\/.*\.ts$/.test(file))) {
    count += 1;
    process.stdout.write(`${file}:${line}: "${text}": write ${write}\n`);
  }
}
if (count > 0) {
  process.stdout.write(`${count} places in need of plainer words\n`);
  process.exitCode = 1;
}
