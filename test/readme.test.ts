import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { PROBLEMS } from '../src/http/problem-json.ts';

const root = new URL('../', import.meta.url);
const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

it.each(documents)('every script that %s names exists', (name) => {
  const text = readFileSync(new URL(name, root), 'utf8');
  const named = [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, script]) => script);
  expect(named.filter((script) => !Object.hasOwn(packageJson.scripts, script ?? ''))).toStrictEqual([]);
});

it.each(documents)('every link of %s to a file of the project leads somewhere', (name) => {
  const at = new URL(name, root);
  const links = [...readFileSync(at, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
    ([, link]) => link ?? '',
  );
  expect(links.filter((link) => !existsSync(new URL(link, at)))).toStrictEqual([]);
});

it('the README names every dependency', () => {
  const text = readFileSync(new URL('README.md', root), 'utf8');
  const missing = Object.keys(packageJson.dependencies).filter((name) => !text.includes(`\`${name}\``));
  expect(missing).toStrictEqual([]);
});

it('the README’s table of errors has every code with its status', () => {
  const text = readFileSync(new URL('README.md', root), 'utf8');
  for (const [code, { status }] of Object.entries(PROBLEMS)) {
    const row = text.split('\n').find((line) => /^\| \d{3}/.test(line) && line.includes(`\`${code}\``));
    expect(row, code).toContain(String(status));
  }
});

it('the README’s tree names every folder and file at the top of src', () => {
  const text = readFileSync(new URL('README.md', root), 'utf8');
  const missing = readdirSync(new URL('src/', root), { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .filter((name) => !text.includes(name) && !['clock.ts', 'errors.ts'].includes(name));
  expect(missing).toStrictEqual([]);
});
