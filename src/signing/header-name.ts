import { KeptValues } from './kept-values.ts';

export type HeaderName = {
  readonly lowerCase: string;
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
  if (!/^[a-z0-9-]+$/.test(lowerCase)) {
    throw new TypeError('a header name may hold letters, digits and "-" only');
  }
  const isAlwaysSigned =
    lowerCase === 'content-type' || lowerCase === 'content-md5' || lowerCase.startsWith('x-oss-');
  const name = { lowerCase, isAlwaysSigned };
  return given.length <= MAX_KEPT_LENGTH ? kept.keep(given, name) : name;
}
