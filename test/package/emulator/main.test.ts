import { type ChildProcess, spawn } from 'node:child_process';
import { createVerify } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { presign } from '../../../src/storage/oss/signing/presign.ts';
import { startCallbackReceiver } from '../../support/callback-receiver.ts';
import { base64Json } from '../../support/callback-uploads.ts';
import { COMPILE_CACHE } from '../../support/compile-cache.ts';
import { BUCKET, LONG_LIVED, REGION } from '../../support/test-emulator.ts';

const PROGRAM = new URL('../../../src/emulator/main.ts', import.meta.url).pathname;

/** Starts the emulator as a process in a folder. Both are gone when the test has ended. */
function start(options: (folder: string) => readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'oss-emulator-test-'));
  const args = [
    ...['--port=0', `--bucket=${BUCKET}`, `--region=${REGION}`, `--directory=${join(folder, 'oss')}`],
    `--access-key-id=${LONG_LIVED.accessKeyId}`,
  ];
  const child = spawn(process.execPath, [PROGRAM, ...args, ...options(folder)], {
    env: { ...COMPILE_CACHE, OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  });
  return { child, folder, ended };
}

/** The URL on which the process listens. */
function urlOf({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface(stdout as Readable)
      .on('line', (line) => {
        const [, url] = /^Listening on (\S+) /.exec(line) ?? [];
        if (url !== undefined) resolve(url);
      })
      .on('close', () => reject(new Error('The emulator ended before it listened.')));
  });
}

it('writes the key of callbacks to a file, and calls private addresses if an option allows it', async () => {
  const receiver = await startCallbackReceiver();
  const { child, folder } = start((path) => [
    `--callback-key-file=${join(path, 'callback.pem')}`,
    '--allow-private-callbacks',
  ]);
  const callback = base64Json({ callbackUrl: `${receiver.origin}/cb`, callbackBody: 'a=b' });
  const { url } = presign({
    credentials: LONG_LIVED,
    method: 'PUT',
    region: REGION,
    bucket: BUCKET,
    key: 'a.txt',
    endpoint: { url: await urlOf(child), addressing: 'path' },
    headers: {},
    query: { callback },
    signedAt: new Date(),
    expiresInSeconds: 600,
  });
  const response = await fetch(url, { method: 'PUT', body: new Uint8Array(5) });
  expect([response.status, await response.text()]).toStrictEqual([200, '{"Status":"OK"}']);
  const { headers, body } = await receiver.received;
  const signature = headers.find((header) => header.startsWith('authorization: '))?.slice(15) ?? '';
  const verify = createVerify('RSA-MD5').update(`/cb\n${body}`);
  expect(verify.verify(readFileSync(join(folder, 'callback.pem')), signature, 'base64')).toBe(true);
});

it('ends with an error if it cannot write the key of callbacks', async () => {
  const { child, folder, ended } = start((path) => ['--callback-key-file', path]);
  const [stderr, [code]] = await Promise.all([text(child.stderr as Readable), ended]);
  expect([code, stderr]).toStrictEqual([1, `error: Cannot write ${folder} (EISDIR).\n`]);
});
