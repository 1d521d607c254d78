import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createCrc64 } from '../../src/emulator/objects/crc64.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator, TEMPORARY } from '../support/test-emulator.ts';
import { startWire } from '../support/wire.ts';
import { SDKS, type SdkName } from './build-programs.ts';
import { useSdkProgram } from './sdk-program.ts';

const KEY = 'dir/报告 1+1=2 (100%25) %.bin';
const MIB = 1024 ** 2;

/** The size of a part where the caller of the SDK sets none. */
const PART_BYTES: Readonly<Record<SdkName, number>> = {
  go: 6 * MIB,
  python: 6 * MIB,
  java: 6 * MIB,
  'ali-oss': MIB,
};

/** An emulator behind a recorder, and a file of random bytes. */
async function startWith(size: number, credentials: typeof TEMPORARY | typeof LONG_LIVED = LONG_LIVED) {
  const emulator = await startTestEmulator({ clock: systemClock });
  const wire = await startWire(emulator.url);
  const folder = mkdtempSync(join(tmpdir(), 'sdk-transfer-'));
  onTestFinished(async () => {
    await wire.close();
    rmSync(folder, { recursive: true });
  });
  const bytes = randomBytes(size);
  const file = join(folder, 'sent.bin');
  writeFileSync(file, bytes);
  const crc = createCrc64();
  crc.update(bytes);
  const place = { endpoint: wire.url, region: REGION, credentials, bucket: BUCKET, key: KEY, attempts: 1 };
  return {
    ...{ emulator, wire, folder, bytes, crc64: crc.digest() },
    job: { ...place, file },
    calls: () =>
      wire.exchanges.map(({ method, target, status }) => `${method} ${callOf(target)} ${status}`).toSorted(),
  };
}

/** The parameters that select a call, in the order of their names, without the id. */
function callOf(target: string): string {
  const names = ['partNumber', 'uploadId', 'uploads'];
  const { searchParams } = new URL(target, 'http://localhost');
  return names
    .filter((name) => searchParams.has(name))
    .map((name) => (name === 'partNumber' ? `part ${searchParams.get(name)}` : name))
    .join(' ');
}

const partCalls = (numbers: readonly number[]) => numbers.map((number) => `PUT part ${number} uploadId 200`);

describe.each(SDKS)('%s', (sdk) => {
  const program = useSdkProgram(sdk);

  it.each([
    ['long-lived', 'a short last part', LONG_LIVED, 2.5],
    ['temporary', 'a last part as long as the others', TEMPORARY, 3],
  ] as const)(
    'uploads a file in parts with its defaults, %s credentials and %s',
    async (_name, _end, credentials, parts) => {
      const size = Math.floor(PART_BYTES[sdk] * parts);
      const { emulator, job, bytes, crc64, folder, calls } = await startWith(size, credentials);
      const uploaded = await program.transfer({ ...job, job: 'upload-file' });
      expect(uploaded).toStrictEqual({ etag: expect.stringMatching(/^"[0-9A-F]{32}-3"$/), crc64 });
      expect(calls()).toStrictEqual(
        ['POST uploads 200', ...partCalls([1, 2, 3]), 'POST uploadId 200'].toSorted(),
      );
      const stored = await fetch(emulator.presign({ method: 'GET', key: KEY, signedAt: systemClock() }));
      expect(Buffer.from(await stored.arrayBuffer()).equals(bytes)).toBe(true);
      expect(Object.fromEntries(stored.headers)).toMatchObject({
        'x-oss-object-type': 'Multipart',
        'x-oss-hash-crc64ecma': crc64,
      });

      // The object of parts, by the downloader: several ranges at once, but for ali-oss.
      const file = join(folder, 'received.bin');
      const downloaded = await program.transfer({ ...job, job: 'download-file', file });
      expect(downloaded).toStrictEqual({ etag: null, crc64: null });
      expect(readFileSync(file).equals(bytes)).toBe(true);
    },
  );
});

describe.each(['go', 'python', 'java'] as const)('%s', (sdk) => {
  const program = useSdkProgram(sdk);

  it('aborts an upload if a part is rejected', async () => {
    const { emulator, wire, job, calls } = await startWith(3 * PART_BYTES[sdk]);
    const body = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><EC>0003-00000001</EC></Error>';
    wire.interfere({ faults: [undefined, { status: 403, body }] });
    expect(await program.transfer({ ...job, job: 'upload-file' })).toStrictEqual({
      error: { status: 403, code: 'AccessDenied', ec: '0003-00000001' },
    });
    expect(calls()).toContain('DELETE uploadId 204');
    // Other parts can be on their way when the upload is aborted.
    await vi.waitFor(() => expect(emulator.files()).toStrictEqual([]), { timeout: 10_000 });
  });
});

describe('ali-oss', () => {
  const programs = [useSdkProgram('ali-oss'), useSdkProgram('ali-oss')] as const;

  it('resumes an upload in another process from its checkpoint, and sends no part again', async () => {
    const { emulator, wire, job, bytes, crc64, calls } = await startWith(12 * MIB + 1);
    const interrupted = await programs[0].transfer({ ...job, job: 'upload-file', interruptAfterParts: 4 });
    if (!('checkpoint' in interrupted)) throw new Error(JSON.stringify(interrupted));
    const { checkpoint } = interrupted;
    expect(calls()).not.toContain('POST uploadId 200');
    const stored = checkpoint.doneParts.map(({ number }) => number);
    expect(stored.length).toBeGreaterThanOrEqual(4);

    wire.interfere({});
    const uploaded = await programs[1].transfer({ ...job, job: 'upload-file', checkpoint });
    expect(uploaded).toStrictEqual({ etag: expect.stringMatching(/^"[0-9A-F]{32}-13"$/), crc64 });
    const missing = Array.from({ length: 13 }, (_, index) => index + 1).filter((n) => !stored.includes(n));
    // Parts that the first process was still sending can arrive as well.
    expect([...new Set(calls())]).toStrictEqual([...partCalls(missing), 'POST uploadId 200'].toSorted());
    const object = await fetch(emulator.presign({ method: 'GET', key: KEY, signedAt: systemClock() }));
    expect(Buffer.from(await object.arrayBuffer()).equals(bytes)).toBe(true);
  });
});
