import type { ObjectOperation } from './operation.ts';

/** DeleteObject: succeeds whether or not the object exists. */
export const deleteObject: ObjectOperation = async ({ store, bucket, key, response }) => {
  await store.remove(bucket, key);
  response.writeHead(204).end();
};
