import fc from 'fast-check';

const FIRST_SURROGATE = 0xd800;
const SURROGATES = 0x800;
const MAX_CODE_POINT = 0x10ffff;

/**
 * Any character of Unicode, as a unit of `fc.string`. The same characters as `unit: 'binary'`, which
 * takes half a second to build in each process.
 */
export const codePoint: fc.Arbitrary<string> = fc.integer({ min: 0, max: MAX_CODE_POINT - SURROGATES }).map(
  (index) => String.fromCodePoint(index < FIRST_SURROGATE ? index : index + SURROGATES),
  (character) => {
    const [one, ...others] = typeof character === 'string' ? [...character] : [];
    const code = one?.codePointAt(0);
    if (code === undefined || others.length > 0) throw new Error('not one character');
    return code < FIRST_SURROGATE ? code : code - SURROGATES;
  },
);
