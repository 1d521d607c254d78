import { expect, it } from 'vitest';
import { sealUploadId } from '../../src/grants/upload-id.ts';
import { toServiceKeys } from '../../src/service-keys/parse-service-keys.ts';
import { ATTRIBUTES, GRANT_ID, grantedUpload } from '../support/granted-upload.ts';
import { mediaTarget, ownFilesRule, policyWith } from '../support/policies.ts';
import { newPrivateJwk } from '../support/service-keys.ts';
import { startTestEmulator } from '../support/test-emulator.ts';
import { startTestServer } from '../support/test-server.ts';
import { startTestService } from '../support/test-service.ts';

const jwk = newPrivateJwk();
const KEY = grantedUpload().key;
const CLIENTS = 'https://upload.example.com';

/** A service that reaches its bucket at this address. Its clients reach it at another one. */
async function startService(serviceEndpoint: string) {
  const policyAt = (address: string) =>
    policyWith({
      targets: { media: mediaTarget({ endpoint: CLIENTS, serviceEndpoint: address }) },
      rules: [ownFilesRule({ transfers: ['put', 'multipart'] })],
    });
  const service = await startTestService({
    policyYaml: policyAt(serviceEndpoint),
    env: { METRICS_PORT: '0', SERVICE_KEYS_FILE: 'keys.json', PUBLIC_URL: 'https://presign.test' },
    files: { 'keys.json': () => JSON.stringify({ keys: [{ ...jwk, kid: 'a' }] }) },
  });
  const id = sealUploadId(toServiceKeys([{ kid: 'a', jwk }]).signing, grantedUpload());
  return {
    log: service.log,
    id,
    moveTo: (address: string) => service.replacePolicy(policyAt(address)),
    async post(path: string, body: unknown) {
      const headers = {
        authorization: `Bearer ${await service.issuer.sign()}`,
        'content-type': 'application/json',
      };
      return fetch(`${service.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    },
    async complete() {
      const response = await this.post('/v1/uploads/complete', { id });
      const { code, state } = (await response.json()) as { code?: string; state?: string };
      return [response.status, code ?? state, response.headers.get('retry-after')];
    },
    async storageLine() {
      const text = await (await fetch(`${service.operationsUrl}/readyz`)).text();
      return text.split('\n').find((line) => line.includes(' storage'));
    },
    async counts() {
      const text = await (await fetch(`${service.operationsUrl}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith('oss_presign_storage_calls'));
      return lines
        .filter((line) => !line.endsWith(' 0'))
        .map((line) => line.replace('oss_presign_storage_calls_', ''));
    },
  };
}

it('a service asks its own address of the bucket for what clients uploaded, and counts the calls', async () => {
  const emulator = await startTestEmulator();
  const service = await startService(emulator.url);
  expect(await service.complete()).toStrictEqual([404, 'upload_absent', null]);

  const put = await emulator.put(KEY, 'hello', {
    additionalHeaders: ['cache-control', 'content-disposition'],
    headers: {
      'content-type': 'image/png',
      'cache-control': ATTRIBUTES.cacheControl ?? '',
      'content-disposition': ATTRIBUTES.contentDisposition ?? '',
      'x-oss-meta-album': 'holiday',
      'x-oss-meta-camera': 'x100',
      'x-oss-meta-upload-id': GRANT_ID,
    },
  });
  expect(put.status).toBe(200);
  expect(await service.complete()).toStrictEqual([200, 'stored', null]);
  expect(await service.counts()).toStrictEqual([
    'total{operation="HeadObject",outcome="ok"} 1',
    'total{operation="HeadObject",outcome="absent"} 1',
  ]);
  expect(await service.storageLine()).toBe('ok storage');
});

it('a service counts the calls of multipart uploads by their operation', async () => {
  const emulator = await startTestEmulator();
  const service = await startService(emulator.url);
  const granted = await service.post('/v1/uploads', {
    transfer: 'multipart',
    key: KEY,
    contentType: 'image/png',
    contentLength: 200_000,
  });
  const { id } = (await granted.json()) as { id: string };
  const statuses = [granted.status];
  for (const operation of ['complete', 'abort', 'status'])
    statuses.push((await service.post(`/v1/uploads/${operation}`, { id })).status);
  expect(statuses).toStrictEqual([201, 409, 204, 200]);
  expect(await service.counts()).toStrictEqual([
    'total{operation="HeadObject",outcome="absent"} 1',
    'total{operation="InitiateMultipartUpload",outcome="ok"} 1',
    'total{operation="ListParts",outcome="ok"} 1',
    'total{operation="ListParts",outcome="absent"} 1',
    'total{operation="AbortMultipartUpload",outcome="ok"} 1',
    'total{operation="AbortMultipartUpload",outcome="absent"} 1',
  ]);
});

it('a service reports calls that fail, stays ready, and recovers with a new address', async () => {
  const emulator = await startTestEmulator();
  const denying = await startTestServer((_, response) => {
    const xml = '<Error><Code>AccessDenied</Code><Message>TheMessage</Message></Error>';
    response
      .writeHead(403, {
        'x-oss-request-id': '51524FBF3C5D68394A371BEC',
        'x-oss-ec': '0003-00000301',
        'x-oss-err': Buffer.from(xml).toString('base64'),
      })
      .end();
  });
  const stopped = await startTestServer(() => undefined);
  await stopped.stop();

  const service = await startService(denying.origin);
  expect(await service.complete()).toStrictEqual([502, 'storage_error', null]);
  expect(await service.storageLine()).toBe(
    'ok storage: calls to media fail since 2026-11-23T10:00:00Z: denied',
  );
  const line = service.log.find((one) => one.includes('"storageFailure"')) ?? '{}';
  expect(JSON.parse(line)).toMatchObject({
    level: 'error',
    code: 'storage_error',
    storageFailure: 'denied',
    storageStatus: '403',
    storageCode: 'AccessDenied',
    storageEc: '0003-00000301',
    storageRequestId: '51524FBF3C5D68394A371BEC',
    err: { type: 'StorageError' },
  });

  service.moveTo(stopped.origin);
  expect(await service.complete()).toStrictEqual([503, 'unavailable', '5']);
  expect(await service.storageLine()).toBe(
    'ok storage: calls to media fail since 2026-11-23T10:00:00Z: unreachable',
  );

  service.moveTo(emulator.url);
  expect(await service.complete()).toStrictEqual([404, 'upload_absent', null]);
  expect(await service.storageLine()).toBe('ok storage');
  expect(await service.counts()).toStrictEqual([
    'total{operation="HeadObject",outcome="absent"} 1',
    'total{operation="HeadObject",outcome="unreachable"} 1',
    'total{operation="HeadObject",outcome="denied"} 1',
  ]);
  for (const secret of [service.id, 'OSS4-HMAC-SHA256', 'TestSecret', 'TheMessage'])
    expect(service.log.join('\n')).not.toContain(secret);
});
