import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import { sendLoad } from '../../bench/load/send-load.ts';
import { uploadRequest } from '../../bench/load/upload-request.ts';

async function listen(respond: RequestListener): Promise<number> {
  const server = createServer(respond).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
}

const requests = Array.from({ length: 40 }, (_, caller) =>
  uploadRequest(`token-${caller}`, `caller-${caller}`),
);
const onceEach = { onceEach: true, warmUpRequests: 10 } as const;

it('sends each request once, and measures those after the warm-up', async () => {
  const tokens: (string | undefined)[] = [];
  const port = await listen((request, response) => {
    tokens.push(request.headers.authorization);
    request.resume().once('end', () => response.writeHead(201, { 'content-length': 2 }).end('{}'));
  });
  const { requests: measured, latencyMs } = await sendLoad(
    { port, pid: process.pid, connections: 4, extent: onceEach },
    requests,
  );
  expect(tokens.toSorted()).toStrictEqual(requests.map((_, caller) => `Bearer token-${caller}`).toSorted());
  expect(measured).toBe(30);
  expect(latencyMs.p50).toBeGreaterThan(0);
  expect(latencyMs.p999).toBeGreaterThanOrEqual(latencyMs.p99);
});

it('repeats the requests for a duration', async () => {
  let received = 0;
  const port = await listen((request, response) => {
    received++;
    request.resume().once('end', () => response.writeHead(200, { 'content-length': 2 }).end('{}'));
  });
  const extent = { seconds: 0.05, warmUpSeconds: 0.02 };
  const result = await sendLoad({ port, pid: process.pid, connections: 2, extent }, requests.slice(0, 1));
  expect(result.requests).toBeGreaterThan(0);
  expect(result.requests).toBeLessThan(received);
  expect(result.requestsPerSecond).toBeGreaterThan(result.requests);
});

it('accepts a response in several chunks', async () => {
  const port = await listen((request, response) => {
    request.resume().once('end', () => {
      response.writeHead(201, { 'content-length': 100_000 });
      response.write('x'.repeat(50_000));
      setImmediate(() => response.end('y'.repeat(50_000)));
    });
  });
  const { requests: measured } = await sendLoad(
    { port, pid: process.pid, connections: 2, extent: onceEach },
    requests,
  );
  expect(measured).toBe(30);
});

it.each<[string, RequestListener, string]>([
  [
    'is a rejection',
    (_, response) => response.writeHead(403, { 'content-length': 2 }).end('no'),
    'not a success',
  ],
  [
    'is cut',
    (_, response) => response.writeHead(201, { 'content-length': 9 }).write('{}', () => response.destroy()),
    'closed',
  ],
])('fails as soon as a response %s', async (_what, response, message) => {
  const port = await listen(response);
  await expect(
    sendLoad({ port, pid: process.pid, connections: 1, extent: onceEach }, requests),
  ).rejects.toThrow(message);
});
