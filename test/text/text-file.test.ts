import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { readTextFile } from '../../src/text/read-text-file.ts';
import { decodeTextFile, MAX_TEXT_FILE_BYTES, readFault } from '../../src/text/text-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'text-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

function faultOf(decode: () => unknown): string | undefined {
  try {
    decode();
  } catch (error) {
    return readFault(error);
  }
  return undefined;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const GBK_USER = Buffer.from([0xd3, 0xc3, 0xbb, 0xa7]);

it.each<[string, Uint8Array, string]>([
  [
    'Latin-1 on line 3',
    latin1('a\nb\nMüller\nc\n'),
    'is not UTF-8: line 3 has other bytes; save it as UTF-8',
  ],
  ['GBK on line 1', GBK_USER, 'is not UTF-8: line 1 has other bytes; save it as UTF-8'],
  ['Windows line ends', latin1('a\r\né'), 'is not UTF-8: line 2 has other bytes; save it as UTF-8'],
  [
    'a character cut off at the end',
    Buffer.from('a\n用').subarray(0, 4),
    'is not UTF-8: line 2 has other bytes; save it as UTF-8',
  ],
  ['an overlong slash', Buffer.from([0xc0, 0xaf]), 'is not UTF-8: line 1 has other bytes; save it as UTF-8'],
  ['a surrogate', Buffer.from([0xed, 0xa0, 0x80]), 'is not UTF-8: line 1 has other bytes; save it as UTF-8'],
  ['UTF-16', Buffer.from('\ufeffissuers:', 'utf16le'), 'is UTF-16 or binary; save it as UTF-8'],
  [
    'UTF-16, big-endian',
    Buffer.from('\ufeffissuers:', 'utf16le').swap16(),
    'is UTF-16 or binary; save it as UTF-8',
  ],
  ['UTF-16 without a mark', Buffer.from('issuers:', 'utf16le'), 'is UTF-16 or binary; save it as UTF-8'],
  ['too many bytes', new Uint8Array(MAX_TEXT_FILE_BYTES + 1), 'is larger than 4 MiB'],
])('rejects %s', (_name, bytes, fault) => {
  expect(faultOf(() => decodeTextFile(bytes))).toBe(fault);
});

it('decodes all text without control characters unchanged, and drops a byte order mark', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
      const printable = text.replaceAll('\0', '');
      expect(decodeTextFile(Buffer.from(`\ufeff${printable}`))).toBe(printable);
    }),
  );
});

it('reads a file of many chunks, and no more than the bound of one that has no end', () => {
  const path = join(folder, 'long');
  const text = '用户\n'.repeat(30_000);
  writeFileSync(path, text);
  expect(readTextFile(path)).toBe(text);
  expect(faultOf(() => readTextFile('/dev/zero'))).toBe('is larger than 4 MiB');
  expect(faultOf(() => readTextFile(join(folder, 'none')))).toBe('cannot be read (ENOENT)');
  expect(faultOf(() => readTextFile(folder))).toBe('cannot be read, because it is a directory (EISDIR)');
});
