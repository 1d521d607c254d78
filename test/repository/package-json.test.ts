import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const root = new URL('../../', import.meta.url);
const SLUG = /^git\+https:\/\/github\.com\/([^/]+)\/oss-presign\.git$/.exec(packageJson.repository.url);

it('package.json alone names the owner of the repository', () => {
  const [, owner] = SLUG ?? [];
  expect(packageJson.homepage).toBe(`https://github.com/${owner}/oss-presign#readme`);
  expect(packageJson.bugs).toBe(`https://github.com/${owner}/oss-presign/issues`);
  const texts = ['.', '.github', 'docs', 'deploy', 'examples', 'src'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: folder !== '.', encoding: 'utf8' })
      .filter((name) => /\.(md|ya?ml|json|ts|html)$/.test(name) && !/^package(-lock)?\.json$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  expect(texts).toContain('./README.md');
  const naming = texts.filter((name) =>
    readFileSync(new URL(name, root), 'utf8').includes(`github.com/${owner}/`),
  );
  expect(naming).toStrictEqual([]);
});

it('exports documents, which the package contains, and no code', () => {
  for (const [subpath, target] of Object.entries(packageJson.exports)) {
    expect(target).toBe(subpath);
    expect(target).toMatch(/\.(json|yaml)$/);
    expect(existsSync(new URL(target, root)), target).toBe(true);
    // npm always packs package.json.
    expect([...packageJson.files, 'package.json']).toContain(target.slice('./'.length));
  }
  const documents = packageJson.files.filter((name) => name !== 'dist').map((name) => `./${name}`);
  expect(Object.keys(packageJson.exports)).toStrictEqual([...documents, './package.json'].sort());
});
