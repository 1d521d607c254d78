import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, it, vi } from 'vitest';
import { CREDENTIALS, folderWithPolicy, logLine, start } from '../../support/main-process.ts';
import { createTestIssuer } from '../../support/tokens.ts';

it.each([
  ['SIGTERM', 0],
  ['SIGINT', 0],
] as const)('on %s, exits with every line of its log written', async (signal, code) => {
  const child = start(folderWithPolicy(createTestIssuer()), { ...CREDENTIALS, SHUTDOWN_DELAY_SECONDS: '0' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
  const address = await vi.waitFor(
    () => {
      const listening = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'listening');
      expect(listening).toBeDefined();
      return listening.address;
    },
    { timeout: 15_000 },
  );
  await Promise.all(Array.from({ length: 50 }, () => fetch(`${address}/v1/policy`)));
  const drained = new Promise((resolve) => reader.once('close', resolve));
  child.kill(signal);
  expect(await ended).toBe(code);
  await drained;

  const messages = lines.map((line) => JSON.parse(line).msg);
  expect(messages.filter((message) => message === 'request completed')).toHaveLength(50);
  expect(messages.at(-1)).toBe('stopped');
});

it('on SIGTERM, reports not ready, completes the open request, and exits with 0', async () => {
  const issuer = createTestIssuer();
  const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_DELAY_SECONDS: '1' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  child.stdout.resume();
  // The process runs on the machine's clock, and so must the token.
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const body = JSON.stringify({ key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 });
  const open = request(`${address}/v1/uploads`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': body.length,
    },
  });
  const responded = new Promise<IncomingMessage>((resolve) => open.once('response', resolve));
  open.write(body.slice(0, 5));
  await vi.waitFor(async () => expect((await fetch(`${address}/readyz`)).status).toBe(200));

  child.kill('SIGTERM');
  const unready = await vi.waitFor(async () => {
    const response = await fetch(`${address}/readyz`);
    expect(response.status).toBe(503);
    return response.text();
  });
  expect(unready).toContain('FAILED lifecycle\n');
  open.end(body.slice(5));
  const response = await responded;
  expect([response.resume().statusCode, response.headers.connection]).toStrictEqual([201, 'close']);
  expect(await ended).toBe(0);
});

it('does not wait for the grace time after its clients have disconnected', async () => {
  const issuer = createTestIssuer();
  const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '3600' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  child.stdout.resume();
  const { port, hostname } = new URL(String(address));
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const ask = `GET /v1/policy HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      // The client disconnects while the token is being verified.
      await new Promise((resolve) => socket.write(ask.repeat(5), resolve));
      socket.resetAndDestroy();
      await once(socket, 'close');
    }),
  );
  expect((await fetch(`${address}/livez`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

it('closes the connection of a client that has not finished its request at the end of the grace time', async () => {
  const issuer = createTestIssuer();
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '1' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  const { port, hostname } = new URL(String(address));
  const socket = connect(Number(port), hostname);
  let received = '';
  socket
    .on('error', () => undefined)
    .on('data', (chunk) => {
      received += chunk;
    });
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(
    `POST /v1/uploads HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{`,
  );
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  // The time-out of requests, which is longer, would have sent 408.
  expect(received).toBe('');
});

it('serves requests, reported as not ready, during the delay after SIGTERM', async () => {
  const issuer = createTestIssuer();
  const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_DELAY_SECONDS: '600' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  child.stdout.resume();
  child.kill('SIGTERM');
  await vi.waitFor(async () => expect((await fetch(`${address}/readyz`)).status).toBe(503));
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const response = await fetch(`${address}/v1/policy`, { headers: { authorization: `Bearer ${token}` } });
  expect([response.status, response.headers.get('connection')]).toStrictEqual([200, 'close']);
  await stopAtOnce(child);
  expect(await ended).toBe(0);
});

it('exits at once on a second signal, with its log written', async () => {
  const child = start(folderWithPolicy(), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '3600' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  const listening = new Promise<string>((resolve) =>
    reader.on('line', (line) => {
      lines.push(line);
      if (line.includes('"msg":"listening"')) resolve(line);
    }),
  );
  const { port, hostname } = new URL(JSON.parse(await listening).address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('POST /v1/uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{');
  await stopAtOnce(child);
  expect(await ended).toBe(0);
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('stopping');
});

/** Sends SIGTERM until the process has exited. A second signal right after the first counts as the same. */
async function stopAtOnce(child: ReturnType<typeof start>): Promise<void> {
  await vi.waitFor(
    () => {
      child.kill('SIGTERM');
      expect(child.exitCode).toBe(0);
    },
    { timeout: 10_000, interval: 100 },
  );
}
