/**
 * Performs signing and object jobs with the official Node.js SDK `ali-oss`: one JSON object a line on stdin, one on stdout, in
 * the same order. The fields are the types of `../sdk-program.ts`.
 */

import process from 'node:process';
import { createInterface } from 'node:readline';
import { mock } from 'node:test';
import OSS from 'ali-oss';
import type {
  Done,
  Existence,
  Fault,
  FileJob,
  Interrupted,
  Job,
  Listed,
  ListJob,
  ObjectJob,
  PolicyJob,
  Rejected,
  Signed,
  SignJob,
  Transferred,
} from '../sdk-program.ts';

/** Members of the SDK that its published types lack. */
type Client = OSS & {
  signPostObjectPolicyV4(policy: string, date: Date): string;
  cancel(): void;
  getObjectMeta(key: string): Promise<{ status: number }>;
  authorizationV4(
    method: string,
    request: object,
    bucket: string,
    key?: string,
    additional?: string[],
  ): string;
};

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job;
  const result = await runJob(job).catch(renderError);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function runJob(job: Job): Promise<Signed | Done | Existence | Listed | Transferred | Interrupted> {
  if (job.job === 'sign') return sign(job);
  if (job.job === 'sign-policy') return signPolicy(job);
  if (job.job === 'list') return list(job);
  if ('file' in job) return transfer(job);
  return perform(job);
}

async function sign(job: SignJob): Promise<Signed> {
  // The SDK takes no moment of signing; it reads the clock.
  mock.timers.enable({ apis: ['Date'], now: Date.parse(job.signedAt) });
  try {
    return { signature: job.form === 'query' ? await signQuery(job) : signHeader(job) };
  } finally {
    mock.timers.reset();
  }
}

async function signQuery(job: SignJob): Promise<string> {
  const { expiresInSeconds, headers, query, additionalHeaders } = job;
  const method = job.method as OSS.HTTPMethods;
  const request = { headers, queries: query as Record<string, string> };
  const url = await createClient(job).signatureUrlV4(method, expiresInSeconds, request, job.key ?? '', [
    ...additionalHeaders,
  ]);
  return new URL(url).searchParams.get('x-oss-signature') ?? '';
}

function signHeader(job: SignJob): string {
  const { method, bucket, key, query, credentials, additionalHeaders } = job;
  // The three that the SDK's createRequest sets before it signs.
  const headers = {
    ...job.headers,
    'x-oss-date': job.signedAt.replaceAll(/[-:]/g, ''),
    'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
    ...(credentials.securityToken && { 'x-oss-security-token': credentials.securityToken }),
  };
  const authorization = createClient(job).authorizationV4(
    method,
    { headers, queries: query },
    bucket,
    key ?? undefined,
    [...additionalHeaders],
  );
  return authorization.replace(/^.*Signature=/, '');
}

function signPolicy(job: PolicyJob): Signed {
  return { signature: createClient(job).signPostObjectPolicyV4(job.policy, new Date(job.signedAt)) };
}

async function list(job: ListJob): Promise<Listed> {
  const client = createClient(job);
  // The SDK signs parameters without a text wrongly (point 4 of the disagreements).
  const query = {
    ...(job.prefix !== '' && { prefix: job.prefix }),
    ...(job.delimiter !== '' && { delimiter: job.delimiter }),
    'max-keys': job.pageSize,
  };
  const objects: Listed['objects'][number][] = [];
  const prefixes: string[] = [];
  let next: Page['next'] | undefined;
  do {
    const page: Page = await listPage(client, job.version, query, next);
    objects.push(...(page.objects ?? []).map(({ name, ...object }) => ({ key: name, ...object })));
    prefixes.push(...(page.prefixes ?? []));
    next = page.next;
  } while (next);
  return {
    objects: objects.map(({ key, size, etag, type, storageClass }) => ({
      key,
      size,
      etag,
      type,
      storageClass,
    })),
    prefixes,
  };
}

type Page = Pick<OSS.ListObjectResult, 'objects' | 'prefixes'> & { readonly next: string | null | undefined };

async function listPage(
  client: Client,
  version: 1 | 2,
  query: { prefix?: string; delimiter?: string; 'max-keys': number },
  next: string | null | undefined,
): Promise<Page> {
  if (version === 1) {
    const page = await client.list({ ...query, ...(next && { marker: next }) }, {});
    return { ...page, next: page.nextMarker };
  }
  const page = await client.listV2({ ...query, ...(next && { 'continuation-token': next }) }, {});
  return { ...page, next: page.nextContinuationToken };
}

