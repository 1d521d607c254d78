import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { nodeFault } from '../../src/cli/node-fault.ts';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

it('.node-version is the Node.js of the npm scripts, and engines accepts it', () => {
  const version = packageJson.devDependencies.node;
  expect(read('.node-version')).toBe(`${version}\n`);
  expect(nodeFault(packageJson.engines.node, version)).toBeUndefined();
});

it('the suites that need Debian run on the same minor release', () => {
  const [major, minor] = packageJson.devDependencies.node.split('.');
  const images = [...read('.github/workflows/ci.yml').matchAll(/^ +image: (\S+)$/gm)].map(
    ([, image]) => image,
  );
  expect(images).toStrictEqual([
    expect.stringMatching(
      new RegExp(`^docker\\.io/library/node:${major}\\.${minor}-bookworm(@sha256:[0-9a-f]{64})?$`),
    ),
  ]);
});

describe('Renovate', () => {
  type Rule = { readonly groupName?: string; readonly [field: string]: unknown };
  const config = JSON.parse(read('.github/renovate.json')) as {
    readonly extends: readonly string[];
    readonly minimumReleaseAge: string;
    readonly ignorePaths: readonly string[];
    readonly packageRules: readonly Rule[];
  };
  const group = (name: string) => config.packageRules.filter(({ groupName }) => groupName === name);

  it('offers a version only after 7 days', () => {
    expect(config.minimumReleaseAge).toBe('7 days');
    expect(config.packageRules.filter((rule) => 'minimumReleaseAge' in rule)).toStrictEqual([]);
  });

  it('pins digests of actions and images', () => {
    expect(config.extends).toContain('helpers:pinGitHubActionDigests');
    expect(config.extends).toContain('docker:pinDigests');
  });

  it('groups dev and prod dependencies, actions, and images', () => {
    expect(group('dev')).toMatchObject([{ matchManagers: ['npm'], matchDepTypes: ['devDependencies'] }]);
    expect(group('prod')).toMatchObject([{ matchManagers: ['npm'], matchDepTypes: ['dependencies'] }]);
    expect(group('actions')).toMatchObject([{ matchManagers: ['github-actions'] }]);
    expect(group('docker')).toMatchObject([{ matchDatasources: ['docker'] }]);
  });

  it('updates the tools of the tests and the examples too, which its recommended settings leave out', () => {
    expect(config.ignorePaths).toStrictEqual(['**/node_modules/**']);
  });
});

it('the version of package.json is in the lock file, the changelog and the example of an overlay', () => {
  const { version } = packageJson;
  const lock = JSON.parse(read('package-lock.json'));
  expect([lock.version, lock.packages[''].version]).toStrictEqual([version, version]);
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## \\[${version}\\] - \\d{4}-\\d{2}-\\d{2}$`, 'm'));
  const overlay = parse(read('deploy/kubernetes/overlays/example/kustomization.yaml'));
  expect(overlay.images).toMatchObject([{ newTag: version }]);
});
