import { expect, it } from 'vitest';
import { startClient } from './client-process.ts';
import { contentCrc64 } from './content.ts';
import { killProcess, startEmulatorProcess } from './emulator-process.ts';
import { serviceCall, startLossyProxy, storageCall } from './lossy-proxy.ts';
import { FIVE_PARTS, post, prepareReplicas, verifyReceipt } from './servers.ts';
import type { Task } from './upload-program.ts';

/** A storage and a service, both behind proxies that lose responses. */
async function startLossyServers() {
  const storage = await startLossyProxy((await startEmulatorProcess()).url, storageCall);
  const replicas = await prepareReplicas({ endpoint: storage.url });
  const service = await replicas.start();
  const front = await startLossyProxy(service.url, serviceCall);
  const { token } = replicas;
  return {
    storage,
    front,
    replicas,
    service,
    call: (path: string, body: Readonly<Record<string, unknown>>) => post(service, token, path, body),
    run: (task: Partial<Task> = {}) =>
      startClient({ serviceUrl: front.url, token, upload: FIVE_PARTS, concurrency: 1, ...task }),
  };
}

const stored = {
  state: 'stored',
  key: FIVE_PARTS.key,
  contentLength: FIVE_PARTS.contentLength,
  crc64: contentCrc64(FIVE_PARTS.contentLength),
};

const [BEGIN, LIST, COMPLETE] = ['InitiateMultipartUpload', 'ListParts', 'CompleteMultipartUpload'];
const PARTS = Array.from({ length: 5 }, () => 'UploadPart');

it.each([
  { lost: {}, calls: [BEGIN, ...PARTS, LIST, COMPLETE, 'HEAD'] },
  { lost: { InitiateMultipartUpload: 1 }, calls: [BEGIN, BEGIN, ...PARTS, LIST, COMPLETE, 'HEAD'] },
  { lost: { UploadPart: 2 }, calls: [BEGIN, ...PARTS, 'UploadPart', 'UploadPart', LIST, COMPLETE, 'HEAD'] },
  { lost: { ListParts: 1 }, calls: [BEGIN, ...PARTS, LIST, LIST, COMPLETE, 'HEAD'] },
  { lost: { CompleteMultipartUpload: 1 }, calls: [BEGIN, ...PARTS, LIST, COMPLETE, 'HEAD'] },
  { lost: { HEAD: 1 }, calls: [BEGIN, ...PARTS, LIST, COMPLETE, 'HEAD', 'HEAD'] },
])('an upload ends as usual although responses of the storage are lost: $lost', async ({ lost, calls }) => {
  const { storage, run, service } = await startLossyServers();
  storage.lose(lost);
  const client = run();
  const { receipt, ...completed } = await client.reached('completed');
  expect(completed).toMatchObject(stored);
  expect(await verifyReceipt(service, receipt)).toMatchObject({ content_length: stored.contentLength });
  expect(storage.calls).toStrictEqual(calls);
  // The service itself repeats its calls to the storage.
  const repeated = client.steps.flatMap(({ step, during }) => (step === 'connection-lost' ? [during] : []));
  expect(repeated).toStrictEqual('UploadPart' in lost ? ['part-1', 'part-1'] : []);
});

it.each(['/v1/uploads', '/v1/uploads/parts', '/v1/uploads/complete'])(
  'an upload ends as usual although the response of the service to %s is lost',
  async (path) => {
    const { front, run, service } = await startLossyServers();
    front.lose({ [path]: 1 });
    const client = run();
    const { receipt, ...completed } = await client.reached('completed');
    expect(completed).toMatchObject(stored);
    expect(await verifyReceipt(service, receipt)).toMatchObject({ content_length: stored.contentLength });
    expect(client.steps).toContainEqual({ step: 'connection-lost', during: path });
  },
);

it.each(['InitiateMultipartUpload', 'UploadPart', 'ListParts', 'CompleteMultipartUpload', 'HEAD'])(
  'another replica continues after kill -9 while the storage executes %s',
  async (killedAt) => {
    const { storage, front, replicas, service, run } = await startLossyServers();
    let replica = service;
    const replace = async () => {
      await killProcess(service.child);
      replica = await replicas.start();
      return replica.url;
    };
    storage.passesResponse = (call) => {
      if (call === killedAt && front.targetUrl === service.url) front.targetUrl = replace();
      return true;
    };
    const client = run();
    const { receipt, ...completed } = await client.reached('completed');
    expect(completed).toMatchObject(stored);
    expect(replica).not.toBe(service);
    expect(await verifyReceipt(replica, receipt)).toMatchObject({ content_length: stored.contentLength });
    expect(client.sentParts()).toStrictEqual([1, 2, 3, 4, 5]);
  },
);

it('complete returns 503 when it cannot know the outcome, and the next one returns the receipt', async () => {
  const { storage, run, call, service } = await startLossyServers();
  const client = run({ stopAt: 'all-parts' });
  const { id } = await client.reached('granted');
  await client.reached('all-parts');
  storage.lose({ CompleteMultipartUpload: 1, HEAD: 2 });
  expect(await call('/v1/uploads/complete', { id })).toMatchObject({
    status: 503,
    body: { code: 'unavailable', retryAfter: expect.any(Number) },
  });
  const { status, body } = await call('/v1/uploads/complete', { id });
  expect([status, body]).toStrictEqual([200, expect.objectContaining(stored)]);
  expect(await verifyReceipt(service, body.receipt)).toMatchObject({ content_length: stored.contentLength });
});

it('an upload continues after its storage was unreachable', async () => {
  const { storage, run, call } = await startLossyServers();
  const client = run({ stopAt: 'part-2' });
  const { id } = await client.reached('granted');
  await client.reached('part-2');
  await killProcess(client.child);
  await storage.stop();
  for (const path of ['/v1/uploads/status', '/v1/uploads/complete', '/v1/uploads/abort']) {
    expect(await call(path, { id }), path).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  }
  await storage.restart();
  const other = run({ upload: String(id) });
  expect(await other.reached('completed')).toMatchObject(stored);
  expect(other.sentParts()).toStrictEqual([3, 4, 5]);
});

it.each(['the storage', 'the service'])(
  'an upload is aborted although a response of %s is lost',
  async (lost) => {
    const { storage, front, run, call, replicas } = await startLossyServers();
    const client = run({ stopAt: 'part-2' });
    const { id } = await client.reached('granted');
    await client.reached('part-2');
    const abort = () => post(front, replicas.token, '/v1/uploads/abort', { id });
    if (lost === 'the storage') {
      storage.lose({ AbortMultipartUpload: 1 });
    } else {
      front.lose({ '/v1/uploads/abort': 1 });
      await expect(abort()).rejects.toThrow('fetch failed');
    }
    expect(await abort()).toStrictEqual({ status: 204, body: {} });
    expect(storage.calls.filter((name) => name === 'AbortMultipartUpload').length).toBeGreaterThan(1);
    expect(await call('/v1/uploads/status', { id })).toMatchObject({
      status: 200,
      body: { state: 'absent' },
    });
    expect(await call('/v1/uploads/complete', { id })).toMatchObject({
      status: 404,
      body: { code: 'upload_absent' },
    });
  },
);
