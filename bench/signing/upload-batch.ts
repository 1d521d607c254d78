import { createHash, generateKeyPairSync, randomUUIDv7 } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { prepareStorage } from '../../src/grants/prepared-storage.ts';
import { parseBatchItem, parseUploadBatchBody } from '../../src/grants/upload/batch-request.ts';
import { issueBatch } from '../../src/grants/upload/issue-batch.ts';
import { issueUpload } from '../../src/grants/upload/issue-upload.ts';
import { parseUploadRequestBody } from '../../src/grants/upload/request.ts';
import { itemAudit } from '../../src/http/grants/batch-items.ts';
import { grantedItem } from '../../src/http/routes/create-upload-batch.ts';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { renderAuditJson } from '../../src/log/audit-json.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import { createProcessServiceKeys } from '../../src/service-keys/live-service-keys.ts';
import { prepareBucket } from '../../src/storage/oss/bucket.ts';
import type { Signer } from './signers.ts';
import type { SigningInput } from './signing-input.ts';

/** The uploads of the batch, as many as one request may have. */
const BATCH_ITEMS = 100;

/** About a second. */
const WARM_UP_CALLS = 400;

/**
 * `grant`: one call decides on one upload, counts it, and signs its URL and its upload id.
 *
 * `batch`: one call is one request for 100 such uploads, from the JSON of its body to the bytes of
 * its response and its audit lines. Only HTTP and the token are left out.
 */
export async function uploadBatchSigners({
  bucket,
  region,
  contentType,
  contentLength,
  ...input
}: SigningInput): Promise<{ readonly grant: Signer; readonly batch: Signer }> {
  const parsed = parsePolicy(
    JSON.stringify({
      issuers: [{ issuer: 'https://login.example.com/', audience: 'uploads' }],
      targets: { media: { bucket, region } },
      rules: [
        {
          ...{ name: 'own-files', who: { scope: 'uploads:write' }, target: 'media', prefix: 'users/{sub}/' },
          ...{ contentTypes: ['image/*'], maxSize: '50MiB', expiresIn: { default: '10m', max: '1h' } },
          limits: { requestsPerMinute: 1_000_000, bytesPerDay: '1000000GB' },
        },
      ],
    }),
    { env: {}, readFile: () => '' },
  );
  if ('faults' in parsed) throw new TypeError('the policy of the benchmark is not valid');
  const { policy } = parsed;
  const subject = 'caller-000001';
  const caller = {
    issuer: 'https://login.example.com/',
    subject,
    scopes: ['uploads:write'],
    claims: { sub: subject },
  };
  const context = { caller, policy, storage: prepareStorage(policy, prepareBucket) };
  const credentials = { accessKeyId: input.accessKeyId, accessKeySecret: input.accessKeySecret };
  const clock = () => new Date();
  const dependencies = {
    credentials: { get: () => Promise.resolve(credentials) },
    limiter: createMemoryLimiter({ nowMs: () => performance.now() }),
    clock,
    publicUrl: 'https://presign.example.com',
    newGrantId: () => randomUUIDv7(),
    serviceKeys: await createProcessServiceKeys(
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
      clock,
    ),
    yieldToEventLoop: () => setImmediate(),
  };
  const nameOf = (index: number) => createHash('md5').update(String(index)).digest('hex');
  const items = Array.from({ length: BATCH_ITEMS }, (_, index) => ({
    key: `users/${subject}/photos/${nameOf(index)}.jpg`,
    ...{ contentType, contentLength },
  }));
  const request = parseUploadRequestBody(items[0]);
  const body = JSON.stringify({ items });
  // Both take the same steps, and the first of the two must not be the only one that compiles them.
  for (let call = 0; call < WARM_UP_CALLS; call++) await batch();
  return { grant, batch };

  async function grant(): Promise<void> {
    const { outcome } = await issueUpload(dependencies, context, request);
    if (outcome !== 'granted') throw new TypeError('the benchmark must be granted');
  }

  async function batch(): Promise<number> {
    const sent = parseUploadBatchBody(JSON.parse(body));
    const issued = await issueBatch(dependencies, context, {
      items: sent,
      parse: parseBatchItem,
      idempotencyKey: undefined,
    });
    const audits = issued.map((item, index) => renderAuditJson(itemAudit(context, item, index)));
    const response = JSON.stringify({ items: issued.map(grantedItem) });
    return audits.join('').length + Buffer.byteLength(response);
  }
}
