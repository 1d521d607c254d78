import { z } from 'zod';
import { formGrant, putGrant } from '../../grants/upload/response.ts';
import { problemSchema } from '../plugins/problem-json.ts';

const granted = z.literal(201).meta({ description: 'The upload is granted.' });
const rejected = z
  .int()
  .meta({ description: 'The status that `POST /v1/uploads` would have: 400, 403 or 429.', examples: [403] });

/** The body of the 200 of `POST /v1/uploads/batch`; `openapi.yaml` is generated from it. */
export const uploadBatchGrants = z.strictObject({
  items: z
    .array(
      z.union([
        putGrant.unwrap().extend({ status: granted }).meta({ id: 'PutGrantItem' }),
        formGrant.unwrap().extend({ status: granted }).meta({ id: 'FormGrantItem' }),
        z
          .object({ ...problemSchema.omit({ upload: true }).shape, status: rejected })
          .meta({ id: 'ProblemItem' }),
      ]),
    )
    .meta({ description: 'One item for each upload, in the order of the request.' }),
});

export type UploadBatchGrants = z.output<typeof uploadBatchGrants>;
