import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, it, vi } from 'vitest';
import { CREDENTIALS, folderWithPolicy, logLine, start } from '../support/main-process.ts';
import { createTestIssuer } from '../support/tokens.ts';

it.each([
  ['SIGTERM', 0],
  ['SIGINT', 0],
] as const)('on %s it ends with every line of its log written', async (signal, code) => {
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

it('on SIGTERM it is not ready, lets the open request end, and then ends 0', async () => {
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
  const answered = new Promise<IncomingMessage>((resolve) => open.once('response', resolve));
  open.write(body.slice(0, 5));
  await vi.waitFor(async () => expect((await fetch(`${address}/readyz`)).status).toBe(200));

  child.kill('SIGTERM');
  const unready = await vi.waitFor(async () => {
    const answer = await fetch(`${address}/readyz`);
    expect(answer.status).toBe(503);
    return answer.text();
  });
  expect(unready).toContain('FAILED lifecycle\n');
  open.end(body.slice(5));
  const answer = await answered;
  expect([answer.resume().statusCode, answer.headers.connection]).toStrictEqual([201, 'close']);
  expect(await ended).toBe(0);
});

it('ends at once when its clients have gone, whatever they had asked', async () => {
  const issuer = createTestIssuer();
  const child = start(folderWithPolicy(issuer), CREDENTIALS);
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
      // Gone while the token is being verified.
      await new Promise((resolve) => socket.write(ask.repeat(5), resolve));
      socket.resetAndDestroy();
      await once(socket, 'close');
    }),
  );
  expect((await fetch(`${address}/livez`)).status).toBe(200);
  const startedAt = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

it('ends within the grace time even when a client never finishes its request', async () => {
  const child = start(folderWithPolicy(), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '1' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  const { port, hostname } = new URL(String(address));
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write('POST /v1/uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{');
  const startedAt = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

it('goes on answering, unready, for the delay after SIGTERM', async () => {
  const issuer = createTestIssuer();
  const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_DELAY_SECONDS: '2' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const { address } = await logLine(child, 'listening');
  child.stdout.resume();
  const startedAt = performance.now();
  child.kill('SIGTERM');
  await vi.waitFor(async () => expect((await fetch(`${address}/readyz`)).status).toBe(503));
  const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
  const answer = await fetch(`${address}/v1/policy`, { headers: { authorization: `Bearer ${token}` } });
  expect([answer.status, answer.headers.get('connection')]).toStrictEqual([200, 'close']);
  expect(await ended).toBe(0);
  expect(performance.now() - startedAt).toBeGreaterThan(1900);
});

it('ends at once on a second signal, with its log written', async () => {
  const child = start(folderWithPolicy(), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '3600' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  const listening = once(reader, 'line');
  reader.on('line', (line) => lines.push(line));
  const { port, hostname } = new URL(JSON.parse((await listening)[0]).address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('POST /v1/uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{');
  // Repeated by hand: what follows at once counts as the same signal.
  await vi.waitFor(
    () => {
      child.kill('SIGTERM');
      expect(child.exitCode).toBe(0);
    },
    { timeout: 10_000, interval: 100 },
  );
  expect(await ended).toBe(0);
  expect(lines.map((line) => JSON.parse(line).msg)).toContain('stopping');
});
