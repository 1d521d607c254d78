import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { onTestFinished } from 'vitest';
import { mediaTarget, ownFilesRule, policyWith } from '../support/policies.ts';
import { serviceKeysFile } from '../support/service-keys.ts';
import { type ServiceProcess, signForNow, startServiceProcess } from '../support/service-process.ts';
import { createTestIssuer } from '../support/tokens.ts';

export const KIB = 1024;
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

/** A request for an upload of five parts, the last one with a single byte. */
export const FIVE_PARTS = {
  key: 'users/alice/film.mp4',
  contentType: 'video/mp4',
  contentLength: 4 * 128 * KIB + 1,
  transfer: 'multipart',
  partSize: 128 * KIB,
};

const PUBLIC_URL = 'https://presign.test';

/** The replicas of one service, and a caller of it. */
export type Replicas = {
  /** Starts a replica. All have the same policy and the same service keys. */
  start(): Promise<ServiceProcess>;
  readonly policyYaml: string;
  /** The token of the caller, who may upload below `users/alice/`. */
  readonly token: string;
};

/**
 * Prepares replicas that grant multipart uploads only.
 * @param endpoint the address of the bucket
 */
export async function prepareReplicas({
  endpoint,
  env = {},
}: {
  readonly endpoint: string;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<Replicas> {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const keysFile = join(folder, 'keys.json');
  writeFileSync(keysFile, serviceKeysFile('large'));
  const issuer = createTestIssuer();
  const policyYaml = policyWith({
    targets: { media: mediaTarget({ endpoint }) },
    rules: [
      ownFilesRule({
        transfers: ['multipart'],
        contentTypes: ['video/mp4'],
        maxSize: '10GiB',
        partSize: '100KiB',
      }),
    ],
  });
  return {
    start: () => startServiceProcess(issuer, policyYaml, { SERVICE_KEYS_FILE: keysFile, PUBLIC_URL, ...env }),
    policyYaml,
    token: await signForNow(issuer),
  };
}

/** Calls the service once. */
export async function post(
  { url }: { readonly url: string },
  token: string,
  path: string,
  body: Readonly<Record<string, unknown>>,
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

/** Verifies a receipt as the backend of an app does. */
export async function verifyReceipt(
  { url }: { readonly url: string },
  receipt: unknown,
): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', url));
  const { payload } = await jwtVerify(String(receipt), keys, {
    issuer: PUBLIC_URL,
    audience: PUBLIC_URL,
    typ: 'upload-receipt+jwt',
    requiredClaims: ['exp', 'jti'],
  });
  return payload;
}

/** @throws Error if the disk of the temporary folder has less free space. */
export function requireDiskSpace(bytes: number): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  const free = bavail * bsize;
  if (free >= bytes) return;
  const [available, needed] = [free, bytes].map((one) => (one / GIB).toFixed(1));
  throw new Error(`${tmpdir()} has ${available} GiB of free space, and the test needs ${needed} GiB`);
}
