/**
 * Prints the section of CHANGELOG.md for a release, as the text of its release page:
 *
 *     node .ci/release-notes.ts v0.2.0 acme/oss-presign
 *
 * Exits with 1 and a line for each fault if the tag, package.json, CHANGELOG.md and the repository
 * do not agree.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

export type Release = {
  /** The tag that was pushed, such as `v0.2.0`. */
  readonly tag: string;
  /** The GitHub repository that releases, such as `acme/oss-presign`. */
  readonly repository: string;
  readonly package: { readonly version: string; readonly repository: { readonly url: string } };
  /** The text of CHANGELOG.md. */
  readonly changelog: string;
};

/**
 * Returns the release notes, or what keeps this tag from being released.
 *
 * Notes have one line per paragraph and list item, because a release page shows line breaks, and
 * absolute links to files of the tag.
 */
export function releaseNotes(release: Release): { notes: string } | { faults: readonly string[] } {
  const { tag, repository, changelog } = release;
  const { version } = release.package;
  const faults: string[] = [];
  if (!/^\d+\.\d+\.\d+$/.test(version))
    faults.push(`the version ${version} of package.json is not of the form 1.2.3`);
  if (tag !== `v${version}`) faults.push(`the tag is ${tag}, but package.json has the version ${version}`);
  const url = `git+https://github.com/${repository}.git`;
  if (release.package.repository.url !== url)
    faults.push(`package.json names the repository ${release.package.repository.url}, not ${url}`);

  const sections = readSections(changelog);
  if (sections.get('[Unreleased]') !== '')
    faults.push('CHANGELOG.md needs a section "## [Unreleased]" without entries');
  const heading = [...sections.keys()].find((one) => one.startsWith(`[${version}] - `)) ?? '';
  const text = sections.get(heading);
  if (!/ - \d{4}-\d{2}-\d{2}$/.test(heading))
    faults.push(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD"`);
  else if (!text) faults.push(`the section of ${version} in CHANGELOG.md is empty`);
  if (faults.length > 0 || !text) return { faults };

  const files = `https://github.com/${repository}/blob/${tag}/`;
  const notes = text
    .replace(/\n +(?=[^\s-])/g, ' ')
    .replace(/\]\((?!https?:|#)/g, `](${files}`)
    .concat('\n');
  return { notes };
}

/** The sections of a changelog by what follows `## ` in their heading. */
function readSections(changelog: string): ReadonlyMap<string, string> {
  const [, ...parts] = changelog.split(/^## /m);
  return new Map(
    parts.map((part) => {
      const [heading = '', ...lines] = part.split('\n');
      return [heading.trim(), lines.join('\n').trim()];
    }),
  );
}

if (import.meta.main) {
  const [tag = '', repository = ''] = process.argv.slice(2);
  const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  const result = releaseNotes({
    tag,
    repository,
    package: JSON.parse(read('package.json')),
    changelog: read('CHANGELOG.md'),
  });
  if ('notes' in result) process.stdout.write(result.notes);
  else {
    for (const fault of result.faults) process.stderr.write(`error: ${fault}\n`);
    process.exitCode = 1;
  }
}
