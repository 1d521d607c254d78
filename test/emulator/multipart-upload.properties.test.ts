import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCrc64 } from '../../src/emulator/objects/crc64.ts';
import { completeList, MIN_PART_BYTES, multipartCalls } from '../support/multipart-upload.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { startTestEmulator } from '../support/test-emulator.ts';

/** A part as it is sent: its number, and bytes that follow from a size and a seed. */
const anyPart = fc.record({
  partNumber: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 10_000 })),
  size: fc.oneof(
    { arbitrary: fc.integer({ min: MIN_PART_BYTES, max: MIN_PART_BYTES + 70_000 }), weight: 6 },
    { arbitrary: fc.integer({ min: 0, max: MIN_PART_BYTES }), weight: 1 },
  ),
  seed: fc.integer({ min: 0, max: 255 }),
});

function bytesOf({ size, seed }: { size: number; seed: number }): Buffer {
  const block = createHash('sha512').update(String(seed)).digest();
  return Buffer.alloc(size, block);
}

function crcOf(bytes: Buffer): string {
  const crc = createCrc64();
  crc.update(bytes);
  return crc.digest();
}

it('the object is the parts that were sent last, by their numbers, or the upload is rejected', async () => {
  const emulator = await startTestEmulator();
  const { initiate, putPart, complete, completeAll, read, head, abort } = multipartCalls(emulator, 'a');
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyPart, { minLength: 1, maxLength: 7 }),
      fc.boolean(),
      fc.infiniteStream(fc.nat(1_000_000)),
      async (sent, isAll, random) => {
        const uploadId = await initiate();
        const latest = new Map<number, { bytes: Buffer; etag: string }>();
        for (const part of sent) {
          const bytes = bytesOf(part);
          const response = await putPart(uploadId, part.partNumber, bytes);
          latest.set(part.partNumber, { bytes, etag: response.headers.get('etag') ?? '' });
        }
        const parts = [...latest].sort(([a], [b]) => a - b);
        const list = completeList(parts.map(([number, { etag }]) => [number, etag]));
        const response = await (isAll ? completeAll(uploadId) : complete(uploadId, list));
        const bytes = parts.map(([, part]) => part.bytes);
        if (bytes.slice(0, -1).some(({ length }) => length < MIN_PART_BYTES)) {
          expect(response.status).toBe(400);
          expect((await abort(uploadId)).status).toBe(204);
          return;
        }
        const whole = Buffer.concat(bytes);
        expect(response.status).toBe(200);
        expect((await read()).equals(whole)).toBe(true);
        for (const { headers } of [response, await head()]) {
          expect(headers.get('x-oss-hash-crc64ecma')).toBe(crcOf(whole));
          expect(headers.get('etag')).toMatch(new RegExp(`-${parts.length}"$`));
        }
        expect(emulator.files()).toHaveLength(parts.length + 1);
        if (whole.length === 0) return;
        const first = (random.next().value ?? 0) % whole.length;
        const last = first + ((random.next().value ?? 0) % (whole.length - first));
        const range = await read({ range: `bytes=${first}-${last}` });
        expect(range.equals(whole.subarray(first, last + 1))).toBe(true);
      },
    ),
    { numRuns: propertyRuns(200) },
  );
});
