import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it, onTestFinished } from 'vitest';
import { presign } from '../../src/storage/oss/signing/presign.ts';

const MIB = 1024 ** 2;
// 1 GiB takes its time: EMULATOR_UPLOAD_MIB=1024 npx vitest run test/emulator/memory.test.ts
const uploadMib = Number(process.env.EMULATOR_UPLOAD_MIB ?? 96);

it(`an upload of ${uploadMib} MiB stays under 150 MiB of memory`, { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'oss-emulator-memory-'));
  const child = spawn(
    process.execPath,
    [
      'src/emulator/main.ts',
      '--port=0',
      '--bucket=big-files',
      '--region=cn-hangzhou',
      '--access-key-id=id',
      `--directory=${directory}`,
    ],
    { env: { OSS_ACCESS_KEY_SECRET: 'secret' }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true });
  });
  let output = '';
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Listening')) resolve();
    });
  });
  expect(output).toContain('for development and tests only');
  const { url } = presign({
    credentials: { accessKeyId: 'id', accessKeySecret: 'secret' },
    method: 'PUT',
    region: 'cn-hangzhou',
    bucket: 'big-files',
    endpoint: { url: /http:\S+/.exec(output)?.[0] ?? '', addressing: 'path' },
    key: 'big',
    headers: {},
    signedAt: new Date(),
    expiresInSeconds: 600,
  });
  const put = request(url, { method: 'PUT', headers: { 'content-length': uploadMib * MIB } });
  const status = new Promise<number | undefined>((resolve, reject) => {
    put.once('error', reject).once('response', (response) => resolve(response.resume().statusCode));
  });
  const chunk = Buffer.alloc(MIB, 7);
  await pipeline(Readable.from(Array(uploadMib).fill(chunk)), put);
  expect(await status).toBe(200);

  const peakKib = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
  expect(peakKib / 1024).toBeLessThan(150);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  if (uploadMib > 500) process.stdout.write(`peak memory: ${Math.round(peakKib / 1024)} MiB\n`);
});
