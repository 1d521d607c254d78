import fc from 'fast-check';
import { expect, it } from 'vitest';
import { objectKeyFaults, serverMadeName } from '../../src/policy/object-key.ts';
import { TYPE_EXTENSIONS } from '../../src/policy/type-extensions.ts';
import { isActiveType } from '../../src/policy/wildcard-types.ts';
import { MAX_KEY_BYTES } from '../../src/storage/limits.ts';

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
])('accepts %j as it is', (key) => {
  expect(objectKeyFaults(key)).toStrictEqual([]);
});

const EMPTY_SEGMENT = 'The key holds an empty segment ("//", or "/" at its end).';
const DOTS = 'The key holds a "." or ".." segment.';
const CONTROL = 'The key holds a control character or line separator.';
const NOT_NFC = "The key is not in Unicode normalization form C (NFC); send key.normalize('NFC').";
const TOO_MANY_MARKS = 'The key holds more than 32 combining marks in a row; leave out the superfluous ones.';
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
  ['u\u0308', [NOT_NFC]],
  ['\u1112\u1161\u11ab', [NOT_NFC]],
  [`a${'\u0301'.repeat(32)}`, [NOT_NFC]],
  [`a${'\u0301'.repeat(33)}`, [TOO_MANY_MARKS]],
  [`a${'\u0301\u0323'.repeat(250)}`, [TOO_MANY_MARKS]],
  [`//\\..\n${'\u0301'.repeat(30_000)}`, ['The key is 60006 bytes of UTF-8; at most 1023 are allowed.']],
  [`\ud83d${'k'.repeat(1024)}`, ['The key is 1027 bytes of UTF-8; at most 1023 are allowed.']],
  ['k'.repeat(1024), ['The key is 1024 bytes of UTF-8; at most 1023 are allowed.']],
  [`${'图'.repeat(341)}k`, ['The key is 1024 bytes of UTF-8; at most 1023 are allowed.']],
  ['\ud83d', ['The key holds half of a surrogate pair; send well-formed Unicode.']],
  ['a\udc00/../b', ['The key holds half of a surrogate pair; send well-formed Unicode.']],
  ['/a/..//\\\n', ['The key begins with "/".', 'The key holds a backslash.', CONTROL, EMPTY_SEGMENT, DOTS]],
])('reports every fault of %j', (key, faults) => {
  expect(objectKeyFaults(key)).toStrictEqual(faults);
});

it.each([
  ['zero width space', 'invoice\u200b.png', 'U+200B'],
  ['word joiner', 'a\u2060b', 'U+2060'],
  ['byte order mark', '\ufeffa', 'U+FEFF'],
  ['soft hyphen', 'in\u00advoice', 'U+00AD'],
  ['Mongolian vowel separator', 'a\u180eb', 'U+180E'],
  ['invisible times', 'a\u2062b', 'U+2062'],
  ['interlinear annotation', 'a\ufff9b', 'U+FFF9'],
  ['musical control', 'a\u{1d173}b', 'U+1D173'],
  ['language tag', 'a\u{e0001}b', 'U+E0001'],
  ['tags of a flag', '🏴\u{e0067}\u{e0062}\u{e007f}', 'U+E0067'],
  ['Hangul filler', 'a\u3164b', 'U+3164'],
  ['halfwidth Hangul filler', 'a\uffa0', 'U+FFA0'],
  ['joiner at the beginning', '\u200da', 'U+200D'],
  ['joiner at the end', 'a/می\u200c', 'U+200C'],
  ['joiner at the end of a segment', 'می\u200c/a', 'U+200C'],
  ['joiner before a dot', 'invoice\u200d.png', 'U+200D'],
  ['joiner between digits', '1\u200d2', 'U+200D'],
  ['joiner next to a blank', 'a \u200cb', 'U+200C'],
  ['two joiners in a row', 'می\u200c\u200cخواهم', 'U+200C'],
])('rejects a key with an invisible character: %s', (_name, key, codePoint) => {
  expect(objectKeyFaults(key)).toStrictEqual([
    `The key holds an invisible character, ${codePoint}; leave it out.`,
  ]);
});

it.each([
  ['Persian', 'می\u200cخواهم.pdf'],
  ['Persian after a digit', '۱۲\u200cساله.pdf'],
  ['Hindi', 'क्\u200dष.pdf'],
  ['Bengali', 'র\u200d্য.pdf'],
  ['Sinhala', 'ශ්\u200dරී.pdf'],
  ['German', 'Auf\u200clage.pdf'],
  ['an emoji of a family', '👩\u200d👩\u200d👧.png'],
  ['an emoji with a skin tone', '👩🏽\u200d💻.png'],
  ['an emoji with a variation selector', '❤\ufe0f\u200d🔥.png'],
  ['the rainbow flag', '🏳\ufe0f\u200d🌈.png'],
  ['a flag of two letters', '🇨🇳.png'],
  ['an ideograph with a variation selector', '葛\u{e0100}.png'],
])('accepts joiners and selectors in words and emoji that need them: %s', (_name, key) => {
  expect(objectKeyFaults(key)).toStrictEqual([]);
});

