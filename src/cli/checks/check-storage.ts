import type { Clock } from '../../clock.ts';
import type { CredentialsSource } from '../../grants/ports/credentials-source.ts';
import type { ReadinessCheck } from '../../health/check.ts';
import type { Rule } from '../../policy/policy.ts';
import { createCallLimit } from '../../storage/call-limit.ts';
import { createBucketClient } from '../../storage/oss/bucket-client.ts';
import { StorageError } from '../../storage/storage-error.ts';

/** The part of the key that stands for a claim. It shows in the access log of the bucket. */
const CLAIM = 'oss-presign-check';

/** The change to make, by the error code of OSS. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['AccessDenied', 'allow oss:GetObject for the credentials, as oss-presign ram-policy prints it'],
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
 * does not exist, at the address and under a prefix that the service uses.
 * @param uuid makes the key unique.
 */
export async function checkStorage(
  { name: rule, target, prefix }: Rule,
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
  try {
    await client.headObject(`${folder}${uuid}`);
    return { name, ok: true, detail: `${rule}: uploads to ${target.bucket} can be confirmed` };
  } catch (error) {
    return { name, ok: false, detail: `${rule}: ${describe(error)}` };
  }
}

function describe(error: unknown): string {
  if (!(error instanceof StorageError)) return 'the call cannot be signed; check the credentials';
  return `${error.message}; ${remedyOf(error)}`;
}

function remedyOf({ kind, details: { code = '', ec } }: StorageError): string {
  switch (kind) {
    case 'busy':
      return 'try again later';
    case 'unreachable':
      return "check the target's serviceEndpoint, or its endpoint if that is not set";
    case 'invalid_response':
      return "no server of OSS responds there: check the target's serviceEndpoint, or its endpoint if that is not set";
    case 'denied':
      return (
        (REMEDIES.get(code) ?? 'check the credentials and the target') +
        // A bucket of another region is denied without an EC.
        (code === 'AccessDenied' && ec === undefined ? ", and check the target's region" : '')
      );
  }
}
