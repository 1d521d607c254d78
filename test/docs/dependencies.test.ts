import { expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { readDocument } from '../support/documents.ts';

const [atRunTime = '', forDevelopment = ''] = readDocument('docs/dependencies.md').split(/^## /m).slice(1);

/** The packages in the first column of the table of a section. */
const namedIn = (section: string) =>
  [...section.matchAll(/^\| (`.*?) \| .+ \|$/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );

it('the page gives a reason for every dependency, and for no other package', () => {
  expect(namedIn(atRunTime).toSorted()).toStrictEqual(Object.keys(packageJson.dependencies).sort());
});

it('the page gives a reason for every development dependency, and for no other package', () => {
  expect(namedIn(forDevelopment).toSorted()).toStrictEqual(Object.keys(packageJson.devDependencies).sort());
});
