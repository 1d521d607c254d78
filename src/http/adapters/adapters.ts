import type { Route } from '../routes/route.ts';
import { directUploads } from './activestorage/direct-uploads.ts';
import { type ObjectsBatchDependencies, objectsBatch } from './lfs/objects-batch.ts';
import { type ObjectsVerifyDependencies, objectsVerify } from './lfs/objects-verify.ts';
import { signedStorageUrl } from './vapor/signed-storage-url.ts';

export type AdapterDependencies = ObjectsBatchDependencies & ObjectsVerifyDependencies;

/** The routes of each adapter: the formats of clients that cannot be changed. */
const ADAPTERS = {
  activestorage: [directUploads],
  lfs: [objectsBatch, objectsVerify],
  vapor: [signedStorageUrl],
} as const satisfies Readonly<Record<string, readonly Route<AdapterDependencies>[]>>;

export type AdapterName = keyof typeof ADAPTERS;

/** The routes of the adapters that are on. */
export function adapterRoutes(names: readonly AdapterName[]): readonly Route<AdapterDependencies>[] {
  return names.flatMap((name): readonly Route<AdapterDependencies>[] => ADAPTERS[name]);
}
