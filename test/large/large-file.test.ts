import { expect, it } from 'vitest';
import { peakMemoryMib, startClient } from './client-process.ts';
import { contentCrc64, contentOf } from './content.ts';
import { presignedGet, startEmulatorProcess } from './emulator-process.ts';
import { GIB, KIB, MIB, prepareReplicas, requireDiskSpace, verifyReceipt } from './servers.ts';

const SIZE = 6 * GIB;
const PART_SIZE = 64 * MIB;
const MAX_MEMORY_MIB = 200;

/** Reads the object where two parts meet, and compares the bytes with those of the file. */
async function readAtPartBoundaries(emulatorUrl: string): Promise<void> {
  const url = presignedGet(emulatorUrl, 'users/alice/film.mp4');
  const length = 128 * KIB;
  for (let boundary = PART_SIZE; boundary < SIZE; boundary += PART_SIZE) {
    const offset = boundary - length / 2;
    const response = await fetch(url, { headers: { range: `bytes=${offset}-${offset + length - 1}` } });
    expect(response.status).toBe(206);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.equals(Buffer.concat([...contentOf(offset, length)])), `offset ${offset}`).toBe(true);
  }
}

it(`uploads ${SIZE / GIB} GiB in parts with less than ${MAX_MEMORY_MIB} MiB of memory in each process`, async () => {
  requireDiskSpace(SIZE + GIB);
  const emulator = await startEmulatorProcess();
  const replicas = await prepareReplicas({ endpoint: emulator.url });
  const service = await replicas.start();
  const startedAt = performance.now();
  const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
  const client = startClient({
    serviceUrl: service.url,
    token: replicas.token,
    upload: {
      key: 'users/alice/film.mp4',
      contentType: 'video/mp4',
      contentLength: SIZE,
      transfer: 'multipart',
      partSize: PART_SIZE,
    },
    concurrency: 4,
  });
  await client.reached('all-parts');
  const sent = seconds();
  const { receipt, ...completed } = await client.reached('completed');
  const confirmed = seconds();
  const crc64 = contentCrc64(SIZE);
  expect(completed).toMatchObject({
    state: 'stored',
    transfer: 'multipart',
    key: 'users/alice/film.mp4',
    contentLength: SIZE,
    contentType: 'video/mp4',
    crc64,
  });
  expect(await verifyReceipt(service, receipt)).toMatchObject({
    sub: 'alice',
    key: 'users/alice/film.mp4',
    content_length: SIZE,
    crc64,
  });
  expect(client.sentParts().toSorted((a, b) => a - b)).toStrictEqual(
    Array.from({ length: SIZE / PART_SIZE }, (_, n) => n + 1),
  );

  await readAtPartBoundaries(emulator.url);

  const { peakMib } = await client.reached('ended');
  const memory = {
    service: peakMemoryMib(service.child),
    emulator: peakMemoryMib(emulator.child),
    client: Number(peakMib),
  };
  const peaks = Object.entries(memory).map(([name, mib]) => `${name} ${mib.toFixed(0)} MiB`);
  console.info(
    `${SIZE / GIB} GiB: sent after ${sent} s, confirmed after ${confirmed} s; ${peaks.join(', ')}`,
  );
  for (const mib of Object.values(memory)) expect(mib, peaks.join()).toBeLessThan(MAX_MEMORY_MIB);
});
