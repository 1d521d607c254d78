import { KeptValues } from './kept-values.ts';

export type HeaderName = {
  readonly lowerCase: string;
  /** With the colon that follows it where it is signed. */
  readonly lineStart: string;
  /** Whether OSS signs the header whenever a request carries it, without its being named. */
  readonly isAlwaysSigned: boolean;
};

/** Longer names are not kept, so that what is kept stays small. */
const MAX_KEPT_LENGTH = 64;

/** By the name as it was given. */
const kept = new KeptValues<HeaderName>(1000);

/**
 * Reads the name of a header. Names that were read are kept: there are few, and each signature has several.
 * @throws TypeError for a name that not all HTTP clients take.
 */
export function readHeaderName(given: string): HeaderName {
  const known = kept.get(given);
  if (known) return known;
  const lowerCase = given.toLowerCase();
  const lineStart = `${lowerCase}:`;
  // The match also makes one piece of the text, which would else be put together again by each signature.
  if (!/^[a-z0-9-]+:$/.test(lineStart)) {
    throw new TypeError('a header name may hold letters, digits and "-" only');
  }
  const isAlwaysSigned =
    lowerCase === 'content-type' || lowerCase === 'content-md5' || lowerCase.startsWith('x-oss-');
  const name = { lowerCase, lineStart, isAlwaysSigned };
  return given.length <= MAX_KEPT_LENGTH ? kept.keep(given, name) : name;
}
