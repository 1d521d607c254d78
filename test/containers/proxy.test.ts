import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, get as getByHttp } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findEngine } from './engine.ts';

// deploy/proxy/haproxy.cfg unchanged, except for the port and the replicas: servers of these tests
// on the loopback.

const engine = findEngine();
const IMAGE = 'oss-presign-proxy';
const BODY = '{"filename":"a","contentType":"text/plain","contentLength":1}';
const OK = 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n';

beforeAll(async () => {
  const built = await engine.build({ tag: IMAGE, context: 'deploy/proxy' });
  expect(built.code, built.stderr).toBe(0);
});

/** Handles a request that a replica has read. */
type Behaviour = (socket: Socket) => void;

const respond: Behaviour = (socket) => socket.write(OK);
const neverRespond: Behaviour = () => undefined;
const die: Behaviour = (socket) => socket.resetAndDestroy();
const respondJunk: Behaviour = (socket) => socket.end('no HTTP\r\n\r\n');
const isDraining: Behaviour = (socket) =>
  socket.write('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');

/** For a replica at whose port nothing listens, although it is healthy. */
const unreachable: Behaviour = () => undefined;

type Proxy = {
  readonly port: number;
  /** The requests that each replica has read. */
  readonly received: readonly string[][];
};

/**
 * Starts the proxy in front of replicas that are ready and behave in this way; each gets a request
 * in turn.
 */
async function startProxy(
  behaviours: readonly Behaviour[],
  {
    environment = {},
    timeoutServer = '15s',
  }: { readonly environment?: Readonly<Record<string, string>>; readonly timeoutServer?: string } = {},
): Promise<Proxy> {
  const received = behaviours.map((): string[] => []);
  const servers = await Promise.all(
    behaviours.map(async (behave, index) => {
      const replica = createServer((socket) => {
        let text = '';
        socket.on('error', () => undefined);
        socket.setEncoding('latin1').on('data', (chunk) => {
          text += chunk;
          const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
          const end = text.indexOf('\r\n\r\n');
          if (end < 0 || text.length < end + 4 + length) return;
          const request = text.slice(0, end + 4 + length);
          text = '';
          if (request.startsWith('GET /started ')) return respond(socket);
          received[index]?.push(request);
          behave(socket);
        });
      });
      const health = createHttpServer((_request, response) => response.end());
      const port = behave === unreachable ? await freePort() : await listen(replica);
      return `server replica${index} 127.0.0.1:${port} port ${await listen(health)}`;
    }),
  );
  const port = await freePort();
  const shipped = readFileSync('deploy/proxy/haproxy.cfg', 'utf8');
  const config = shipped
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace('timeout server 15s', `timeout server ${timeoutServer}`)
    // So that no replica is left out for having fewer connections.
    .replace('balance leastconn', 'balance roundrobin')
    .replace(/server-template .*/, servers.join('\n  '));
  expect(config.match(/bind 127|roundrobin|^ {2}server /gm)).toHaveLength(2 + behaviours.length);

  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-proxy-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // The container's user is another than the one who runs this.
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'haproxy.cfg'), config);
  const name = `oss-presign-test-proxy-${port}`;
  onTestFinished(async () => void (await engine.run('rm', '--force', name)));
  const started = await engine.run(
    ...['run', '--detach', '--name', name, '--network=host', '--read-only', '--cap-drop=ALL'],
    ...Object.entries(environment).flatMap(([variable, value]) => ['--env', `${variable}=${value}`]),
    ...['--volume', `${folder}/haproxy.cfg:/etc/haproxy/haproxy.cfg:ro`, IMAGE],
  );
  expect(started.code, started.stderr).toBe(0);
  await vi.waitFor(() => expect(statusWithoutKeepAlive(port)).resolves.toBe(201), {
    timeout: 20_000,
    interval: 200,
  });
  return { port, received };
}

