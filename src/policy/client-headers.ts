/**
 * The request fields that set a header of the object, with their headers. A rule allows each field
 * or does not.
 */
export const CLIENT_HEADERS = {
  cacheControl: 'Cache-Control',
  contentDisposition: 'Content-Disposition',
  contentEncoding: 'Content-Encoding',
} as const;

export type ClientHeader = keyof typeof CLIENT_HEADERS;

/** These fields as a list. */
export const CLIENT_HEADER_FIELDS = Object.keys(CLIENT_HEADERS) as readonly ClientHeader[];
