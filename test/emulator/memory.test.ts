import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it, onTestFinished } from 'vitest';
import { presign } from '../../src/storage/oss/signing/presign.ts';
import { signForm } from '../support/post-form.ts';

const MIB = 1024 ** 2;
// 1 GiB takes its time: EMULATOR_UPLOAD_MIB=1024 npx vitest run test/emulator/memory.test.ts
const uploadMib = Number(process.env.EMULATOR_UPLOAD_MIB ?? 96);

/** Sends a body in chunks as fast as the server takes them. */
async function send(sent: ClientRequest, chunks: readonly Buffer[]): Promise<number | undefined> {
  const status = new Promise<number | undefined>((resolve, reject) => {
    sent.once('error', reject).once('response', (response) => resolve(response.resume().statusCode));
  });
  await pipeline(Readable.from(chunks), sent);
  return await status;
}

it(`uploads of ${uploadMib} MiB, plain and as a form, stay under 150 MiB of memory`, {
  timeout: 120_000,
}, async () => {
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
  const endpoint = /http:\S+/.exec(output)?.[0] ?? '';
  const { url } = presign({
    credentials: { accessKeyId: 'id', accessKeySecret: 'secret' },
    method: 'PUT',
    region: 'cn-hangzhou',
    bucket: 'big-files',
    endpoint: { url: endpoint, addressing: 'path' },
    key: 'big',
    headers: {},
    signedAt: new Date(),
    expiresInSeconds: 600,
  });
  const file = Array(uploadMib).fill(Buffer.alloc(MIB, 7));
  expect(await send(request(url, { method: 'PUT' }), file)).toBe(200);

  const signed = signForm({
    credentials: { accessKeyId: 'id', accessKeySecret: 'secret' },
    bucket: 'big-files',
    date: `${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`,
    expiration: new Date(Date.now() + 600_000).toISOString(),
  });
  const parts = Object.entries({ key: 'form', ...signed }).map(
    ([name, value]) => `--a\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = '--a\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
  const post = request(`${endpoint}/big-files/`, { method: 'POST' });
  post.setHeader('content-type', 'multipart/form-data; boundary=a');
  expect(await send(post, [Buffer.from(parts.join('') + head), ...file, Buffer.from('\r\n--a--\r\n')])).toBe(
    204,
  );

  const peakKib = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]);
  expect(peakKib / 1024).toBeLessThan(150);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  if (uploadMib > 500) process.stdout.write(`peak memory: ${Math.round(peakKib / 1024)} MiB\n`);
});
