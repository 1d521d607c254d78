import { describe, expect, it } from 'vitest';
import { type Release, releaseNotes } from '../../.ci/release-notes.ts';

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-26

### Added

- A new command, described in
  [a page](docs/page.md) and [elsewhere](https://example.com/).
- Another one.

## [1.1.0] - 2026-10-01

### Fixed

- Something else.
`;
const release: Release = {
  tag: 'v1.2.0',
  repository: 'acme/oss-presign',
  package: { version: '1.2.0', repository: { url: 'git+https://github.com/acme/oss-presign.git' } },
  changelog: CHANGELOG,
};

it('are the section of the version, without line breaks in its entries and with links to the files of the tag', () => {
  expect(releaseNotes(release)).toStrictEqual({
    notes: `### Added

- A new command, described in [a page](https://github.com/acme/oss-presign/blob/v1.2.0/docs/page.md) and [elsewhere](https://example.com/).
- Another one.
`,
  });
});

describe('there are none', () => {
  const changed = (from: string, to: string) => ({ changelog: CHANGELOG.replace(from, to) });
  const npm = (version: string, owner = 'acme') => ({
    version,
    repository: { url: `git+https://github.com/${owner}/oss-presign.git` },
  });

  it.each<[string, Partial<Release>, readonly string[]]>([
    ['for another tag', { tag: 'v1.2.1' }, ['the tag is v1.2.1, but package.json has the version 1.2.0']],
    ['for a tag without "v"', { tag: '1.2.0' }, ['the tag is 1.2.0, but package.json has the version 1.2.0']],
    [
      'for a version that package.json alone has',
      { tag: 'v1.3.0', package: npm('1.3.0') },
      ['CHANGELOG.md has no section "## [1.3.0] - YYYY-MM-DD"'],
    ],
    [
      'for a pre-release',
      { tag: 'v1.2.0-rc.1', package: npm('1.2.0-rc.1') },
      [
        'the version 1.2.0-rc.1 of package.json is not of the form 1.2.3',
        'CHANGELOG.md has no section "## [1.2.0-rc.1] - YYYY-MM-DD"',
      ],
    ],
    [
      'while package.json names another repository',
      { package: npm('1.2.0', 'OWNER') },
      [
        'package.json names the repository git+https://github.com/OWNER/oss-presign.git, not git+https://github.com/acme/oss-presign.git',
      ],
    ],
    [
      'while entries are unreleased',
      changed('[Unreleased]\n', '[Unreleased]\n\n- A change.\n'),
      ['CHANGELOG.md needs a section "## [Unreleased]" without entries'],
    ],
    [
      'without a section for unreleased entries',
      changed('## [Unreleased]\n', ''),
      ['CHANGELOG.md needs a section "## [Unreleased]" without entries'],
    ],
    [
      'without a date',
      changed('[1.2.0] - 2026-11-26', '[1.2.0]'),
      ['CHANGELOG.md has no section "## [1.2.0] - YYYY-MM-DD"'],
    ],
    [
      'for an empty section',
      { changelog: CHANGELOG.replace(/### Added[\s\S]*?(?=## \[1\.1)/, '') },
      ['the section of 1.2.0 in CHANGELOG.md is empty'],
    ],
  ])('%s', (_case, change, faults) => {
    expect(releaseNotes({ ...release, ...change })).toStrictEqual({ faults });
  });
});
