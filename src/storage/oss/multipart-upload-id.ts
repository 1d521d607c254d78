const MULTIPART_UPLOAD_ID = /^[!-~]{1,1024}$/;

/**
 * Reports whether a text can be OSS's ID of a multipart upload: opaque, printable ASCII without
 * blanks. Queries and the upload ids of the service have it.
 */
export function isMultipartUploadId(text: string): boolean {
  return MULTIPART_UPLOAD_ID.test(text);
}
