import { type HeaderName, readHeaderName } from './header-name.ts';

/** The headers of a request as they are signed. */
export type SignedHeaders = {
  /** `name:value` and a line feed for each, sorted by name. */
  readonly lines: string;
  /** Names of those that OSS does not sign by itself, sorted, `;` between. */
  readonly additionalNames: string;
  /** The same as a value of the query. */
  readonly encodedAdditionalNames: string;
  /** What the request says of its payload, which is never signed itself. */
  readonly payloadHash: string;
};

type Header = { readonly name: HeaderName; readonly value: string };

/**
 * Picks and sorts what is signed of a request's headers: those that OSS always signs, and those that are named; or `every`.
 * Names in any case, values of printable ASCII, signed trimmed; names that the request does not carry do not count.
 * @throws TypeError for what HTTP clients or OSS SDKs would not all send alike (OSS facts: the safe subset).
 */
export function signedHeaders(
  headers: Readonly<Record<string, string>>,
  additional: readonly string[] | 'every',
  contentLength?: number,
): SignedHeaders {
  const sorted: Header[] = [];
  // A list of the names of an object with so many takes as long as all else that is done for them.
  for (const name in headers) insert(sorted, name, headers[name] as string);
  if (contentLength !== undefined) insert(sorted, 'Content-Length', String(contentLength));

  const named = additional === 'every' ? undefined : additional.map((name) => name.toLowerCase());
  let lines = '';
  let additionalNames = '';
  let encodedAdditionalNames = '';
  let payloadHash = 'UNSIGNED-PAYLOAD';
  for (const {
    name: { lowerCase: name, lineStart, isAlwaysSigned },
    value,
  } of sorted) {
    if (!isAlwaysSigned) {
      if (named && !named.includes(name)) continue;
      encodedAdditionalNames = additionalNames === '' ? name : `${encodedAdditionalNames}%3B${name}`;
      additionalNames = additionalNames === '' ? name : `${additionalNames};${name}`;
    } else if (name === 'x-oss-content-sha256') payloadHash = value;
    lines = `${lines}${lineStart}${value}\n`;
  }
  return { lines, additionalNames, encodedAdditionalNames, payloadHash };
}

/** Puts a header into its place. The few that a request has come almost sorted: no sorting is quicker. */
function insert(sorted: Header[], givenName: string, givenValue: string): void {
  const name = readHeaderName(givenName);
  const { lowerCase } = name;
  let place = sorted.length;
  for (; place > 0; place--) {
    const before = sorted[place - 1] as Header;
    if (before.name.lowerCase <= lowerCase) break;
    sorted[place] = before;
  }
  if (place > 0 && sorted[place - 1]?.name.lowerCase === lowerCase) {
    throw new TypeError(`the header ${lowerCase} stands twice`);
  }
  const value = givenValue.trim();
  if (!/^[ -~]+$/.test(value)) {
    throw new TypeError(`the value of ${lowerCase} must be printable ASCII and not blank`);
  }
  sorted[place] = { name, value };
}
