import { FORBID_OVERWRITE, headerRecord, METADATA_PREFIX } from './object-headers.ts';
import type { Header } from './signing/canonical-headers.ts';

/** Bills the requester. OSS reads it from every call, in the header or in the query. */
const REQUEST_PAYER = 'x-oss-request-payer';
const TRAFFIC_LIMIT = 'x-oss-traffic-limit';

/** The headers that OSS reads when an upload begins. They describe the object. */
const OF_INITIATE: ReadonlySet<string> = new Set([
  ...['content-type', 'cache-control', 'content-disposition', 'content-encoding', 'expires'],
  ...['x-oss-forbid-overwrite', 'x-oss-tagging', 'x-oss-storage-class'],
  ...['x-oss-server-side-encryption', 'x-oss-server-side-encryption-key-id'],
  ...['x-oss-server-side-data-encryption', REQUEST_PAYER],
]);

/** The headers that OSS reads when it assembles the object. */
const OF_COMPLETE: ReadonlySet<string> = new Set([
  ...['x-oss-forbid-overwrite', 'x-oss-object-acl', 'x-oss-callback', 'x-oss-callback-var'],
  REQUEST_PAYER,
]);

/**
 * The headers that OSS reads with each part. Their place is the query, so that clients have no
 * header to send.
 */
const OF_PARTS: ReadonlySet<string> = new Set([TRAFFIC_LIMIT, REQUEST_PAYER]);

/** The headers of all multipart uploads of a rule, each at the calls that read it. */
export type MultipartHeaders = {
  /** @throws TypeError for a header that no call of a multipart upload reads. */
  initiate(headers: readonly Header[]): Readonly<Record<string, string>>;
  complete(overwrite: boolean): Readonly<Record<string, string>>;
  /** Parameters of the URL of each part: the value by name. */
  readonly partParameters: { readonly requestPayer?: string; readonly trafficLimit?: string };
};

/**
 * Reports whether a call of a multipart upload reads a header of PutObject. The header is in any
 * case. Content-Language is not among them. Source: OSS InitiateMultipartUpload, UploadPart and
 * CompleteMultipartUpload, request headers.
 */
export function isMultipartHeader(header: string): boolean {
  const name = header.toLowerCase();
  return isInitiateHeader(name) || OF_COMPLETE.has(name) || OF_PARTS.has(name);
}

/** Sorts the headers that all uploads of a rule have by the calls that read them. */
export function prepareMultipartHeaders(common: readonly Header[]): MultipartHeaders {
  const ofComplete = common.filter(({ name }) => OF_COMPLETE.has(name.lowerCase));
  const requestPayer = headerValue(REQUEST_PAYER);
  const trafficLimit = headerValue(TRAFFIC_LIMIT);
  return {
    initiate(headers) {
      const stray = headers.find(({ name }) => !isMultipartHeader(name.lowerCase));
      if (stray) throw new TypeError(`a multipart upload cannot carry ${stray.name.lowerCase}`);
      return headerRecord(headers.filter(({ name }) => isInitiateHeader(name.lowerCase)));
    },
    complete: (overwrite) => headerRecord(overwrite ? ofComplete : [FORBID_OVERWRITE, ...ofComplete]),
    partParameters: {
      ...(requestPayer !== undefined && { requestPayer }),
      ...(trafficLimit !== undefined && { trafficLimit }),
    },
  };

  function headerValue(header: string): string | undefined {
    return common.find(({ name }) => name.lowerCase === header)?.value.trim();
  }
}

function isInitiateHeader(name: string): boolean {
  return name.startsWith(METADATA_PREFIX) || OF_INITIATE.has(name);
}
