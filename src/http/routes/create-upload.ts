import { parseUploadRequestBody, uploadRequestBody } from '../../grants/upload/request.ts';
import { uploadGrant } from '../../grants/upload/response.ts';
import {
  FORM_GRANT_EXAMPLE,
  GRANT_EXAMPLE,
  MULTIPART_GRANT_EXAMPLE,
  REQUEST_EXAMPLE,
} from '../docs/openapi-examples.ts';
import { createGrantUpload, type GrantUploadDependencies, grantResponse } from '../grants/grant-upload.ts';
import { callerContextOf } from '../plugins/authentication.ts';
import type { Route } from './route.ts';

export type CreateUploadDependencies = GrantUploadDependencies;

/** `POST /v1/uploads`: grants the upload of one file. */
export const createUpload: Route<CreateUploadDependencies> = {
  method: 'POST',
  path: '/v1/uploads',
  isPublic: false,
  openapi: {
    operationId: 'issueUpload',
    tag: 'Uploads',
    summary: 'Request permission to upload one file',
    requestHeaders: [
      {
        name: 'Idempotency-Key',
        description:
          '1 to 255 visible ASCII characters, such as a UUID, with `filename` only, and not for multipart uploads. The same caller gets the same object key for the same request with the same value, so a retried request cannot create a second object.',
      },
    ],
    requestBody: { name: 'UploadRequest', schema: uploadRequestBody, example: REQUEST_EXAMPLE },
    responses: {
      201: {
        description:
          'Granted. PUT the bytes to `url` with exactly these headers, POST a form with exactly these fields and then the file, or send the parts of the multipart upload that the service has begun.',
        content: {
          name: 'UploadGrant',
          schema: uploadGrant,
          examples: { put: GRANT_EXAMPLE, form: FORM_GRANT_EXAMPLE, multipart: MULTIPART_GRANT_EXAMPLE },
        },
      },
    },
    problems: [
      ...(['invalid_request', 'policy_denied', 'object_exists', 'body_too_large'] as const),
      ...(['unsupported_media_type', 'storage_error'] as const),
    ],
  },
  handler: (dependencies) => {
    const grantUpload = createGrantUpload(dependencies);
    return async (request, reply) => {
      const upload = parseUploadRequestBody(request.body);
      const granted = await grantUpload(request, reply, callerContextOf(request), upload);
      return grantResponse(granted, granted.response);
    };
  },
};
