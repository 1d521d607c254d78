import { expect, it } from 'vitest';
import { startClient } from './client-process.ts';
import { contentCrc64 } from './content.ts';
import { killProcess, startEmulatorProcess } from './emulator-process.ts';
import { startLossyProxy, storageCall } from './lossy-proxy.ts';
import { FIVE_PARTS, prepareReplicas, verifyReceipt } from './servers.ts';
import type { Task } from './upload-program.ts';

it.each([
  { stopAt: 'granted', found: 'open', sent: [], left: [1, 2, 3, 4, 5] },
  { stopAt: 'signed', found: 'open', sent: [], left: [1, 2, 3, 4, 5] },
  { stopAt: 'half-1', found: 'open', sent: [], left: [1, 2, 3, 4, 5] },
  { stopAt: 'part-2', found: 'open', sent: [1, 2], left: [3, 4, 5] },
  { stopAt: 'half-3', found: 'open', sent: [1, 2], left: [3, 4, 5] },
  { stopAt: 'part-4', found: 'open', sent: [1, 2, 3, 4], left: [5] },
  { stopAt: 'all-parts', found: 'open', sent: [1, 2, 3, 4, 5], left: [] },
  { stopAt: 'completing', found: 'stored', sent: [1, 2, 3, 4, 5], left: [] },
  { stopAt: 'completed', found: 'stored', sent: [1, 2, 3, 4, 5], left: [] },
])(
  'a client that is killed at $stopAt leaves an upload that another process ends with only its id',
  async ({ stopAt, found, sent, left }) => {
    const proxy = await startLossyProxy((await startEmulatorProcess()).url, storageCall);
    const isDead = Promise.withResolvers<void>();
    const isCompleting = Promise.withResolvers<void>();
    proxy.passesResponse = async (call) => {
      if (call === 'CompleteMultipartUpload') {
        isCompleting.resolve();
        await isDead.promise;
      }
      return true;
    };
    if (stopAt === 'completed') isDead.resolve();
    const replicas = await prepareReplicas({ endpoint: proxy.url });
    const service = await replicas.start();
    const run = (upload: Task['upload'], stop?: string) =>
      startClient({ serviceUrl: service.url, token: replicas.token, upload, concurrency: 1, stopAt: stop });

    const first = run(FIVE_PARTS, stopAt);
    const { id } = await first.reached('granted');
    await first.reached(stopAt);
    if (stopAt === 'completing') await isCompleting.promise;
    await killProcess(first.child);
    isDead.resolve();
    expect(first.sentParts()).toStrictEqual(sent);

    const second = run(String(id));
    const { state } = await second.reached('resumed');
    expect(state).toBe(found);
    const { receipt, ...completed } = await second.reached('completed');
    await second.reached('ended');
    expect(second.sentParts()).toStrictEqual(left);
    const { key, contentLength } = FIVE_PARTS;
    const crc64 = contentCrc64(contentLength);
    expect(completed).toMatchObject({ state: 'stored', key, contentLength, crc64 });
    expect(await verifyReceipt(service, receipt)).toMatchObject({
      key,
      content_length: contentLength,
      crc64,
    });
    expect(proxy.calls.filter((call) => call === 'UploadPart')).toHaveLength(5);
  },
);
