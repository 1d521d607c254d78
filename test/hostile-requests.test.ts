import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { startDemoIssuer } from '../src/demo/demo-issuer.ts';
import { startEmulator } from '../src/emulator/emulator.ts';
import { fixedClock } from './support/fixed-clock.ts';

const HEADERS = 'Host: a\r\nConnection: close\r\n\r\n';
const TARGETS = [
  '//',
  '///',
  '//a:b',
  '/\\',
  'http://[',
  'http://[::1',
  'http://a:99999999/',
  'http://%',
  'http:',
  'http://',
  '*',
  '%',
  '/%',
  '/%zz',
  '/%00',
  '/%ff%fe',
  '/?%',
  '/?sub=%ff',
  '/token?sub=%',
  '/token?sub=%ED%A0%80',
  '/token?sub',
  `/token?sub=${'a'.repeat(12_000)}`,
  `/${'a'.repeat(12_000)}`,
  `/demo/${'../'.repeat(3000)}`,
  '/demo-media/%2e%2e/%2e%2e/etc/passwd',
  '/__proto__/constructor',
  '/demo-media/\u00ff\u00fe',
  '/demo-media?uploads',
  '/?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=%2F%2F%2F',
  '/#fragment',
  '[::1]:80',
  'a b',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'M-SEARCH'];

const REQUESTS = [
  ...TARGETS.flatMap((target) => METHODS.map((method) => `${method} ${target} HTTP/1.1\r\n${HEADERS}`)),
  ...['a:443', '//', 'http://[', '[', ''].map((target) => `CONNECT ${target} HTTP/1.1\r\n${HEADERS}`),
  'GET http://[ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET // HTTP/1.0\r\n\r\n',
  'GET\r\n\r\n',
  `BREW / HTTP/1.1\r\n${HEADERS}`,
  'GET / HTTP/9.9\r\n\r\n',
  `GET / HTTP/1.1\r\nHost: [\r\n${HEADERS}`,
  `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n${HEADERS}`,
  `GET / HTTP/1.1\r\nRange: bytes=-\r\n${HEADERS}`,
  `PUT /demo-media/a HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n${HEADERS}`,
  `PUT /demo-media/a HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n${HEADERS}`,
  `PUT /demo-media/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${HEADERS}zz\r\n`,
  `GET / HTTP/1.1\r\nX-Long: ${'a'.repeat(100_000)}\r\n${HEADERS}`,
  '\0\x01\x02\xff',
];

/** Writes the bytes, closes the sending side, and returns the status of the response; undefined when there is none. */
async function send(port: number, bytes: string): Promise<number | undefined> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  // A server may close while the request is still being written.
  socket.on('error', () => undefined);
  socket.end(bytes, 'latin1');
  const response = text(socket).catch(() => '');
  const [status] = /(?<=^HTTP\/1\.1 )\d{3}/.exec(await response) ?? [];
  return status === undefined ? undefined : Number(status);
}

/** An error that no handler catches would end the process of the server. */
async function uncaughtErrorsDuring(work: () => Promise<void>): Promise<readonly unknown[]> {
  const errors: unknown[] = [];
  const note = (error: unknown) => errors.push(error);
  const earlier = (['uncaughtException', 'unhandledRejection'] as const).map(
    (event) => [event, process.listeners(event as 'uncaughtException')] as const,
  );
  for (const [event] of earlier) process.removeAllListeners(event).on(event, note);
  try {
    await work();
    // Rejections are reported after the current turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    for (const [event, listeners] of earlier) {
      process.removeAllListeners(event);
      for (const listener of listeners) process.on(event, listener);
    }
  }
  return errors;
}

async function startServers(): Promise<Readonly<Record<string, number>>> {
  const directory = mkdtempSync(join(tmpdir(), 'oss-presign-hostile-'));
  const issuer = await startDemoIssuer({ clock: fixedClock, host: '127.0.0.1', port: 0, page: '<p>demo' });
  const emulator = await startEmulator({
    directory,
    buckets: { 'demo-media': { region: 'cn-hangzhou' } },
    credentials: [{ accessKeyId: 'id', accessKeySecret: 'secret' }],
    clock: fixedClock,
  });
  onTestFinished(async () => {
    await Promise.all([issuer.close(), emulator.close()]);
    rmSync(directory, { recursive: true });
  });
  return { issuer: Number(new URL(issuer.issuer).port), emulator: emulator.port };
}

it.each(['issuer', 'emulator'])(
  'no request ends the %s, and no response is 5xx, except 501',
  async (name) => {
    const port = (await startServers())[name] ?? 0;
    const wrong: unknown[] = [];
    const errors = await uncaughtErrorsDuring(async () => {
      for (const bytes of REQUESTS) {
        const status = await send(port, bytes);
        if (status !== undefined && status >= 500 && status !== 501) wrong.push([bytes.slice(0, 80), status]);
      }
    });
    expect({ errors, wrong }).toStrictEqual({ errors: [], wrong: [] });
    expect(await send(port, `GET / HTTP/1.1\r\n${HEADERS}`)).toBe(name === 'issuer' ? 200 : 403);
  },
);

it('the issuer rejects a request target that is no address with 400', async () => {
  const { issuer = 0 } = await startServers();
  for (const target of ['//', 'http://[', '//a:b', 'http://a:99999999/'])
    expect([target, await send(issuer, `GET ${target} HTTP/1.1\r\n${HEADERS}`)]).toStrictEqual([target, 400]);
});
