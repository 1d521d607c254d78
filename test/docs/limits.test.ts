import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readDocument, root } from '../support/documents.ts';

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

const rows = [...readDocument('docs/limits.md').matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)]
  .map(([, limit = '', value = '', source = '']) => ({ limit, value, source }))
  .filter(({ limit }) => !/^-+$|^limit$/.test(limit));

/** The amount at the beginning of a value such as "5 GiB, the limit of OSS" or "604,800 s". */
function amountOf(value: string): number {
  const [, digits = '', unit = ''] = /^([\d,.]*\d)(?: (KiB|MiB|GiB)\b)?/.exec(value) ?? [];
  return Number(digits.replaceAll(',', '')) * (UNITS[unit] ?? 1);
}

/** The value of a constant whose definition is a number, or a product of numbers and powers. */
function constantIn(file: string, name: string): number {
  const code = readFileSync(new URL(file, root), 'utf8');
  const [, definition] = new RegExp(`^(?:export )?const ${name} = ([^;]+);`, 'm').exec(code) ?? [];
  if (definition === undefined) throw new Error(`${file} has no constant ${name}`);
  return definition
    .split(/ \* /)
    .map((factor) => factor.split(' ** ').map((number) => Number(number.replaceAll('_', ''))))
    .reduce((product, [base = Number.NaN, exponent = 1]) => product * base ** exponent, 1);
}

const constants = rows.flatMap((row) => {
  const [, name, file] = /^`(\w+)` in `(.+)`$/.exec(row.source) ?? [];
  return name === undefined || file === undefined ? [] : [{ ...row, name, file }];
});
const fields = rows
  .filter(({ source }) => source === '`openapi.yaml`')
  .flatMap(({ limit, value }) => [...limit.matchAll(/`(\w+)`/g)].map(([, field = '']) => ({ field, value })));

describe('docs/limits.md', () => {
  it.each(constants)('$limit is the constant $name of $file', ({ value, name, file }) => {
    expect(amountOf(value)).toBe(constantIn(file, name));
  });

  it.each(fields)('$field has the maxLength of the API document', ({ field, value }) => {
    const { properties } = parse(readDocument('openapi.yaml')).components.schemas.UploadRequest;
    expect(amountOf(value)).toBe(properties[field].maxLength);
  });

  it('names the source of every limit', () => {
    const withSource = constants.length + rows.filter(({ source }) => source === '`openapi.yaml`').length;
    expect(withSource).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(25);
  });
});
