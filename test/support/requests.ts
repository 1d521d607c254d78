/** The body of `POST /v1/uploads` for a small upload that the rule `own-files` grants to `alice`. */
export const PHOTO = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 48_213 };
