import { expect, it } from 'vitest';
import { startClient } from './client-process.ts';
import { contentCrc64 } from './content.ts';
import { killProcess, startEmulatorProcess } from './emulator-process.ts';
import { GIB, KIB, MIB, post, prepareReplicas, requireDiskSpace, verifyReceipt } from './servers.ts';

const PARTS = 10_000;
const PART_SIZE = 100 * KIB;
const LAST_PART_SIZE = 1000;
const SIZE = (PARTS - 1) * PART_SIZE + LAST_PART_SIZE;

it(`uploads ${PARTS.toLocaleString('en')} parts, reports all of them, and completes them`, async () => {
  requireDiskSpace(2 * GIB);
  const emulator = await startEmulatorProcess();
  const replicas = await prepareReplicas({ endpoint: emulator.url });
  const service = await replicas.start();
  const timed = async <Result>(work: () => Promise<Result>) => {
    const startedAt = performance.now();
    const result = await work();
    return { result, seconds: ((performance.now() - startedAt) / 1000).toFixed(2) };
  };
  const first = startClient({
    serviceUrl: service.url,
    token: replicas.token,
    upload: {
      key: 'users/alice/film.mp4',
      contentType: 'video/mp4',
      contentLength: SIZE,
      transfer: 'multipart',
      partSize: PART_SIZE,
    },
    concurrency: 8,
    stopAt: 'all-parts',
  });
  const { id } = await first.reached('granted');
  const sent = await timed(() => first.reached('all-parts'));
  await killProcess(first.child);

  const status = await timed(() => post(service, replicas.token, '/v1/uploads/status', { id }));
  expect(status.result).toStrictEqual({
    status: 200,
    body: {
      state: 'open',
      transfer: 'multipart',
      key: 'users/alice/film.mp4',
      contentLength: SIZE,
      partSize: PART_SIZE,
      partCount: PARTS,
      parts: Array.from({ length: PARTS }, (_, n) => ({
        partNumber: n + 1,
        contentLength: n + 1 < PARTS ? PART_SIZE : LAST_PART_SIZE,
        etag: expect.stringMatching(/^[0-9A-F]{32}$/),
      })),
      missing: [],
    },
  });
  const crc64 = contentCrc64(SIZE);
  const completed = await timed(() => post(service, replicas.token, '/v1/uploads/complete', { id, crc64 }));
  expect(completed.result).toMatchObject({
    status: 200,
    body: { state: 'stored', contentLength: SIZE, crc64 },
  });
  expect(await verifyReceipt(service, completed.result.body.receipt)).toMatchObject({
    content_length: SIZE,
    crc64,
  });
  console.info(
    `${PARTS} parts (${(SIZE / MIB).toFixed(0)} MiB): sent in ${sent.seconds} s; status ${status.seconds} s, complete ${completed.seconds} s`,
  );
});
