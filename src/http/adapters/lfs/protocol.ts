import { z } from 'zod';
import { type Problem, problemSchema } from '../../plugins/problem-json.ts';
import type { ClientProtocol } from '../../routes/client-protocol.ts';

/** The conventions of git-lfs on all routes of its Batch API. */
export const GIT_LFS: ClientProtocol = {
  mediaType: 'application/vnd.git-lfs+json',
  basicUser: '_jwt',
  // git-lfs then asks git for a user and a password.
  challenge: { 'LFS-Authenticate': 'Basic realm="oss-presign"' },
  problems: {
    name: 'GitLfsProblem',
    schema: z.object({
      message: z.string().meta({ description: 'The same as `detail`. git-lfs shows it.' }),
      request_id: z.string().meta({ description: 'The same as `requestId`.' }),
      ...problemSchema.shape,
    }),
    render: (problem: Problem) => ({
      message: problem.detail,
      request_id: problem.requestId,
      ...problem,
    }),
  },
};

/** The header of a `verify` action that carries the upload id. In lower case, as Node has it. */
export const UPLOAD_ID_HEADER = 'upload-id';

/** The address of the routes of a target, below that of the service. */
export function lfsPath(target: string): string {
  return `/v1/adapters/lfs/${target}`;
}
