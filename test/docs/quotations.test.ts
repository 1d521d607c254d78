import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pages, proseOf, root } from '../support/documents.ts';
import { dashboard } from '../support/operations-documents.ts';

const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(`src/${name}`, root), 'utf8'))
  .join('\n');

const prose = proseOf('docs/operations/runbook.md').replaceAll('\n', ' ');

it('every panel that the runbook names is one of the dashboard', () => {
  const named = [...prose.matchAll(/(?<!\*)\*([A-Z][^*]+)\*(?!\*)/g)].map(([, title = '']) => title);
  const titles = dashboard.panels.map(({ title }) => title);
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((title) => !titles.includes(title))).toStrictEqual([]);
});

it.each(pages)('every message that %s quotes is one of the service', (page) => {
  const quoted = [
    ...proseOf(page)
      .replaceAll(/\s+/g, ' ')
      .matchAll(/`((?!k |docker |npm |node )[A-Za-z]+(?: [A-Za-z]+){3,})`/g),
  ].map(([, text = '']) => text);
  if (page.endsWith('runbook.md')) expect(quoted.length).toBeGreaterThan(6);
  expect(quoted.filter((text) => !sources.includes(text))).toStrictEqual([]);
});
