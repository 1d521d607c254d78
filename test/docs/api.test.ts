import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { MISMATCH_CODES, VIOLATION_CODES } from '../../src/errors.ts';
import { PROBLEMS } from '../../src/http/plugins/problem-json.ts';
import { readDocument, root, shownPattern } from '../support/documents.ts';
import { createTestApp } from '../support/test-app.ts';

const ALICE = { iss: 'https://login.example.com/', scope: 'uploads:write', role: 'member' };

type Example = { readonly curl: string; readonly shown: unknown };

/** Each curl command of a page that is followed by the JSON of its response. */
function examplesOf(name: string): readonly Example[] {
  return [
    ...readDocument(name).matchAll(/```sh\n(curl -sS https:[\s\S]*?)\n```\n\n```json\n([\s\S]*?)\n```/g),
  ].map(([, curl = '', json = '']) => ({ curl, shown: JSON.parse(json) }));
}

/** policy.example.yaml with the verification keys of the tests. */
function examplePolicy(): string {
  const policy = parse(readFileSync(new URL('policy.example.yaml', root), 'utf8'));
  const issuers = policy.issuers.map(({ jwksUrl: _, ...issuer }: Record<string, unknown>) => ({
    ...issuer,
    jwksFile: 'jwks.json',
  }));
  return stringify({ ...policy, issuers });
}

const examples = ['README.md', 'docs/api.md'].flatMap((name) =>
  examplesOf(name).map(({ curl, shown }, index) => ({ title: `${name}, example ${index + 1}`, curl, shown })),
);

it('the pages have as many examples as are tested here', () => {
  expect(examples.map(({ title }) => title)).toStrictEqual([
    'README.md, example 1',
    'docs/api.md, example 1',
    'docs/api.md, example 2',
    'docs/api.md, example 3',
  ]);
});

it.each(examples)('the service returns what the page shows: $title', async ({ curl, shown }) => {
  const { http, issuer } = await createTestApp({ policyYaml: examplePolicy() });
  const [, path = ''] = /presign\.example\.com(\/\S*)/.exec(curl) ?? [];
  const body = /-d '(.*)'/.exec(curl)?.[1];
  const request = body === undefined ? http.get(path) : http.post(path).type('json').send(body);
  const response = await request.set('authorization', `Bearer ${await issuer.sign(ALICE)}`);
  expect(response.body).toStrictEqual(asMatchers(shown));
});

/** The JSON of a page, in which "…" stands for any text. */
function asMatchers(shown: unknown): unknown {
  return JSON.parse(JSON.stringify(shown), (_name, value) =>
    typeof value === 'string' && value.includes('…') ? expect.stringMatching(shownPattern(value)) : value,
  );
}

it('the table of errors has every code with its status, and no other', () => {
  const rows = [...readDocument('docs/api.md').matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)];
  expect(rows.map(([, status, code]) => [code, Number(status)]).toSorted()).toStrictEqual(
    Object.entries(PROBLEMS)
      .map(([code, { status }]) => [code, status])
      .toSorted(),
  );
});

it('the table of denials has every code, and no other', () => {
  const [, table = ''] = readDocument('docs/api.md').split('| `errors[].code` of a 403 |');
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)).toStrictEqual([...VIOLATION_CODES]);
});

it('the table of differences has every code, and no other', () => {
  const [, table = ''] = readDocument('docs/api.md').split('| `errors[].code` | `pointer` | the object |');
  const [rows = ''] = table.split('\n\n');
  expect([...rows.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)).toStrictEqual([...MISMATCH_CODES]);
});
