import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { PutGrant } from '../../src/grants/upload/response.ts';
import { now } from '../support/fixed-clock.ts';
import { mediaTarget, policyWith } from '../support/policies.ts';
import { newPrivateJwk } from '../support/service-keys.ts';
import { startTestEmulator } from '../support/test-emulator.ts';
import { startTestServer } from '../support/test-server.ts';
import { startTestService, type TestService } from '../support/test-service.ts';
import { createTestIssuer } from '../support/tokens.ts';

const issuer = createTestIssuer();
const HELLO = { key: 'users/alice/a.txt', contentType: 'text/plain', contentLength: 5 };
const [first, second] = ['a', 'b'].map((kid) => ({ ...newPrivateJwk(), kid }));
const keysFile = (...keys: readonly unknown[]) => JSON.stringify({ keys });

async function post(
  { url }: TestService,
  path: string,
  body: object,
): Promise<{ readonly status: number; readonly body: PutGrant & { readonly code?: string } }> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const received = (await response.json()) as PutGrant & { readonly code?: string };
  return { status: response.status, body: received };
}

const confirm = async (service: TestService, id: string | undefined) => {
  const { status, body } = await post(service, '/v1/uploads/complete', { id });
  return [status, body.code].filter((part) => part !== undefined);
};

/** A service whose bucket is at this address, and that has its service keys from a file. */
function startService(
  endpoint: string,
  {
    keys = () => keysFile(first),
    files = {},
    env = {},
    ...options
  }: Partial<Parameters<typeof startTestService>[0]> & { readonly keys?: () => string } = {},
): Promise<TestService> {
  return startTestService({
    policyYaml: policyWith({ targets: { media: mediaTarget({ endpoint }) } }),
    issuer,
    env: { SERVICE_KEYS_FILE: 'keys.json', PUBLIC_URL: 'https://presign.test', ...env },
    files: { 'keys.json': keys, ...files },
    ...options,
  });
}

/** Grants an upload, and sends its bytes. */
async function upload(service: TestService): Promise<PutGrant> {
  const { status, body } = await post(service, '/v1/uploads', HELLO);
  expect(status).toBe(201);
  const sent = await fetch(body.url, { method: 'PUT', headers: body.headers, body: 'hello' });
  expect(sent.status).toBe(200);
  return body;
}

it('a service confirms the upload of another one that has ended, while Redis is unreachable', async () => {
  const { url } = await startTestEmulator();
  const redis = await startTestServer(() => undefined);
  await redis.stop();
  const env = { REDIS_URL: redis.origin.replace('http:', 'redis:'), METRICS_PORT: '0' };
  let stop = async (): Promise<void> => undefined;
  const onStop = (stopService: () => Promise<void>) => {
    stop = stopService;
  };
  const { id } = await upload(await startService(url, { env, onStop }));
  await stop();
  const other = await startService(url, { env });
  expect(await confirm(other, id)).toStrictEqual([200]);
  const ready = await (await fetch(`${other.operationsUrl}/readyz`)).text();
  expect(ready).toContain('ok limiter: degraded');
});

describe('between the grant and its confirmation', () => {
  it('service keys may be rotated, a bad file changes nothing, and only a removed key ends the id', async () => {
    const { url } = await startTestEmulator();
    let inFile = keysFile(first);
    const service = await startService(url, { keys: () => inFile });
    const { id } = await upload(service);
    const confirmWith = async (...keys: readonly unknown[]) => {
      inFile = keysFile(...keys);
      service.reloadFiles();
      return confirm(service, id);
    };
    expect(await confirmWith(first, second)).toStrictEqual([200]);
    expect(await confirmWith(second, first)).toStrictEqual([200]);
    expect(await confirmWith({ ...second, d: 'bad' })).toStrictEqual([200]);
    expect(await confirmWith(second)).toStrictEqual([403, 'upload_id_invalid']);
    expect(await confirmWith(second, first)).toStrictEqual([200]);
  });

  it('the credentials may be replaced: the call to the storage is signed with the new ones', async () => {
    const { url } = await startTestEmulator();
    const signedBy: (string | undefined)[] = [];
    const storage = await startTestServer((request, response) => {
      signedBy.push(/Credential=(\w+)\//.exec(request.headers.authorization ?? '')?.[1]);
      const missing = { 'x-oss-request-id': '51524FBF3C5D68394A371BEC', 'x-oss-ec': '0026-00000001' };
      response.writeHead(404, missing).end();
    });
    const folder = mkdtempSync(join(tmpdir(), 'oss-presign-credentials-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [idFile, secretFile] = [join(folder, 'id'), join(folder, 'secret')];
    writeFileSync(idFile, 'LTAI5tTestKey');
    writeFileSync(secretFile, 'TestSecret0123456789');
    let time = now.getTime();
    const service = await startService(url, {
      policyYaml: policyWith({
        targets: { media: mediaTarget({ endpoint: url, serviceEndpoint: storage.origin }) },
      }),
      env: {
        OSS_ACCESS_KEY_ID: '',
        OSS_ACCESS_KEY_SECRET: '',
        OSS_ACCESS_KEY_ID_FILE: idFile,
        OSS_ACCESS_KEY_SECRET_FILE: secretFile,
      },
      clock: () => new Date(time),
    });
    const { id } = await upload(service);
    expect(await confirm(service, id)).toStrictEqual([404, 'upload_absent']);
    writeFileSync(idFile, 'LTAI5tNewKey');
    writeFileSync(secretFile, 'NewSecret0123456789');
    // The files are read again every second, and once more after they have settled.
    await vi.waitFor(
      async () => {
        time += 2_000;
        expect(await confirm(service, id)).toStrictEqual([404, 'upload_absent']);
        expect(signedBy.at(-1)).toBe('LTAI5tNewKey');
      },
      { timeout: 10_000, interval: 100 },
    );
    expect(new Set(signedBy)).toStrictEqual(new Set(['LTAI5tTestKey', 'LTAI5tNewKey']));
  });
});
