import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

type Field = {
  readonly type: string;
  readonly id?: string;
  readonly attributes: {
    readonly label?: string;
    readonly value?: string;
    readonly options?: readonly object[];
  };
  readonly validations?: { readonly required?: boolean };
};
type Form = { readonly name: string; readonly description: string; readonly body: readonly Field[] };

const folder = new URL('../../.github/', import.meta.url);
const forms = readdirSync(new URL('ISSUE_TEMPLATE/', folder)).filter((name) => name !== 'config.yml');
const read = (name: string): Form => parse(readFileSync(new URL(`ISSUE_TEMPLATE/${name}`, folder), 'utf8'));

describe.each(forms)('the form %s', (name) => {
  it('has what GitHub needs: a name, a description, and fields with an id of their own and a label', () => {
    const { name: title, description, body } = read(name);
    expect([title, description]).not.toContain('');
    const fields = body.filter(({ type }) => type !== 'markdown');
    expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length);
    for (const { type, attributes } of fields) {
      expect(['input', 'textarea', 'checkboxes']).toContain(type);
      expect(attributes.label).toMatch(/./);
    }
  });
});

it('a bug report has to have the request id, the output of check, the version, and no secrets', () => {
  const { body } = read('bug.yml');
  const required = body.filter(({ validations }) => validations?.required).map(({ id }) => id);
  expect(required).toStrictEqual(['what', 'request-id', 'check', 'version']);
  expect(body.at(-1)?.attributes.options).toStrictEqual([
    { label: 'I removed tokens, access keys and signed URLs.', required: true },
  ]);
  expect(body[0]?.attributes.value).toContain('Remove secrets before you paste anything');
});

it('the template of pull requests names the checks, the changelog, and what a bug needs', () => {
  const text = readFileSync(new URL('pull_request_template.md', folder), 'utf8');
  for (const part of ['`npm test`', '`npm run check`', '`CHANGELOG.md`', 'request id', '`oss-presign check`'])
    expect(text).toContain(part);
});
