import type { Clock } from '../../clock.ts';
import type { CredentialsSource } from '../../grants/ports/credentials-source.ts';
import type { ReadinessCheck } from '../../health/check.ts';
import type { Rule } from '../../policy/policy.ts';
import { createCallLimit } from '../../storage/call-limit.ts';
import { createBucketClient } from '../../storage/oss/bucket-client.ts';
import { StorageError } from '../../storage/storage-error.ts';

/** The part of the key that stands for a claim. It shows in the access log of the bucket. */
const CLAIM = 'oss-presign-check';

/** The change to make, by the error code of OSS; AccessDenied depends on the call. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['NoSuchBucket', 'correct bucket, region or endpoint of the target'],
  ['InvalidArgument', "set the target's region to that of the bucket"],
  ['RequestTimeTooSkewed', 'set the clock of this machine by NTP'],
  ['InvalidAccessKeyId', 'check the credentials'],
  ['SignatureDoesNotMatch', 'check the credentials'],
  ['SecurityTokenExpired', 'check the credentials'],
  ['InvalidSecurityToken', 'check the credentials'],
  ['UserDisable', "settle the account of the bucket's owner"],
]);

/**
 * Checks whether the service can confirm the uploads of a rule: asks the bucket for an object that
 * does not exist, at the address and under a prefix that the service uses. If the rule has
 * multipart uploads, it also lists and aborts one that does not exist, which changes nothing: OSS
 * checks the permission first. Beginning one is not checked, because that would leave one behind.
 * @param uuid makes the key and the multipart upload ID unique.
 */
export async function checkStorage(
  { name: rule, target, prefix, transfers }: Rule,
  {
    credentials,
    fetch,
    clock,
    uuid,
  }: {
    readonly credentials: Pick<CredentialsSource, 'get'>;
    readonly fetch: typeof globalThis.fetch;
    readonly clock: Clock;
    readonly uuid: string;
  },
): Promise<ReadinessCheck> {
  const name = 'storage';
  const client = createBucketClient(target, {
    credentials: () => credentials.get(),
    fetch,
    clock,
    timers: { timeout: (ms) => AbortSignal.timeout(ms), wait: async () => {} },
    callLimit: createCallLimit(1),
    observer: { callStarted: () => () => {} },
  });
  const folder = prefix.parts.map((part) => ('claim' in part ? CLAIM : part.literal)).join('');
  const key = `${folder}${uuid}`;
  const upload = { key, uploadId: uuid.replaceAll('-', '').toUpperCase() };
  const hasMultipart = transfers.includes('multipart');
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['oss:GetObject', () => client.headObject(key)],
    ...(hasMultipart
      ? ([
          ['oss:ListParts', () => client.listParts(upload)],
          ['oss:AbortMultipartUpload', () => client.abortMultipartUpload(upload)],
        ] as const)
      : []),
  ];
  for (const [action, call] of calls) {
    try {
      await call();
    } catch (error) {
      return { name, ok: false, detail: `${rule}: ${describe(error, action)}` };
    }
  }
  const multipart = hasMultipart ? ', and multipart uploads listed and aborted' : '';
  return { name, ok: true, detail: `${rule}: uploads to ${target.bucket} can be confirmed${multipart}` };
}

function describe(error: unknown, action: string): string {
  if (!(error instanceof StorageError)) return 'the call cannot be signed; check the credentials';
  return `${error.message}; ${remedyOf(error, action)}`;
}

function remedyOf({ kind, details: { code = '', ec } }: StorageError, action: string): string {
  switch (kind) {
    case 'busy':
      return 'try again later';
    case 'unreachable':
      return "check the target's serviceEndpoint, or its endpoint if that is not set";
    case 'invalid_response':
      return "no server of OSS responds there: check the target's serviceEndpoint, or its endpoint if that is not set";
    case 'denied':
      if (code !== 'AccessDenied') return REMEDIES.get(code) ?? 'check the credentials and the target';
      return (
        `allow ${action} for the credentials, as oss-presign ram-policy prints it` +
        // A bucket of another region is denied without an EC.
        (ec === undefined ? ", and check the target's region" : '')
      );
  }
}
