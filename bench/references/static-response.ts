/** JSON of 700 bytes, about the size of a response with a presigned URL. */
export const STATIC_RESPONSE = JSON.stringify({ method: 'PUT', url: 'u'.repeat(675) });
