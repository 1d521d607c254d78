import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_KEY_BYTES, objectKeyFaults, serverMadeName } from '../../src/policy/object-key.ts';

it.each([
  'a',
  'a.txt',
  '.hidden',
  '...',
  'a..b/c.',
  'a b/c+d%2e%2e%2f/e',
  'it\'s "quoted" (1)[2]{3}<4>',
  '?#&=;:@$,!*~^`|',
  '报告/最终.txt',
  '👩‍👩‍👧😀',
  'é',
  'k'.repeat(1023),
  '图'.repeat(341),
])('takes %j as it is', (key) => {
  expect(objectKeyFaults(key)).toStrictEqual([]);
});

const EMPTY_SEGMENT = 'The key holds an empty segment ("//", or "/" at its end).';
const DOTS = 'The key holds a "." or ".." segment.';
const CONTROL = 'The key holds a control character or line separator.';
const BIDI = 'The key holds a bidirectional control character.';

it.each([
  ['', ['The key is empty.']],
  ['/a', ['The key begins with "/".']],
  ['a/', [EMPTY_SEGMENT]],
  ['a//b', [EMPTY_SEGMENT]],
  ['.', [DOTS]],
  ['..', [DOTS]],
  ['a/../b', [DOTS]],
  ['a/./b', [DOTS]],
  ['a/..', [DOTS]],
  ['\\a', ['The key holds a backslash.']],
  ['a\\b', ['The key holds a backslash.']],
  ['a\0', [CONTROL]],
  ['a\n', [CONTROL]],
  ['a\x7f', [CONTROL]],
  ['a\x80', [CONTROL]],
  ['a\u2028', [CONTROL]],
  ['a\u2029', [CONTROL]],
  ...['\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069'].map((one): [string, string[]] => [
    `a${one}`,
    [BIDI],
  ]),
  ['u\u0308', ['The key is not in Unicode normalization form C (NFC).']],
  ['k'.repeat(1024), ['The key is 1024 bytes of UTF-8; at most 1023 are allowed.']],
  [`${'图'.repeat(341)}k`, ['The key is 1024 bytes of UTF-8; at most 1023 are allowed.']],
  ['\ud83d', ['The key holds half of a surrogate pair; send well-formed Unicode.']],
  ['a\udc00/../b', ['The key holds half of a surrogate pair; send well-formed Unicode.']],
  ['/a/..//\\\n', ['The key begins with "/".', 'The key holds a backslash.', CONTROL, EMPTY_SEGMENT, DOTS]],
])('says everything that is wrong with %j', (key, faults) => {
  expect(objectKeyFaults(key)).toStrictEqual(faults);
});

it('finds no fault exactly in what has 1–1023 bytes of printable ASCII, no backslash, and no empty or dot segment', () => {
  const unit = fc.constantFrom(
    '/',
    '/',
    '.',
    '.',
    'a',
    '0',
    '-',
    ' ',
    '~',
    '!',
    '[',
    ']',
    '\\',
    '\x1f',
    '\x7f',
  );
  const key = fc.oneof(
    fc.string({ unit, maxLength: 6 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 6 }),
    fc
      .integer({ min: 1018, max: 1024 })
      .chain((length) => fc.constantFrom('k', 'a/', '.a').map((one) => one.repeat(length).slice(0, length))),
  );
  let faultless = 0;
  fc.assert(
    fc.property(key, (one) => {
      const isGood =
        one.length <= MAX_KEY_BYTES &&
        /^[ -~]*$/.test(one) &&
        !one.includes('\\') &&
        one.split('/').every((segment) => !['', '.', '..'].includes(segment));
      if (isGood) faultless++;
      expect([one, objectKeyFaults(one).length === 0]).toStrictEqual([one, isGood]);
    }),
    { numRuns: 3000 },
  );
  expect(faultless).toBeGreaterThan(300);
});

it.each([
  ['photo.png', 'image/png', 'id.png'],
  ['Photo.JPEG', 'image/jpeg', 'id.jpeg'],
  ['archive.tar.gz', 'application/gzip', 'id.gz'],
  ['no-extension', 'image/png', 'id'],
  ['.hidden', 'image/png', 'id.hidden'],
  ['dot.', 'image/png', 'id'],
  ['报告.文档', 'image/png', 'id'],
  ['a.toolongextension', 'image/png', 'id'],
  ['a.p/g', 'image/png', 'id'],
  ['../../etc/passwd', 'image/png', 'id'],
  ['evil.html', 'image/png', 'id'],
  ['evil.SVG', 'image/png', 'id'],
  ['evil.php', 'image/png', 'id'],
  ['page.html', 'text/html', 'id.html'],
  ['a.png\0.html', 'image/png', 'id'],
])('names %j of type %s %s', (filename, essence, name) => {
  expect(serverMadeName('id', filename, essence)).toBe(name);
});
