import type supertest from 'supertest';
import type { Completed } from '../../src/grants/ports/observer.ts';
import type { ServiceKeys } from '../../src/grants/ports/service-keys.ts';
import { type GrantedUpload, sealUploadId } from '../../src/grants/upload-id.ts';
import type { AppDependencies } from '../../src/http/app.ts';
import type { Target } from '../../src/policy/policy.ts';
import type { BucketClient } from '../../src/storage/object-storage.ts';
import { bucketClientWith } from './bucket-client.ts';
import { grantedUpload, storedObject } from './granted-upload.ts';
import { ownFilesRule, policyWith } from './policies.ts';
import { serviceKeysOf } from './service-keys.ts';
import { createTestApp, type TestApp } from './test-app.ts';
import type { TestIssuer } from './tokens.ts';

type Claims = Readonly<Record<string, unknown>>;

export const PUBLIC_URL = 'https://presign.test';

/** A rule by which an app's server confirms what its users upload. */
export function confirmRule(fields: Claims = {}): Claims {
  return {
    name: 'app-server',
    actions: ['confirm'],
    who: { scope: 'uploads:confirm' },
    target: 'media',
    prefix: 'users/',
    ...fields,
  };
}

/** The claims of the app's server. */
export const APP_SERVER = { sub: 'app-server', scope: 'uploads:confirm' };

export type CompletionApp = TestApp & {
  readonly keys: ServiceKeys;
  /** The keys of the objects that the storage was asked for. */
  readonly heads: readonly string[];
  /** The calls about uploads that were counted, unless `observer` is another one. */
  readonly completions: readonly Completed[];
  /** The audited lines: their message, status and audit. */
  audits(): readonly (readonly [msg: string, status: number, audit: Claims])[];
  /** The upload id of {@link grantedUpload} with these fields. */
  idOf(fields?: Partial<GrantedUpload>): string;
  /** `POST /v1/uploads/<operation>` with a good token of `alice`; `claims` change it. */
  call(
    operation: 'parts' | 'status' | 'complete' | 'abort',
    body: unknown,
    claims?: Claims,
  ): Promise<supertest.Response>;
};

/** The whole HTTP service on a frozen clock, with a storage that has {@link storedObject}. */
export async function createCompletionApp({
  rules = [ownFilesRule(), confirmRule()],
  targets,
  head = async () => storedObject(),
  keys = serviceKeysOf('test-key'),
  ...overrides
}: Partial<AppDependencies> & {
  readonly rules?: readonly Claims[];
  readonly targets?: Readonly<Record<string, Claims>>;
  /** The response of the storage. */
  readonly head?: BucketClient['headObject'];
  readonly createClient?: (target: Target) => BucketClient;
  readonly keys?: ServiceKeys;
  readonly issuer?: TestIssuer;
  readonly env?: Readonly<Record<string, string>>;
} = {}): Promise<CompletionApp> {
  const heads: string[] = [];
  const completions: Completed[] = [];
  const app = await createTestApp({
    policyYaml: policyWith({ rules, ...(targets && { targets }) }),
    serviceKeys: { current: () => keys, isShared: true },
    publicUrl: PUBLIC_URL,
    createClient: () =>
      bucketClientWith({
        headObject(key, deadline) {
          heads.push(key);
          return head(key, deadline);
        },
      }),
    observer: {
      responded: () => {},
      decided: () => {},
      decidedKeys: () => {},
      completed: (completion) => void completions.push(completion),
      rejected: () => {},
    },
    ...overrides,
  });
  return {
    ...app,
    keys,
    heads,
    completions,
    audits: () =>
      app.log
        .map((line) => JSON.parse(line))
        .filter(({ audit }) => audit)
        .map(({ msg, status, audit }) => [msg, status, audit]),
    idOf: (fields) => sealUploadId(keys.signing, grantedUpload(fields)),
    call: async (operation, body, claims) =>
      app.http
        .post(`/v1/uploads/${operation}`)
        .set('authorization', `Bearer ${await app.issuer.sign(claims)}`)
        .set('content-type', 'application/json')
        .send(typeof body === 'string' ? body : JSON.stringify(body)),
  };
}
