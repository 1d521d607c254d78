export type HeaderName = {
  readonly lowerCase: string;
  /** Whether OSS signs the header whenever a request carries it, without its being named. */
  readonly isAlwaysSigned: boolean;
};

/**
 * Reads the name of a header.
 * @throws TypeError for a name that not all HTTP clients take.
 */
export function readHeaderName(given: string): HeaderName {
  const lowerCase = given.toLowerCase();
  if (!/^[a-z0-9-]+$/.test(lowerCase)) {
    throw new TypeError('a header name may hold letters, digits and "-" only');
  }
  const isAlwaysSigned =
    lowerCase === 'content-type' || lowerCase === 'content-md5' || lowerCase.startsWith('x-oss-');
  return { lowerCase, isAlwaysSigned };
}
