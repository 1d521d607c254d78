import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { issueDownloads } from '../../src/grants/download/issue-downloads.ts';
import { parseDownloadRequestBody } from '../../src/grants/download/request.ts';
import { prepareStorage } from '../../src/grants/prepared-storage.ts';
import { downloadAudit } from '../../src/http/grants/download-audit.ts';
import { downloadListJson } from '../../src/http/routes/download-list-json.ts';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { renderAuditJson } from '../../src/log/audit-json.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import { prepareBucket } from '../../src/storage/oss/bucket.ts';
import type { Signer } from './signers.ts';
import type { SigningInput } from './signing-input.ts';

const KEYS = 1000;

/**
 * One call is one request for 1,000 downloads, from the JSON of its body to the bytes of its
 * response and its audit line. Only HTTP and the token are left out.
 */
export function downloadListSigner({ bucket, region, ...input }: SigningInput): Signer {
  const parsed = parsePolicy(
    JSON.stringify({
      issuers: [{ issuer: 'https://login.example.com/', audience: 'downloads' }],
      targets: { media: { bucket, region } },
      rules: [
        {
          ...{ name: 'own-files', actions: ['download'], who: { scope: 'files:read' }, target: 'media' },
          ...{ prefix: 'users/{sub}/', limits: { requestsPerMinute: 1_000_000 } },
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
    scopes: ['files:read'],
    claims: { sub: subject },
  };
  const context = { caller, policy, storage: prepareStorage(policy, prepareBucket) };
  const credentials = { accessKeyId: input.accessKeyId, accessKeySecret: input.accessKeySecret };
  const dependencies = {
    credentials: { get: () => Promise.resolve(credentials) },
    limiter: createMemoryLimiter({ nowMs: () => performance.now() }),
    clock: () => new Date(),
    yieldToEventLoop: () => setImmediate(),
  };
  const nameOf = (index: number) => createHash('md5').update(String(index)).digest('hex');
  const keys = Array.from({ length: KEYS }, (_, index) => `users/${subject}/photos/${nameOf(index)}.jpg`);
  const body = JSON.stringify({ keys });
  return async () => {
    const request = parseDownloadRequestBody(JSON.parse(body));
    const outcome = await issueDownloads(dependencies, context, request);
    const audit = renderAuditJson(downloadAudit(context, request, outcome));
    const response = await downloadListJson(outcome, 'request-id', dependencies);
    if (outcome.outcome !== 'granted') throw new TypeError('the benchmark must be granted');
    return audit.length + response.length;
  };
}
