/** How an object is cut into the parts of a multipart upload. */
export type Parts = {
  readonly partCount: number;
  /** Bytes before the part in the object. */
  offset(partNumber: number): number;
  /** Bytes of the part: the part size, or the rest for the last one. */
  partLength(partNumber: number): number;
};

/**
 * Cuts an object into parts. All have the part size, except the last one, which has the rest.
 * Numbers begin at 1.
 * @param contentLength bytes, at least 1.
 * @param partSize bytes, at least 1.
 */
export function partsOf(contentLength: number, partSize: number): Parts {
  const partCount = Math.ceil(contentLength / partSize);
  const offset = (partNumber: number) => (partNumber - 1) * partSize;
  return {
    partCount,
    offset,
    partLength: (partNumber) => (partNumber < partCount ? partSize : contentLength - offset(partCount)),
  };
}
