import { parse } from 'content-disposition';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dispositionWithName, downloadNameFault } from '../../src/policy/download-name.ts';
import { HEADER_VALUE } from '../../src/text/header-value.ts';
import { codePoint } from '../support/code-point.ts';

it.each([
  ['report.pdf', 'attachment; filename=report.pdf'],
  ['my report (1).pdf', 'attachment; filename="my report (1).pdf"'],
  ['报告.pdf', 'attachment; filename="??.pdf"; filename*=UTF-8\'\'%E6%8A%A5%E5%91%8A.pdf'],
  ['😀.png', 'attachment; filename="??.png"; filename*=UTF-8\'\'%F0%9F%98%80.png'],
  ['say "hi".txt', 'attachment; filename="say \\"hi\\".txt"'],
  ['100%.txt', 'attachment; filename=100%.txt'],
  ['100%25.txt', "attachment; filename=100%25.txt; filename*=UTF-8''100%2525.txt"],
  ["it's; a=b, c*.txt", 'attachment; filename="it\'s; a=b, c*.txt"'],
  ['Café.pdf', 'attachment; filename="Caf?.pdf"; filename*=UTF-8\'\'Caf%C3%A9.pdf'],
  ['Cafe\u0301.pdf', 'attachment; filename="Cafe?.pdf"; filename*=UTF-8\'\'Cafe%CC%81.pdf'],
])('offers %j as %s', (filename, header) => {
  expect(downloadNameFault(filename, 'application/pdf')).toBeUndefined();
  expect(dispositionWithName('attachment', filename)).toBe(header);
  expect(dispositionWithName('inline', filename)).toBe(header.replace('attachment', 'inline'));
});

it.each([
  ['p/../a.png', 'holds "/" or "\\"; send the name without its folders'],
  ['C:\\a.png', 'holds "/" or "\\"; send the name without its folders'],
  ['a\nb.png', 'holds a control character or line separator; leave it out'],
  ['a\r\nSet-Cookie: b', 'holds a control character or line separator; leave it out'],
  ['a\0.png', 'holds a control character or line separator; leave it out'],
  ['a\u007f.png', 'holds a control character or line separator; leave it out'],
  ['a\u0085.png', 'holds a control character or line separator; leave it out'],
  ['a\u2028.png', 'holds a control character or line separator; leave it out'],
  ['invoice\u202egnp.exe', 'holds an invisible character or bidirectional control; leave it out'],
  ['a\u2066b.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['a\u200e.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['in\u200bvoice.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['in\u200dvoice.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['a\ufeff.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['a\u00ad.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['a\u{e0041}.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['a\u3164.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['a\u115f.png', 'holds an invisible character or bidirectional control; leave it out'],
  ['a\ud800.png', 'holds half of a surrogate pair; send well-formed Unicode'],
  ['\udc00', 'holds half of a surrogate pair; send well-formed Unicode'],
  [`${'n'.repeat(252)}.png`, 'has 256 characters; at most 255 are allowed'],
  ...['.', '..', ' ', ' a.png', 'a.png ', 'a.png.', 'a.png\u3000'].map((name) => [
    name,
    'is only dots or blanks, begins or ends with a blank, or ends with a dot; send another name',
  ]),
  ...['a.exe', 'a.png.EXE', 'a.bat', 'a.lnk', 'a.scr', 'a.js', 'a.vbs', 'a.jar', 'a.hta'].map((name) => [
    name,
    `ends in "${name.slice(name.lastIndexOf('.')).toLowerCase()}", which operating systems run; send another name`,
  ]),
])('does not offer %j', (filename = '', fault) => {
  expect(downloadNameFault(filename, 'image/png')).toBe(fault);
});

it.each([
  ['family 👩‍👩‍👧.png', 'image/png'],
  ['می‌خواهم.png', 'image/png'],
  ['archive.tar.gz', 'application/gzip'],
  ['README', 'text/plain'],
  ['.gitignore', 'text/plain'],
  ['photo.unknown', 'image/png'],
  ['page.html', 'text/html'],
  ['app.js', 'text/javascript'],
  ['n'.repeat(255), 'image/png'],
])('offers %j of type %s', (filename, essence) => {
  expect(downloadNameFault(filename, essence)).toBeUndefined();
});

describe('for every name without a fault', () => {
  it('every client can send the header, its size is bounded, and parsing it returns the name', () => {
    let offered = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
          fc.string({ unit: codePoint, minLength: 1, maxLength: 8 }),
          fc.string({
            unit: fc.constantFrom('"', '\\', '%', '2', 'a', ';', '=', '*', "'", 'é', ' '),
            maxLength: 12,
          }),
        ),
        (filename) => {
          if (downloadNameFault(filename, 'image/png') !== undefined) return;
          offered++;
          const header = dispositionWithName('attachment', filename);
          expect(header).toMatch(HEADER_VALUE);
          expect(parse(header)).toMatchObject({ type: 'attachment', parameters: { filename } });
        },
      ),
      { numRuns: 1000 },
    );
    expect(offered).toBeGreaterThan(300);
    expect(dispositionWithName('attachment', '图'.repeat(255)).length).toBeLessThan(2600);
  });
});
