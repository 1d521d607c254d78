/** The name of a header. */
export type HeaderName = {
  /** As clients are asked to send it. */
  readonly spelling: string;
  readonly lowerCase: string;
  /** The beginning of the header's line as it is signed: `name:`. */
  readonly lineStart: string;
  /** Whether OSS signs the header only if `x-oss-additional-headers` names it. */
  readonly isAdditional: boolean;
};

/** One header of a request. */
export type Header = {
  readonly name: HeaderName;
  readonly value: string;
  /** As it is signed: `name:value`, trimmed, and a line feed. */
  readonly line: string;
};

/** The headers of a request, as they are signed. */
export type CanonicalHeaders = {
  /** `name:value` and a line feed for each, sorted by name. */
  readonly lines: string;
  /** The names of the additional headers, sorted and separated by `;`. */
  readonly additionalNames: string;
  /** The same as a value of the query. */
  readonly encodedAdditionalNames: string;
  /** The hash of the payload as the request states it. The payload itself is never signed. */
  readonly payloadHash: string;
};

/** @throws TypeError for a name that HTTP clients do not all send. */
export function headerName(spelling: string): HeaderName {
  const lowerCase = spelling.toLowerCase();
  if (!/^[a-z0-9-]+$/.test(lowerCase)) {
    throw new TypeError('a header name may hold letters, digits and "-" only');
  }
  const isAdditional =
    lowerCase !== 'content-type' && lowerCase !== 'content-md5' && !lowerCase.startsWith('x-oss-');
  return { spelling, lowerCase, lineStart: `${lowerCase}:`, isAdditional };
}

/** @throws TypeError for a value that HTTP clients or OSS SDKs do not all send in the same way. */
export function header(name: HeaderName, value: string): Header {
  const trimmed = value.trim();
  if (!/^[ -~]+$/.test(trimmed)) {
    throw new TypeError(`the value of ${name.lowerCase} must be printable ASCII and not blank`);
  }
  return { name, value, line: `${name.lineStart}${trimmed}\n` };
}

/**
 * The canonical headers of OSS V4, from headers in any order.
 * @throws TypeError if a header occurs more than once.
 */
export function canonicalHeaders(headers: readonly Header[]): CanonicalHeaders {
  let lines = '';
  let additionalNames = '';
  let encodedAdditionalNames = '';
  let payloadHash = 'UNSIGNED-PAYLOAD';
  let previous = '';
  for (const { name, value, line } of headers.toSorted(byName)) {
    const { lowerCase } = name;
    if (lowerCase === previous) throw new TypeError(`the header ${lowerCase} is duplicated`);
    previous = lowerCase;
    if (name.isAdditional) {
      encodedAdditionalNames =
        additionalNames === '' ? lowerCase : `${encodedAdditionalNames}%3B${lowerCase}`;
      additionalNames = additionalNames === '' ? lowerCase : `${additionalNames};${lowerCase}`;
    } else if (lowerCase === 'x-oss-content-sha256') payloadHash = value.trim();
    lines += line;
  }
  return { lines, additionalNames, encodedAdditionalNames, payloadHash };
}

function byName(one: Header, other: Header): number {
  return one.name.lowerCase < other.name.lowerCase ? -1 : 1;
}
