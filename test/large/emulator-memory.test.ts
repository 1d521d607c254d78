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
import { readXml } from '../support/test-emulator.ts';

const MIB = 1024 ** 2;
// 1 GiB takes its time:
// EMULATOR_UPLOAD_MIB=1024 npx vitest run --project large emulator-memory
const uploadMib = Number(process.env.EMULATOR_UPLOAD_MIB ?? 96);
// Likewise for the parts: EMULATOR_MULTIPART_MIB=6144
const multipartMib = Number(process.env.EMULATOR_MULTIPART_MIB ?? 64);
const PART_MIB = 8;

/** Sends a body in chunks as fast as the server takes them. */
async function send(sent: ClientRequest, chunks: readonly Buffer[]): Promise<number | undefined> {
  const status = new Promise<number | undefined>((resolve, reject) => {
    sent.once('error', reject).once('response', (response) => resolve(response.resume().statusCode));
  });
  await pipeline(Readable.from(chunks), sent);
  return await status;
}

/** Uploads an object in parts, two at a time, and reads it back. Returns its size. */
async function sendParts(sign: (method: string, query: Readonly<Record<string, string>>) => string) {
  const initiated = await fetch(sign('POST', { uploads: '' }), { method: 'POST' });
  const { UploadId: uploadId = '' } = readXml(await initiated.text());
  const part = Array(PART_MIB).fill(Buffer.alloc(MIB, 7));
  const count = multipartMib / PART_MIB;
  for (let sent = 0; sent < count; sent += 2) {
    const urls = [sent + 1, sent + 2].map((n) => sign('PUT', { partNumber: String(n), uploadId }));
    const statuses = await Promise.all(urls.map((url) => send(request(url, { method: 'PUT' }), part)));
    expect(statuses).toStrictEqual([200, 200]);
  }
  const headers = { 'x-oss-complete-all': 'yes' };
  const completed = await fetch(sign('POST', { uploadId }), { method: 'POST', headers });
  expect(completed.status).toBe(200);
  const { body } = await fetch(sign('GET', {}));
  let bytes = 0;
  for await (const chunk of body ?? []) bytes += chunk.length;
  return bytes;
}

it(`uploads of ${uploadMib} MiB, plain and as a form, and of ${multipartMib} MiB in parts stay under 150 MiB of memory`, {
  timeout: 600_000,
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
  const sign = (key: string, method: string, query: Readonly<Record<string, string>> = {}) =>
    presign({
      credentials: { accessKeyId: 'id', accessKeySecret: 'secret' },
      method,
      region: 'cn-hangzhou',
      bucket: 'big-files',
      endpoint: { url: endpoint, addressing: 'path' },
      key,
      query,
      headers: 'uploadId' in query && method === 'POST' ? { 'x-oss-complete-all': 'yes' } : {},
      signedAt: new Date(),
      expiresInSeconds: 600,
    }).url;
  const file = Array(uploadMib).fill(Buffer.alloc(MIB, 7));
  expect(await send(request(sign('big', 'PUT'), { method: 'PUT' }), file)).toBe(200);
  expect(await sendParts((method, query) => sign('parts', method, query))).toBe(multipartMib * MIB);

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
  if (Math.max(uploadMib, multipartMib) > 500)
    process.stdout.write(`peak memory: ${Math.round(peakKib / 1024)} MiB\n`);
});