async function perform(job: ObjectJob): Promise<Done | Existence> {
  const client = createClient(job);
  switch (job.job) {
    case 'put': {
      const { place, value } = job.callback ?? {};
      const options = {
        mime: job.contentType,
        meta: job.metadata,
        ...(place === 'header' && { headers: { 'x-oss-callback': value } }),
        ...(place === 'query' && { subres: { callback: value } }),
      } as unknown as OSS.PutObjectOptions;
      const { res } = await client.put(job.key, Buffer.from(job.body, 'base64'), options);
      return done(res as OSS.NormalSuccessResponse);
    }
    case 'get': {
      const { res, content } = await client.get(job.key);
      const named = Object.entries(res.headers as Record<string, string>)
        .filter(([name]) => name.startsWith('x-oss-meta-'))
        .map(([name, value]) => [name.slice('x-oss-meta-'.length), value]);
      const body = (content as Buffer).toString('base64');
      return { ...done(res), metadata: Object.fromEntries(named), body };
    }
    case 'head': {
      const { res, meta } = await client.head(job.key);
      return { ...done(res), metadata: meta as unknown as Record<string, string> | null };
    }
    case 'exists':
      try {
        return { exists: (await client.getObjectMeta(job.key)).status === 200 };
      } catch (error) {
        if ((error as { code?: string }).code === 'NoSuchKey') return { exists: false };
        throw error;
      }
    case 'delete':
      return done((await client.delete(job.key)).res);
  }
}

async function transfer(job: FileJob): Promise<Transferred | Interrupted> {
  const { key, file, interruptAfterParts } = job;
  const client = createClient(job);
  if (job.job === 'download-file') {
    await client.get(key, file);
    return { etag: null, crc64: null };
  }
  if (interruptAfterParts !== undefined) return interruptUpload(client, job, interruptAfterParts);
  const checkpoint = job.checkpoint as OSS.Checkpoint | undefined;
  const { etag, res } = await client.multipartUpload(key, file, { ...(checkpoint && { checkpoint }) });
  const headers = (res as OSS.NormalSuccessResponse).headers as Record<string, string>;
  return { etag, crc64: headers['x-oss-hash-crc64ecma'] ?? null };
}

async function interruptUpload(client: Client, { key, file }: FileJob, parts: number): Promise<Interrupted> {
  let checkpoint: OSS.Checkpoint | undefined;
  const progress = async (_progress: number, latest: OSS.Checkpoint) => {
    checkpoint = latest;
    if (latest.doneParts.length >= parts) client.cancel();
  };
  const end = await client.multipartUpload(key, file, { progress }).then(
    () => 'completed',
    (error: Error) => error.name,
  );
  if (end !== 'cancel' || !checkpoint) throw new Error(`the upload was not cancelled: ${end}`);
  return { checkpoint: checkpoint as unknown as Interrupted['checkpoint'] };
}

/** For most of it this SDK's results have no field: people read the headers. */
function done({ status, headers }: OSS.NormalSuccessResponse): Done {
  const { etag, 'content-type': contentType } = headers as Record<string, string>;
  return { status, etag: etag ?? null, contentType: contentType ?? null, metadata: null, body: null };
}

function renderError(error: Error & { status?: number; code?: string; ecCode?: string }): Rejected | Fault {
  const { status, code = '', ecCode = '', message } = error;
  return status && status > 0 ? { error: { status, code, ec: ecCode } } : { fault: message };
}

function createClient(job: Job): Client {
  const { accessKeyId, accessKeySecret, securityToken } = job.credentials;
  return new OSS({
    accessKeyId,
    accessKeySecret,
    // With a way to refresh it, the client does not warn of a token without one.
    ...(securityToken && {
      stsToken: securityToken,
      refreshSTSToken: async () => ({}) as never,
      refreshSTSTokenInterval: 1e9,
    }),
    bucket: job.bucket,
    region: `oss-${job.region}`,
    authorizationV4: true,
    ...('product' in job && job.product === 'oss-cloudbox' && { cloudBoxId: job.region }),
    ...('endpoint' in job && { endpoint: job.endpoint, sldEnable: true, retryMax: job.attempts - 1 }),
  } as OSS.Options) as Client;
}
