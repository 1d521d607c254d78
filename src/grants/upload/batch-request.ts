import { z } from 'zod';
import type { UploadRequest } from '../../policy/upload-request.ts';
import { type Found, faultsOf, invalidRequest, requireObject } from '../request-faults.ts';
import { parseUploadRequest, uploadRequestBody } from './request.ts';

/** The most uploads of one request. */
export const MAX_BATCH_ITEMS = 100;

const EMPTY = 'must have at least one upload';

/** The source of the part of `openapi.yaml` for the body of `POST /v1/uploads/batch`. */
export const uploadBatchBody = z.strictObject({
  items: z
    .array(uploadRequestBody.meta({ ...uploadRequestBody.meta(), id: 'UploadRequest' }))
    .min(1, EMPTY)
    .meta({
      maxItems: MAX_BATCH_ITEMS,
      description: `1 to ${MAX_BATCH_ITEMS} uploads with the fields of \`POST /v1/uploads\`, but not with \`"transfer": "multipart"\`. The response has one item for each, in the same order.`,
    }),
});

/** The items are checked one by one, because an invalid item does not reject the others. */
const outerBody = z.strictObject({ items: z.array(z.unknown()).min(1, EMPTY) });

/** `items` for other names of the list. */
const ALIASES: Readonly<Record<string, string>> = {
  uploads: 'items',
  requests: 'items',
  files: 'items',
  keys: 'items',
  item: 'items',
};

const KNOWN = { fields: Object.keys(outerBody.shape), aliases: ALIASES };

/**
 * Returns the items of the body of `POST /v1/uploads/batch`, which are not checked yet.
 * @throws ServiceError `invalid_request` if the body is not an object with 1 to
 *   {@link MAX_BATCH_ITEMS} `items` and no other field.
 */
export function parseUploadBatchBody(body: unknown): readonly unknown[] {
  const sent = requireObject(body);
  const { items } = sent as { readonly items?: unknown };
  if (Array.isArray(items) && items.length > MAX_BATCH_ITEMS) {
    const detail = `items has ${items.length} uploads; at most ${MAX_BATCH_ITEMS} are allowed in one request.`;
    throw invalidRequest([() => ({ pointer: '/items', code: 'invalid_value', detail })]);
  }
  const parsed = outerBody.safeParse(sent);
  if (parsed.success) return parsed.data.items;
  throw invalidRequest(faultsOf(parsed.error.issues, sent, KNOWN));
}

/**
 * Checks one item of a batch in linear time.
 * @throws ServiceError `invalid_request` with the faults. Their pointers begin at the item.
 */
export function parseBatchItem(item: unknown): UploadRequest {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw invalidRequest([notAnObject]);
  }
  const { transfer } = item as { readonly transfer?: unknown };
  return parseUploadRequest(item, transfer === 'multipart' ? [multipartInBatch] : []);
}

const notAnObject: Found = () => ({
  pointer: '',
  code: 'invalid_type',
  detail: 'An item must be a JSON object.',
});

const multipartInBatch: Found = () => ({
  pointer: '/transfer',
  code: 'invalid_value',
  detail: 'A batch cannot begin multipart uploads; send this upload to POST /v1/uploads.',
});
