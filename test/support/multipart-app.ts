import { partsOf } from '../../src/grants/multipart/parts.ts';
import type { ServiceKeys } from '../../src/grants/ports/service-keys.ts';
import { type GrantedUpload, openUploadId } from '../../src/grants/upload-id.ts';
import type { AppDependencies } from '../../src/http/app.ts';
import type { PresignedPart, SigningCredentials } from '../../src/storage/object-storage.ts';
import { prepareBucket } from '../../src/storage/oss/bucket.ts';
import type { SignedCallsOptions } from '../../src/storage/oss/signed-calls.ts';
import { fixedClock } from './fixed-clock.ts';
import { type Fields, mediaTarget, ownFilesRule, policyWith } from './policies.ts';
import { createRecordingClient } from './storage-client.ts';
import { createTestApp } from './test-app.ts';
import { LONG_LIVED, REGION } from './test-emulator.ts';
import type { TestIssuer } from './tokens.ts';

/** The smallest part size of OSS: 100 KiB. */
export const PART_SIZE = 102_400;

export type Json = Readonly<Record<string, unknown>>;
export type Reply = { readonly status: number; readonly body: Json };

export type MultipartApp = {
  /** `POST` with a token of `alice`; `claims` change it. */
  post(path: string, body: Json, claims?: Json): Promise<Reply>;
  /** Begins an upload of this length in parts of {@link PART_SIZE}, and returns its id. */
  begin(key: string, contentLength: number, more?: Json): Promise<string>;
  call(operation: 'status' | 'complete' | 'abort', id: string, more?: Json, claims?: Json): Promise<Reply>;
  readonly log: readonly string[];
};

export type Shared = {
  readonly url: string;
  readonly keys: ServiceKeys;
  readonly issuer: TestIssuer;
};

/** A rule that allows multipart uploads. */
export function multipartRule(fields: Fields = {}): Fields {
  return ownFilesRule({ transfers: ['put', 'multipart'], maxSize: '1GiB', partSize: '100KiB', ...fields });
}

let grantCount = 0;

/**
 * A replica of the service with clients of a real server in place of OSS. Replicas with the same
 * keys and issuer can continue the uploads of each other. Closed when the test ends.
 */
export async function createMultipartApp(
  { url, keys, issuer }: Shared,
  {
    rules = [multipartRule()],
    bucket = 'acme-media',
    credentials = () => LONG_LIVED,
    clock = fixedClock,
    client = {},
    ...overrides
  }: Omit<Partial<AppDependencies>, 'credentials'> & {
    readonly rules?: readonly Fields[];
    readonly bucket?: string;
    readonly credentials?: () => SigningCredentials;
    readonly client?: Partial<SignedCallsOptions>;
  } = {},
): Promise<MultipartApp> {
  const { app, log } = await createTestApp({
    policyYaml: policyWith({
      rules,
      targets: { media: mediaTarget({ bucket, region: REGION, endpoint: url }) },
    }),
    issuer,
    serviceKeys: { current: () => keys, isShared: true },
    createClient: (target) =>
      createRecordingClient(url, {
        target: { bucket: target.bucket },
        credentials: async () => credentials(),
        clock,
        ...client,
      }),
    clock,
    newGrantId: () => `019ab000-0000-7000-8000-${String(++grantCount).padStart(12, '0')}`,
    limiter: { consume: () => undefined },
    ...overrides,
  });
  const token = await issuer.sign();
  const post = async (path: string, body: Json, claims?: Json) => {
    const response = await app.inject({
      method: 'POST',
      url: path,
      headers: { authorization: `Bearer ${claims ? await issuer.sign(claims) : token}` },
      payload: body,
    });
    return { status: response.statusCode, body: response.body === '' ? {} : response.json() };
  };
  return {
    log,
    post,
    async begin(key, contentLength, more = {}) {
      const request = { transfer: 'multipart', key, contentLength, contentType: 'text/plain', ...more };
      const { status, body } = await post('/v1/uploads', request);
      if (status !== 201) throw new Error(`the upload was not granted: ${JSON.stringify(body)}`);
      return String(body.id);
    },
    call: (operation, id, more = {}, claims) => post(`/v1/uploads/${operation}`, { id, ...more }, claims),
  };
}

export type PartOptions = {
  /** The length that is signed: that of the grant, unless somebody else signs the part. */
  readonly contentLength?: number;
  readonly contentMd5?: string;
  readonly credentials?: SigningCredentials;
};

/** Sends one part with a URL that is signed as the service signs it, and returns the status. */
export async function putPart(
  { url, keys }: Pick<Shared, 'url' | 'keys'>,
  id: string,
  partNumber: number,
  body: Uint8Array<ArrayBuffer>,
  options: PartOptions = {},
): Promise<number> {
  const { method, url: partUrl, headers } = signPart(url, grantedBy(keys, id), partNumber, options);
  const response = await fetch(partUrl, { method, headers, body });
  await response.arrayBuffer();
  return response.status;
}

function grantedBy(keys: ServiceKeys, id: string): GrantedUpload {
  const granted = openUploadId(keys, id);
  if (!granted) throw new Error('the id is not one of these keys');
  return granted;
}

function signPart(
  url: string,
  { key, bucket, region, contentLength: { min }, multipart }: GrantedUpload,
  partNumber: number,
  { contentLength, contentMd5, credentials = LONG_LIVED }: PartOptions,
): PresignedPart {
  if (!multipart) throw new Error('the id is not that of a multipart upload');
  const { uploadId, partSize } = multipart;
  const endpoint = { url, addressing: 'path' } as const;
  return prepareBucket({ bucket, region, endpoint })
    .prepareUploads({}, [])
    .presignPart(
      {
        key,
        uploadId,
        partNumber,
        contentLength: contentLength ?? partsOf(min, partSize).partLength(partNumber),
        ...(contentMd5 !== undefined && { contentMd5 }),
      },
      { credentials, signedAt: fixedClock(), expiresInSeconds: 600 },
    );
}