/** On a connection that is closed behind the response. */
function statusWithoutKeepAlive(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    getByHttp({ port, host: '127.0.0.1', path: '/started', agent: false }, (response) =>
      response.resume().once('close', () => resolve(response.statusCode)),
    ).once('error', reject);
  });
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function post(port: number, { path = '/v1/uploads', headers = {} } = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    body: BODY,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

function get(port: number): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v1/policy`);
}

const total = ({ received }: Proxy) => received.flat().length;

/** Sends requests one after the other and counts them by status. */
async function statusesOf(count: number, send: (index: number) => Promise<Response>) {
  const counts: Record<number, number> = {};
  for (let index = 0; index < count; index += 1) {
    const { status } = await send(index);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

it('the configuration is valid as shipped', async () => {
  const checked = await engine.run('run', '--rm', IMAGE, 'haproxy', '-c', '-f', '/etc/haproxy/haproxy.cfg');
  expect(checked.code, checked.stderr).toBe(0);
});

const POSTS = [
  '/v1/uploads',
  '/v1/uploads/parts',
  '/v1/uploads/status',
  '/v1/uploads/complete',
  '/v1/uploads/abort',
  '/v1/downloads',
  '/v1/other',
];

describe('sends once more', () => {
  it.each(['POST', 'GET'])('a %s that no replica has received', async (method) => {
    const proxy = await startProxy([unreachable, respond]);
    const send = () => (method === 'POST' ? post(proxy.port) : get(proxy.port));
    // Before a health check finds that nothing listens.
    expect(await statusesOf(10, send)).toStrictEqual({ 201: 10 });
    expect(proxy.received[1]).toHaveLength(10);
    if (method === 'POST') expect(proxy.received[1]?.[0]?.split('\r\n\r\n')[1]).toBe(BODY);
  });

  it('a GET whose replica was killed', async () => {
    const proxy = await startProxy([die, respond]);
    expect(await statusesOf(10, () => get(proxy.port))).toStrictEqual({ 201: 10 });
    expect(proxy.received[0]?.length).toBeGreaterThan(0);
  });

  it('a GET that a replica rejects with 503', async () => {
    const proxy = await startProxy([isDraining, respond]);
    expect(await statusesOf(6, () => get(proxy.port))).toStrictEqual({ 201: 6 });
  });

  it.each<[string, Behaviour, number]>([
    ['kills each replica', die, 502],
    ['each replica rejects', isDraining, 503],
  ])('no GET more than once: one that %s', async (_what, behave, status) => {
    const proxy = await startProxy([behave, behave, behave]);
    expect((await get(proxy.port)).status).toBe(status);
    expect(total(proxy)).toBe(2);
  });
});

describe('does not repeat', () => {
  it.each(POSTS)('a POST that was sent: %s', async (path) => {
    const dying = await startProxy([die, die]);
    expect((await post(dying.port, { path })).status).toBe(502);
    expect(total(dying)).toBe(1);
    const draining = await startProxy([isDraining, isDraining]);
    expect((await post(draining.port, { path })).status).toBe(503);
    expect(total(draining)).toBe(1);
  });

  it.each<[string, Behaviour, number]>([
    ['without a response', neverRespond, 504],
    ['with a response that is not HTTP', respondJunk, 502],
  ])('a request %s', async (_what, behave, status) => {
    const proxy = await startProxy([behave, behave, behave], { timeoutServer: '1s' });
    expect([(await post(proxy.port)).status, (await get(proxy.port)).status]).toStrictEqual([status, status]);
    expect(total(proxy)).toBe(2);
  });
});

describe('waits', () => {
  // Longer than the 30 s that clients have.
  const respondLate: Behaviour = (socket) => void setTimeout(() => socket.write(OK), 35_000);

  it('longer for calls about an upload than for other requests, and than for clients', async () => {
    const { port } = await startProxy([respondLate], { timeoutServer: '1s' });
    const statuses = await Promise.all(
      POSTS.map(async (path) => [path, (await post(port, { path })).status]),
    );
    expect(Object.fromEntries(statuses)).toStrictEqual({
      '/v1/uploads': 504,
      '/v1/uploads/parts': 504,
      '/v1/uploads/status': 201,
      '/v1/uploads/complete': 201,
      '/v1/uploads/abort': 201,
      '/v1/downloads': 504,
      '/v1/other': 504,
    });
  });
});

describe('limits', () => {
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

  it('the requests of one address, which learns when to retry, and of no other', async () => {
    const { port, received } = await startProxy([respond], { environment: { PROXY_MAX_REQUESTS: '20' } });
    const send = (address: string) => () => post(port, from(address));
    expect(await statusesOf(25, send('198.51.100.7'))).toStrictEqual({ 201: 20, 429: 5 });
    const denied = await post(port, from('203.0.113.9, 198.51.100.7'));
    expect(denied.headers.get('retry-after')).toBe('10');
    expect(denied.headers.get('content-type')).toBe('application/problem+json');
    const requestId = denied.headers.get('x-request-id');
    expect(await denied.json()).toMatchObject({
      status: 429,
      code: 'rate_limited',
      retryAfter: 10,
      requestId,
    });
    expect(await statusesOf(3, send('198.51.100.8'))).toStrictEqual({ 201: 3 });
    // One customer has all addresses of a /64.
    const inPrefix = (index: number) => post(port, from(`2001:db8:1:2::${index + 1}`));
    expect(await statusesOf(25, inPrefix)).toStrictEqual({ 201: 20, 429: 5 });
    expect(await statusesOf(3, send('2001:db8:1:3::1'))).toStrictEqual({ 201: 3 });
    const probe = () => fetch(`http://127.0.0.1:${port}/livez`, from('198.51.100.7'));
    expect(await statusesOf(25, probe)).toStrictEqual({ 201: 25 });
    expect(received[0]?.[0]).toMatch(/^x-forwarded-for: 198\.51\.100\.7\r$/im);
  });

  it('by the address of the connection, not by the one that an untrusted client claims', async () => {
    const { port, received } = await startProxy([respond], {
      environment: { PROXY_MAX_REQUESTS: '20', PROXY_TRUSTED: '192.0.2.0/24' },
    });
    const forged = (index: number) => post(port, from(`198.51.100.${index}`));
    const statuses = await statusesOf(30, forged);
    // The requests that checked whether the proxy has started count too.
    expect(statuses[201]).toBeLessThan(20);
    expect(statuses).toHaveProperty('429');
    expect(received.flat().filter((request) => /198\.51\.100/.test(request))).toStrictEqual([]);
    expect(received[0]?.[0]).toMatch(/^x-forwarded-for: 127\.0\.0\.1\r$/im);
  });

  it('the connections of one address', async () => {
    const { port } = await startProxy([respond], {
      environment: { PROXY_MAX_CONNECTIONS: '5', PROXY_TRUSTED: '192.0.2.1' },
    });
    const sockets = Array.from({ length: 12 }, () => connect(port, '127.0.0.1'));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const closed = new Set<Socket>();
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.resume().once('close', () => closed.add(socket));
    }
    await vi.waitFor(() => expect(closed.size).toBe(7), { timeout: 5000 });
    const others = sockets.filter((socket) => !closed.has(socket));
    for (const socket of others) {
      const response = once(socket, 'data');
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(String((await response)[0])).toMatch(/^HTTP\/1\.1 201 /);
    }
  });

  it('the requests that one replica has open', async () => {
    let open = 0;
    let peak = 0;
    const hold: Behaviour = (socket) => {
      open += 1;
      peak = Math.max(peak, open);
      socket.once('close', () => {
        open -= 1;
      });
    };
    const { port } = await startProxy([hold], { timeoutServer: '2s' });
    await Promise.all(Array.from({ length: 350 }, () => post(port)));
    expect(peak).toBe(300);
  });
});
