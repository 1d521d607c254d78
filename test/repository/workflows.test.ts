import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

type Step = { readonly uses?: string; readonly run?: string; readonly env?: Record<string, string> };
type Job = {
  readonly needs?: string | readonly string[];
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly (string | number)[]>> };
  readonly steps?: readonly Step[];
};
type Workflow = {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
};

const root = new URL('../../', import.meta.url);
const files = readdirSync(new URL('.github/workflows/', root));
const read = (name: string): Workflow =>
  parse(readFileSync(new URL(`.github/workflows/${name}`, root), 'utf8'));
const ci = read('ci.yml');
const release = read('release.yml');

/** The ids that a job gives to .ci/run, also by its matrix. */
const stepsOf = ({ steps = [], strategy }: Job): readonly string[] =>
  steps
    .map(({ run = '' }) => /^\.ci\/run (.+)$/.exec(run)?.[1] ?? '')
    .flatMap((ids) => (/^\$\{\{ matrix\.steps \}\}$/.test(ids) ? (strategy?.matrix.steps ?? []) : [ids]))
    .flatMap((ids) => String(ids).split(' '))
    .filter((id) => id !== '');

it('ci.yml runs each step of .ci/run and no other', () => {
  const list = execFileSync(fileURLToPath(new URL('.ci/run', root)), ['--list'], { encoding: 'utf8' });
  const ids = list
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[0]);
  expect([...new Set(Object.values(ci.jobs).flatMap(stepsOf))].sort()).toStrictEqual(ids.sort());
});

it('ci.yml checks and tests on Node.js 24 and 26, for each pull request and every week', () => {
  expect(ci.jobs.node?.strategy?.matrix).toStrictEqual({ node: [24, 26] });
  expect(ci.jobs.node?.steps?.at(-1)).toStrictEqual({
    run: '.ci/run install check test unchanged',
    env: { NODE_MAJOR: expect.stringMatching(/^\$\{\{ matrix\.node \}\}$/) },
  });
  expect(Object.keys(ci.on)).toStrictEqual(['push', 'pull_request', 'schedule', 'workflow_call']);
});

describe.each(files)('%s', (file) => {
  const { permissions, concurrency, jobs } = read(file);

  it('may read the repository, and more only in the jobs that need it', () => {
    expect(permissions).toStrictEqual({ contents: 'read' });
    expect(concurrency.group).not.toBe('');
    const more = Object.entries(jobs).flatMap(([name, job]) =>
      job.permissions ? [[name, job.permissions]] : [],
    );
    expect(Object.fromEntries(more)).toStrictEqual(
      file === 'ci.yml'
        ? {}
        : {
            npm: { 'id-token': 'write' },
            image: { contents: 'read', packages: 'write' },
            tag: { packages: 'write', 'id-token': 'write', attestations: 'write' },
            notes: { contents: 'write' },
          },
    );
  });

  it('uses actions by their version, or by a digest with the version next to it', () => {
    const text = readFileSync(new URL(`.github/workflows/${file}`, root), 'utf8');
    const used = [...text.matchAll(/uses: (.+)/g)].map(([, action]) => action ?? '');
    expect(used).not.toHaveLength(0);
    for (const action of used)
      expect(action).toMatch(
        /^(\.\/\.github\/workflows\/ci\.yml|[\w-]+\/[\w-]+@(v\d+|[0-9a-f]{40} # v\d\S*))$/,
      );
  });

  it('has a time limit for each job', () => {
    for (const [name, job] of Object.entries(jobs))
      if (!job.uses) expect(job['timeout-minutes'], name).toBeGreaterThan(0);
  });

  it('keeps no secret but the token of the run', () => {
    const text = readFileSync(new URL(`.github/workflows/${file}`, root), 'utf8');
    expect(text).not.toContain('secrets');
  });
});

it('release.yml publishes nothing before all of ci.yml has passed for the tag', () => {
  const { jobs } = release;
  expect(release.on).toStrictEqual({ push: { tags: ['v*'] } });
  expect(jobs.tests).toStrictEqual({ needs: 'prepare', uses: './.github/workflows/ci.yml' });
  const needs = Object.fromEntries(Object.entries(jobs).map(([name, job]) => [name, job.needs]));
  expect(needs).toStrictEqual({
    prepare: undefined,
    tests: 'prepare',
    npm: 'tests',
    image: 'tests',
    tag: 'image',
    notes: ['npm', 'tag'],
  });
});
