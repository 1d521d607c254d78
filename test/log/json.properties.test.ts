import fc from 'fast-check';
import { expect, it } from 'vitest';
import { escapeJsonString, jsonProperty } from '../../src/log/json.ts';
import { escapeInvisible } from '../../src/text/log-text.ts';
import { codePoint } from '../support/code-point.ts';
import { propertyRuns } from '../support/property-runs.ts';

// Code units of every kind: controls, quotation marks, halves of surrogate pairs.
const units = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});
const text = fc.oneof(units, fc.string({ unit: codePoint }), fc.string({ unit: 'grapheme' }), fc.string());

/** `JSON.stringify`, with every invisible character escaped, one by one. */
const expected = (one: string) =>
  JSON.stringify(one).replace(/[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );

it('writes every text as JSON.stringify does, but escapes invisible characters', () => {
  fc.assert(
    fc.property(text, (one) => {
      expect(`"${escapeJsonString(one)}"`).toBe(expected(one));
      expect(JSON.parse(`"${escapeJsonString(one)}"`)).toBe(one);
    }),
    { numRuns: propertyRuns(5_000) },
  );
});

it('writes every code unit as JSON.stringify does, but escapes invisible characters', () => {
  for (let unit = 0; unit <= 0xffff; unit++) {
    const one = String.fromCharCode(unit);
    const written = `"${escapeJsonString(one)}"`;
    if (written !== expected(one)) expect(written).toBe(expected(one));
  }
});

it.each([
  ['a bidirectional override', '\u202ealice', '\\u202ealice'],
  ['a bidirectional isolate', 'a\u2066b', 'a\\u2066b'],
  ['a zero-width space', 'in\u200bvoice', 'in\\u200bvoice'],
  ['a byte order mark', '\ufeffx', '\\ufeffx'],
  ['a soft hyphen', 'a\u00adb', 'a\\u00adb'],
  ['a line separator', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ['a control of the second range', 'a\u0085\u009b\u007f', 'a\\u0085\\u009b\\u007f'],
  ['a tag', 'a\u{e0041}', 'a\\udb40\\udc41'],
  ['an escape sequence of a terminal', '\u001b[31m', '\\u001b[31m'],
])('escapes %s', (_what, one, escaped) => {
  expect(escapeJsonString(one)).toBe(escaped);
  expect(JSON.parse(escapeInvisible(JSON.stringify({ one })))).toStrictEqual({ one });
  expect(escapeInvisible(JSON.stringify(one))).toBe(`"${escaped}"`);
});

it('leaves visible text unchanged', () => {
  expect(escapeJsonString('Größe 上传 🙂 naïve é')).toBe('Größe 上传 🙂 naïve é');
});

it('leaves out a property that is undefined, and no other', () => {
  expect([undefined, '', 'a"b'].map((one) => jsonProperty('name', one))).toStrictEqual([
    '',
    ',"name":""',
    ',"name":"a\\"b"',
  ]);
});
