import type { GrantUploadDependencies } from '../grants/grant-upload.ts';
import type { Route } from '../routes/route.ts';
import { directUploads } from './activestorage/direct-uploads.ts';
import { signedStorageUrl } from './vapor/signed-storage-url.ts';

/** The routes of each adapter: the formats of clients that cannot be changed. */
const ADAPTERS = {
  activestorage: [directUploads],
  vapor: [signedStorageUrl],
} as const satisfies Readonly<Record<string, readonly Route<GrantUploadDependencies>[]>>;

export type AdapterName = keyof typeof ADAPTERS;

/** The routes of the adapters that are on. */
export function adapterRoutes(names: readonly AdapterName[]): readonly Route<GrantUploadDependencies>[] {
  return [...new Set(names)].flatMap((name) => ADAPTERS[name]);
}
