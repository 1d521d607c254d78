/** JSON of 700 bytes, about what an answer with a presigned URL has. */
export const STATIC_ANSWER = JSON.stringify({ method: 'PUT', url: 'u'.repeat(675) });