it('of printable ASCII, exactly the keys of 1–1023 bytes without a backslash, empty or dot segment have no fault', () => {
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
  ['IMG_0001.JPG', 'image/jpeg', 'id.jpg'],
  ['photo.heic', 'image/heic', 'id.heic'],
  ['clip.mp4', 'video/mp4', 'id.mp4'],
  ['clip.MOV', 'video/quicktime', 'id.mov'],
  ['recording.webm', 'video/webm', 'id.webm'],
  ['voice.webm', 'audio/webm', 'id.webm'],
  ['song.mp3', 'audio/mpeg', 'id.mp3'],
  ['song.flac', 'audio/flac', 'id.flac'],
  ['report.pdf', 'application/pdf', 'id.pdf'],
  ['table.csv', 'text/csv', 'id.csv'],
  ['table.csv', 'application/vnd.ms-excel', 'id.csv'],
  ['notes.txt', 'text/plain', 'id.txt'],
  ['letter.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'id.docx'],
  ['all.zip', 'application/zip', 'id.zip'],
  ['all.zip', 'application/x-zip-compressed', 'id.zip'],
  ['archive.tar.gz', 'application/gzip', 'id.gz'],
  ['page.html', 'text/html', 'id.html'],
  ['drawing.svg', 'image/svg+xml', 'id.svg'],
  ['.png', 'image/png', 'id.png'],
])('keeps the extension of %j, which files of type %s have', (filename, essence, name) => {
  expect(serverMadeName('id', filename, essence)).toBe(name);
});

it.each([
  ['photo.png', 'image/jpeg'],
  ['png', 'image/png'],
  ['no-extension', 'image/png'],
  ['.hidden', 'image/png'],
  ['dot.', 'image/png'],
  ['报告.文档', 'image/png'],
  ['a.toolongextension', 'image/png'],
  ['a.p/g', 'image/png'],
  ['../../etc/passwd', 'image/png'],
  ['photo.png', 'application/octet-stream'],
  ['photo.png', 'image/unknown'],
  ['photo.png', 'constructor'],
  ['a.,', 'image/png'],
  ['evil.html', 'image/png'],
  ['evil.SVG', 'image/png'],
  ['a.html', 'image/svg+xml'],
  ['a.svg', 'text/html'],
  ['a.php', 'text/html'],
  ['a.shtml', 'text/html'],
  ['a.js', 'text/plain'],
  ['a.exe', 'application/octet-stream'],
  ['a.exe', 'application/vnd.microsoft.portable-executable'],
  ['a.exe', 'application/x-msdownload'],
  ['a.jnlp', 'application/x-java-jnlp-file'],
  ['a.xaml', 'application/xaml+xml'],
  ['a.jar', 'application/java-archive'],
  ['a.sh', 'application/x-sh'],
  ['a.png\0.html', 'image/png'],
  ['a.png\n', 'image/png'],
])('leaves the extension of %j out, which no file of type %s has', (filename, essence) => {
  expect(serverMadeName('id', filename, essence)).toBe('id');
});

it('gives no type an extension that servers or operating systems run', () => {
  const types = TYPE_EXTENSIONS.trim()
    .split(/\s+/)
    .map((entry) => entry.split('=')[0] ?? '');
  expect(types.length).toBeGreaterThan(900);
  const run =
    'exe com bat cmd msi scr dll pif vbs wsf ps1 hta lnk url reg chm jnlp xaml xbap jar war class php php3 php5 php7 php8 ' +
    'phar pht phtml phps asp aspx ashx asmx ascx cshtml cer jsp jspx jspf cfm cgi pl py rb sh shtml shtm stm swf';
  for (const type of types) {
    for (const extension of run.split(' ')) {
      expect(serverMadeName('id', `a.${extension}`, type), type).toBe('id');
    }
  }
});

it('gives an extension that browsers run only to types that browsers run', () => {
  const types = TYPE_EXTENSIONS.trim()
    .split(/\s+/)
    .map((entry) => entry.split('=')[0] ?? '')
    .filter((type) => !isActiveType(type));
  for (const type of types) {
    for (const extension of 'html htm xhtml xht svg svgz xml xsl js mjs wasm mht mhtml eml'.split(' ')) {
      expect(serverMadeName('id', `a.${extension}`, type), type).toBe('id');
    }
  }
});
