import { MAX_KEY_BYTES } from '../storage/limits.ts';
import { fittingExtension } from './file-extension.ts';

/**
 * The most consecutive combining marks. Normalization sorts them in time that grows with the square
 * of their number.
 */
const MAX_COMBINING_MARKS = 32;
// One more than that.
const TOO_MANY_COMBINING_MARKS = /\p{M}{33}/u;

/** Cc and the line separators, which break logs and headers. */
export const CONTROL_CHARACTER = /[\p{Cc}\u2028\u2029]/u;

// Bidirectional controls make a name look like a different one.
const BIDIRECTIONAL_CONTROL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

// Format characters (Cf), and letters and unassigned characters that renderers do not show.
// Variation selectors are marks (M).
const INVISIBLE_CHARACTER =
  /(?![\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])(?:\p{Cf}|(?!\p{M})\p{Default_Ignorable_Code_Point})/u;

// Joiners change the spelling of Persian and Hindi words, and combine emoji. ASCII digits never
// need one.
const JOINER_INSIDE_WORD =
  /(?<=[\p{L}\p{M}\p{Nd}\p{Extended_Pictographic}\p{Emoji_Modifier}])(?<![0-9])[\u200c\u200d](?=[\p{L}\p{M}\p{Extended_Pictographic}])/gu;

const [DOT, SLASH, BACKSLASH] = [0x2e, 0x2f, 0x5c];

const NO_FAULTS: readonly string[] = Object.freeze([]);

/**
 * Lists the faults of an object key, one sentence each. The list is empty if the key can be signed.
 * A key is rejected, never repaired: the service signs the key that the client sent. For a key that
 * is too long, this is the only fault, because every further check takes time that depends on its
 * length. Source: OSS object naming (1–1023 bytes, no leading `/` or `\`), and the WHATWG URL
 * parser, which every browser and Node's fetch use and which drops `.` and `..` segments.
 */
export function objectKeyFaults(key: string): readonly string[] {
  if (isPlainAsciiKey(key)) return NO_FAULTS;
  if (isTooLongKey(key)) {
    return [`The key is ${Buffer.byteLength(key)} bytes of UTF-8; at most ${MAX_KEY_BYTES} are allowed.`];
  }
  if (!key.isWellFormed()) return ['The key holds half of a surrogate pair; send well-formed Unicode.'];
  const faults: string[] = [];
  if (key === '') faults.push('The key is empty.');
  if (TOO_MANY_COMBINING_MARKS.test(key)) {
    faults.push(
      `The key holds more than ${MAX_COMBINING_MARKS} combining marks in a row; leave out the superfluous ones.`,
    );
  } else if (key.normalize('NFC') !== key) {
    faults.push("The key is not in Unicode normalization form C (NFC); send key.normalize('NFC').");
  }
  if (key.startsWith('/')) faults.push('The key begins with "/".');
  if (key.includes('\\')) faults.push('The key holds a backslash.');
  if (CONTROL_CHARACTER.test(key)) faults.push('The key holds a control character or line separator.');
  if (BIDIRECTIONAL_CONTROL.test(key)) faults.push('The key holds a bidirectional control character.');
  const invisible = INVISIBLE_CHARACTER.exec(key.replace(JOINER_INSIDE_WORD, ''))?.[0];
  if (invisible !== undefined) {
    faults.push(`The key holds an invisible character, ${codePointName(invisible)}; leave it out.`);
  }
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
 * Returns why a form cannot upload to a key, as a sentence; undefined if it can. OSS replaces
 * `${filename}` in the key of a form by a name that the client chooses. Source: OSS PostObject.
 */
export function formKeyFault(key: string): string | undefined {
  return key.includes('${')
    ? 'The key holds "${", which OSS expands in forms; leave it out, or upload by a PUT.'
    : undefined;
}

/** Reports whether a key is longer than OSS accepts. */
export function isTooLongKey(key: string): boolean {
  // A UTF-16 code unit is at most 3 bytes of UTF-8.
  return key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES;
}

function codePointName(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * Reports whether a key is printable ASCII and no segment begins with a dot. Such a key has no
 * fault, and most keys are such. One loop, because all the checks above would take two fifths of a
 * decision.
 */
function isPlainAsciiKey(key: string): boolean {
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
 * Returns the last part of a server-made key: the id and the file name's extension in lower case.
 * The key has the extension only if files of the content type have it. Otherwise it has none, and
 * Content-Type names the type.
 * @param essence the content type's `type/subtype` in lower case.
 */
export function serverMadeName(id: string, filename: string, essence: string): string {
  const extension = fittingExtension(filename, essence);
  return extension === undefined ? id : `${id}.${extension}`;
}
