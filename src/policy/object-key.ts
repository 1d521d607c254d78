import { fittingExtension } from './file-extension.ts';

/** OSS's limit, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1023;

// Cc and the line separators break logs and headers; the bidirectional controls make a name read as another one.
const CONTROL_CHARACTER = /[\p{Cc}\u2028\u2029]/u;
const BIDIRECTIONAL_CONTROL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

const [DOT, SLASH, BACKSLASH] = [0x2e, 0x2f, 0x5c];

const NO_FAULTS: readonly string[] = Object.freeze([]);

/**
 * What is wrong with an object key, one sentence per fault; an empty list when it can be signed as it is.
 * A key is refused, never repaired: what is signed is what was asked.
 * Source: OSS object naming (1–1023 bytes, no leading `/` or `\`), and the WHATWG URL parser, which every browser
 * and Node's fetch use and which drops `.` and `..` segments.
 */
export function objectKeyFaults(key: string): readonly string[] {
  if (isOrdinaryKey(key)) return NO_FAULTS;
  if (!key.isWellFormed()) return ['The key holds half of a surrogate pair; send well-formed Unicode.'];
  const faults: string[] = [];
  const bytes = Buffer.byteLength(key);
  if (bytes < 1) faults.push('The key is empty.');
  if (bytes > MAX_KEY_BYTES)
    faults.push(`The key is ${bytes} bytes of UTF-8; at most ${MAX_KEY_BYTES} are allowed.`);
  if (key.normalize('NFC') !== key) faults.push('The key is not in Unicode normalization form C (NFC).');
  if (key.startsWith('/')) faults.push('The key begins with "/".');
  if (key.includes('\\')) faults.push('The key holds a backslash.');
  if (CONTROL_CHARACTER.test(key)) faults.push('The key holds a control character or line separator.');
  if (BIDIRECTIONAL_CONTROL.test(key)) faults.push('The key holds a bidirectional control character.');
  const segments = key.split('/');
  if (segments.some((segment, index) => segment === '' && index > 0)) {
    faults.push('The key holds an empty segment ("//", or "/" at its end).');
  }
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    faults.push('The key holds a "." or ".." segment.');
  }
  return faults;
}

/**
 * Says of most keys that have no fault that they have none: of printable ASCII without a segment that begins with a dot.
 * One loop, since all the tests above would take two fifths of a decision.
 */
function isOrdinaryKey(key: string): boolean {
  if (key.length > MAX_KEY_BYTES) return false;
  let previous = SLASH;
  for (let index = 0; index < key.length; index++) {
    const code = key.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === BACKSLASH) return false;
    if (previous === SLASH && (code === SLASH || code === DOT)) return false;
    previous = code;
  }
  return previous !== SLASH;
}

/**
 * The last part of a server-made key: the id, and the file name's extension in lower case if files of the content type have
 * it. The extension never comes from the file name alone, and none is made up: a reader learns the type from Content-Type.
 * @param essence the content type's `type/subtype` in lower case.
 */
export function serverMadeName(id: string, filename: string, essence: string): string {
  const extension = fittingExtension(filename, essence);
  return extension === undefined ? id : `${id}.${extension}`;
}
