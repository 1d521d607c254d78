import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { anchorsOf, documents, pages, proseOf, readDocument, root } from '../support/documents.ts';

type Link = { readonly file: string; readonly anchor: string | undefined };

/** The links of a document that lead to files of the project, as paths from its root. */
function linksOf(name: string): readonly Link[] {
  return [...proseOf(name).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target = '']) => {
    const [path = '', anchor] = target.split('#');
    const url = path === '' ? new URL(name, root) : new URL(path, new URL(name, root));
    return { file: url.href.slice(root.href.length), anchor };
  });
}

describe.each(documents)('%s', (name) => {
  it('names only npm scripts that exist', () => {
    const named = [...readDocument(name).matchAll(/npm run (?:-s )?([a-z][a-z:]*)/g)].map(
      ([, script = '']) => script,
    );
    expect(named.filter((script) => !Object.hasOwn(packageJson.scripts, script))).toStrictEqual([]);
  });

  it('links only to files that exist', () => {
    const missing = linksOf(name).filter(({ file }) => !existsSync(new URL(file, root)));
    expect(missing).toStrictEqual([]);
  });

  it('names only files and folders of the project that exist', () => {
    const text = readDocument(name).replaceAll(/https?:\S+/g, '');
    const named = [...text.matchAll(/(?<![\w/.])(?:\.ci|bench|src|test)\/[\w./-]*\w/g)].map(([path]) => path);
    expect(named.filter((path) => !existsSync(new URL(path, root)))).toStrictEqual([]);
  });

  it('links only to headings that exist', () => {
    const missing = linksOf(name).filter(
      ({ file, anchor }) => anchor !== undefined && !(file.endsWith('.md') && anchorsOf(file).has(anchor)),
    );
    expect(missing).toStrictEqual([]);
  });

  it('has no two headings with the same anchor', () => {
    const headings = [...proseOf(name).matchAll(/^#+ (.*)$/gm)];
    // The changelog repeats "Added" and "Changed" in each version.
    if (name !== 'CHANGELOG.md') expect(anchorsOf(name).size).toBe(headings.length);
  });
});

it('the index of docs/ lists every page once, and nothing else', () => {
  const listed = linksOf('docs/README.md')
    .map(({ file }) => file)
    .filter((file) => file.startsWith('docs/'));
  expect(listed.toSorted()).toStrictEqual(pages.filter((page) => page !== 'docs/README.md'));
});

it('the README links to the index', () => {
  expect(linksOf('README.md').map(({ file }) => file)).toContain('docs/README.md');
});
