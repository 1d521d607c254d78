import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callHttp, type HttpCall, ResponseError } from '../../src/net/http-call.ts';
import { startTestServer } from '../support/test-server.ts';

const never = new AbortController().signal;

function call(url: string, change: Partial<HttpCall> = {}) {
  return callHttp(url, { fetch, signal: never, statuses: [200], maxBytes: 100, ...change });
}

/** A server that sends these bytes for every request, whatever they are. */
async function startRawServer(bytes: string): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('data', () => socket.end(bytes, 'latin1'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

it('returns status, headers and body of each accepted status', async () => {
  const server = await startTestServer((request, response) => {
    response.writeHead(request.url === '/a' ? 200 : 404, { 'x-name': 'value' }).end('text');
  });
  const [one, other] = await Promise.all(
    ['/a', '/b'].map((path) => call(`${server.origin}${path}`, { statuses: [200, 404] })),
  );
  expect([one?.status, other?.status]).toStrictEqual([200, 404]);
  expect(one?.headers.get('x-name')).toBe('value');
  expect(String(one?.body)).toBe('text');
});

it('returns every status if any is accepted, and follows no redirect', async () => {
  const server = await startTestServer((request, response) => {
    response.writeHead(Number(request.url?.slice(1)), { location: '/200' }).end();
  });
  for (const status of [200, 204, 301, 307, 404, 500, 503])
    expect((await call(`${server.origin}/${status}`, { statuses: 'any' })).status).toBe(status);
  expect(server.requests).toHaveLength(7);
});

it('sends HEAD, whose response has the headers of the body and no body', async () => {
  const server = await startTestServer((request, response) => {
    response.writeHead(200, { 'x-method': request.method, 'content-length': 10 ** 12 }).end();
  });
  const { headers, body } = await call(server.origin, { method: 'HEAD', maxBytes: 0 });
  expect([headers.get('x-method'), headers.get('content-length')]).toStrictEqual(['HEAD', '1000000000000']);
  expect(body).toHaveLength(0);
});

it('reports another status, and names those that it accepts', async () => {
  const server = await startTestServer((_, response) => void response.writeHead(500).end('secret'));
  const failed = call(`${server.origin}/path?token=secret`, { statuses: [200, 204] });
  await expect(failed).rejects.toStrictEqual(
    new ResponseError(`127.0.0.1:${server.port} responded with status 500, not 200 or 204`),
  );
});

it('reads no more than the bound', async () => {
  const server = await startTestServer((_, response) => void response.end('x'.repeat(101)));
  await expect(call(server.origin)).rejects.toStrictEqual(
    new ResponseError(`the response of 127.0.0.1:${server.port} is longer than 100 bytes`),
  );
});

describe.each([
  ['text that is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['headers of 1 MiB', `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(1024 * 1024)}\r\n\r\n`],
  ['100,000 headers', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(100_000)}\r\n`],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'],
  ['a length that is not a number', 'HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n'],
  ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  ['a NUL in a header', 'HTTP/1.1 200 OK\r\nx-name: a\0b\r\n\r\n'],
])('a response with %s', (_, bytes) => {
  it.each(['GET', 'HEAD'] as const)('to %s is reported as a response that cannot be used', async (method) => {
    const origin = await startRawServer(bytes);
    const failed = await call(origin, { method }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ResponseError);
    expect(String(failed)).toMatch(
      /^Error: the (response of 127\.0\.0\.1:\d+ is not valid HTTP|headers of the response of 127\.0\.0\.1:\d+ are too long)$/,
    );
  });
});

it('reports a connection that ends before the response as no response', async () => {
  const server = await startTestServer((request) => server.reset(request));
  const failed = await call(server.origin).catch((error: unknown) => error);
  expect(failed).not.toBeInstanceOf(ResponseError);
  expect(String(failed)).toBe(`Error: 127.0.0.1:${server.port} closed the connection (ECONNRESET)`);
});

it('ends with the signal, during the headers and during the body', async () => {
  const server = await startTestServer((request, response) => {
    if (request.url === '/body') response.writeHead(200).write('x');
  });
  for (const path of ['/headers', '/body']) {
    const controller = new AbortController();
    const failed = call(`${server.origin}${path}`, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(failed).rejects.toThrow(`127.0.0.1:${server.port} did not respond in time`);
  }
});

it('states that fetch never connects to a port of another protocol', async () => {
  await expect(call('http://127.0.0.1:6000/')).rejects.toThrow(
    'the port of 127.0.0.1:6000 is reserved for another protocol, so fetch never connects to it; use another port',
  );
});
