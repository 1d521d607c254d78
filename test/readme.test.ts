import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readDocument, root } from './support/documents.ts';

const readme = readDocument('README.md');

it('the README has at most 150 lines', () => {
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});

it('the README leads page developers, service developers and operators to their pages', () => {
  const doors = [...readme.matchAll(/^\*\*(I .*)\*\*$/gm)].map(([, door]) => door);
  expect(doors).toStrictEqual(['I build a page or an app', 'I build a service that uses it', 'I operate it']);
  const index = readDocument('docs/README.md');
  for (const door of doors) expect(index).toContain(`\n## ${door}\n`);
});

it('the tree of docs/architecture.md names every folder and file at the top of src', () => {
  const text = readDocument('docs/architecture.md');
  const missing = readdirSync(new URL('src/', root), { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .filter((name) => !text.includes(name) && !['clock.ts', 'errors.ts'].includes(name));
  expect(missing).toStrictEqual([]);
});
