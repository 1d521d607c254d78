import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Notification } from '../../src/grants/ports/notifier.ts';
import { now } from '../support/fixed-clock.ts';
import { GRANT_ID } from '../support/granted-upload.ts';
import { createManualClock } from '../support/manual-clock.ts';
import {
  createTestNotifier,
  hookSecret,
  startReceiver,
  verifyNotification,
} from '../support/notifications.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const bytesOf = (secret: string) => Buffer.from(secret.slice('whsec_'.length), 'base64');
const addressOf = ({ origin }: TestServer) => `${origin}/hooks/t0ken`;

function notificationTo(
  url: string,
  fields: Partial<Notification> = {},
  secrets = [hookSecret()],
): Notification {
  return {
    id: GRANT_ID,
    rule: 'own-files',
    receiver: { url, timeoutMs: 3000, secrets: secrets.map(bytesOf) },
    type: 'upload.stored',
    data: { id: GRANT_ID, key: 'users/alice/文件.png' },
    ...fields,
  };
}

/** A receiver whose responses a test makes by hand. */
async function startSilentReceiver() {
  const open: ServerResponse[] = [];
  const server = await startTestServer((_, response) => void open.push(response));
  return {
    url: addressOf(server),
    server,
    open,
    respond: () => open.splice(0).map((one) => one.writeHead(204).end()),
  };
}

it('sends one POST that the published library verifies', async () => {
  const receiver = await startReceiver(200);
  const { notifier } = createTestNotifier();
  expect(await notifier.notify(notificationTo(receiver.url))).toBe('delivered');
  expect(receiver.requests).toHaveLength(1);
  const [request] = receiver.requests;
  if (!request) throw new Error('no request');
  expect([request.method, `${request.url.pathname}${request.url.search}`]).toStrictEqual([
    'POST',
    '/hooks/t0ken?key=h1dden',
  ]);
  expect(request.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'oss-presign',
    'webhook-id': GRANT_ID,
    'webhook-timestamp': String(now.getTime() / 1000),
  });
  const sent = {
    type: 'upload.stored',
    timestamp: '2026-11-23T10:00:00Z',
    data: { id: GRANT_ID, key: 'users/alice/文件.png' },
  };
  expect(JSON.parse(request.body)).toStrictEqual(sent);
  expect(verifyNotification(hookSecret(), request)).toStrictEqual(sent);
});

it('signs with each secret, so that receivers with the old or the new one verify', async () => {
  const receiver = await startReceiver(204);
  const { notifier } = createTestNotifier();
  await notifier.notify(notificationTo(receiver.url, {}, [hookSecret(1), hookSecret(2)]));
  const [request] = receiver.requests;
  if (!request) throw new Error('no request');
  for (const secret of [hookSecret(1), hookSecret(2)])
    expect(verifyNotification(secret, request)).toMatchObject({ type: 'upload.stored' });
  expect(() => verifyNotification(hookSecret(3), request)).toThrow('No matching signature');
});

it('signs id, timestamp and body', async () => {
  const receiver = await startReceiver(204);
  const { notifier } = createTestNotifier();
  await notifier.notify(notificationTo(receiver.url));
  const [request] = receiver.requests;
  if (!request) throw new Error('no request');
  const { headers, body } = request;
  const timestamp = String(now.getTime() / 1000 + 1);
  for (const changed of [
    { headers, body: body.replace('alice', 'mallory') },
    { headers: { ...headers, 'webhook-id': GRANT_ID.replace('a', 'b') }, body },
    { headers: { ...headers, 'webhook-timestamp': timestamp }, body },
  ])
    expect(() => verifyNotification(hookSecret(), changed)).toThrow('No matching signature');
  const later = new Date(now.getTime() + 301_000);
  expect(() => verifyNotification(hookSecret(), request, later)).toThrow('too old');
});

it.each([200, 201, 202, 204, 226, 299])('takes the status %i as a delivery', async (status) => {
  const receiver = await startReceiver(status);
  const { notifier, outcomes, warnings } = createTestNotifier();
  expect(await notifier.notify(notificationTo(receiver.url))).toBe('delivered');
  expect([outcomes, warnings]).toStrictEqual([[['own-files', 'delivered']], []]);
});

it.each([300, 301, 302, 303, 304, 307, 308, 400, 401, 404, 410, 429, 500, 503])(
  'takes the status %i as a rejection, and follows no redirect',
  async (status) => {
    const server = await startTestServer((_, response) => {
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    const { notifier, outcomes, warnings } = createTestNotifier();
    expect(await notifier.notify(notificationTo(addressOf(server)))).toBe('rejected');
    expect(server.requests).toStrictEqual(['/hooks/t0ken']);
    expect(outcomes).toStrictEqual([['own-files', 'rejected']]);
    const host = `127.0.0.1:${server.port}`;
    expect(warnings).toStrictEqual([
      { rule: 'own-files', host, reason: `${host} responded with status ${status}` },
    ]);
  },
);

describe('fails', () => {
  it('if no process listens at the address', async () => {
    const server = await startTestServer(() => {});
    await server.stop();
    const { notifier, outcomes, warnings } = createTestNotifier();
    expect(await notifier.notify(notificationTo(addressOf(server)))).toBe('failed');
    expect(outcomes).toStrictEqual([['own-files', 'failed']]);
    const host = `127.0.0.1:${server.port}`;
    expect(warnings).toStrictEqual([
      { rule: 'own-files', host, reason: `${host} refused the connection (ECONNREFUSED)` },
    ]);
    await server.restart();
  });

  it('if the connection is closed without a response', async () => {
    const server = await startTestServer((request) => server.reset(request));
    const { notifier, warnings } = createTestNotifier();
    expect(await notifier.notify(notificationTo(addressOf(server)))).toBe('failed');
    expect(warnings[0]?.reason).toMatch(/^127\.0\.0\.1:\d+ closed the connection \(\w+\)$/);
  });

  it('if the response is not HTTP', async () => {
    const server = await startTestServer((request) => void request.socket.end('the-secret-response\r\n\r\n'));
    const { notifier, warnings } = createTestNotifier();
    expect(await notifier.notify(notificationTo(addressOf(server)))).toBe('failed');
    expect(JSON.stringify(warnings)).not.toMatch(/secret|t0ken/);
  });

  it('if there is no response within the time of the rule', async () => {
    const { url, open } = await startSilentReceiver();
    const { notifier, timeouts, warnings } = createTestNotifier();
    const outcome = notifier.notify(notificationTo(url));
    await expect.poll(() => open.length, { timeout: 10_000 }).toBe(1);
    expect(timeouts.map(({ ms }) => ms)).toStrictEqual([3000]);
    timeouts[0]?.end();
    expect(await outcome).toBe('failed');
    expect(warnings[0]?.reason).toMatch(/^127\.0\.0\.1:\d+ did not respond in time$/);
  });

  it('at the deadline of the caller, if that is earlier', async () => {
    const { url, open } = await startSilentReceiver();
    const { notifier, timeouts } = createTestNotifier();
    const outcome = notifier.notify(notificationTo(url), new Date(now.getTime() + 1500));
    await expect.poll(() => open.length, { timeout: 10_000 }).toBe(1);
    expect(timeouts.map(({ ms }) => ms)).toStrictEqual([1500]);
    timeouts[0]?.end();
    expect(await outcome).toBe('failed');
  });

  it('at once if the deadline has passed', async () => {
    const receiver = await startReceiver(204);
    const { notifier, warnings } = createTestNotifier();
    expect(await notifier.notify(notificationTo(receiver.url), now)).toBe('failed');
    expect(receiver.requests).toStrictEqual([]);
    expect(warnings[0]?.reason).toBe(`no time was left for a notification to 127.0.0.1:${receiver.port}`);
  });
});

it.each([200, 500])(
  'waits for no body of a %i that never ends, and closes the connection',
  async (status) => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const server = await startTestServer((_, response) => {
      response.on('close', resolve);
      response.writeHead(status).write('a part of the body');
    });
    const { notifier } = createTestNotifier();
    expect(await notifier.notify(notificationTo(addressOf(server)))).toBe(
      status === 200 ? 'delivered' : 'rejected',
    );
    await closed;
  },
);

it('does not read a body of 100 MB', async () => {
  const TOTAL = 100_000_000;
  const chunk = Buffer.alloc(1_000_000);
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  const send = async (response: ServerResponse) => {
    response.writeHead(200, { 'content-length': TOTAL });
    let written = 0;
    const closed = once(response, 'close').then(() => true);
    while (written < TOTAL && !response.destroyed) {
      written += chunk.length;
      if (!response.write(chunk) && (await Promise.race([closed, once(response, 'drain').then(() => false)])))
        break;
    }
    resolve(written);
  };
  const server = await startTestServer((_, response) => void send(response));
  const { notifier } = createTestNotifier();
  expect(await notifier.notify(notificationTo(addressOf(server)))).toBe('delivered');
  expect(await ended).toBeLessThan(TOTAL / 2);
});

describe('while a notification about an upload is being delivered', () => {
  it('gives its outcome to others about the same upload, and sends only one', async () => {
    const { url, open, respond } = await startSilentReceiver();
    const { notifier, outcomes } = createTestNotifier();
    const all = [1, 2, 3].map(() => notifier.notify(notificationTo(url)));
    await expect.poll(() => open.length, { timeout: 10_000 }).toBe(1);
    respond();
    expect(await Promise.all(all)).toStrictEqual(Array(3).fill('delivered'));
    expect(outcomes).toStrictEqual([['own-files', 'delivered']]);
    const again = notifier.notify(notificationTo(url));
    await expect.poll(() => open.length, { timeout: 10_000 }).toBe(1);
    respond();
    expect(await again).toBe('delivered');
  });

  it('another one waits no longer than until its own deadline', async () => {
    const { url, open, respond } = await startSilentReceiver();
    const { notifier, timeouts } = createTestNotifier();
    const first = notifier.notify(notificationTo(url));
    await expect.poll(() => open.length, { timeout: 10_000 }).toBe(1);
    expect(await notifier.notify(notificationTo(url), now)).toBe('failed');
    const second = notifier.notify(notificationTo(url), new Date(now.getTime() + 700));
    expect(timeouts.map(({ ms }) => ms)).toStrictEqual([3000, 700]);
    timeouts[1]?.end();
    expect(await second).toBe('failed');
    respond();
    expect(await first).toBe('delivered');
  });

  it('sends one to another address, which a new policy names', async () => {
    const { url, open, respond } = await startSilentReceiver();
    const receiver = await startReceiver(204);
    const { notifier } = createTestNotifier();
    const first = notifier.notify(notificationTo(url));
    await expect.poll(() => open.length, { timeout: 10_000 }).toBe(1);
    expect(await notifier.notify(notificationTo(receiver.url))).toBe('delivered');
    expect(receiver.requests).toHaveLength(1);
    respond();
    expect(await first).toBe('delivered');
  });
});

it('has 32 deliveries to a receiver in progress at most, and does not hold up another receiver', async () => {
  const { url, open, respond } = await startSilentReceiver();
  const receiver = await startReceiver(204);
  const { notifier, outcomes, warnings, timeouts } = createTestNotifier();
  const about = (id: number) => notificationTo(url, { id: `upload-${id}` });
  const all = Array.from({ length: 32 }, (_, id) => notifier.notify(about(id)));
  expect(await notifier.notify(about(32))).toBe('busy');
  expect(outcomes).toStrictEqual([['own-files', 'busy']]);
  expect(warnings[0]?.reason).toMatch(/^32 notifications to 127\.0\.0\.1:\d+ are in progress$/);
  expect(await notifier.notify(notificationTo(receiver.url, { rule: 'other' }))).toBe('delivered');
  await expect.poll(() => open.length, { timeout: 10_000 }).toBe(32);
  timeouts[0]?.end();
  expect(await all[0]).toBe('failed');
  const next = notifier.notify(about(32));
  await expect.poll(() => open.length, { timeout: 10_000 }).toBe(33);
  respond();
  expect(await next).toBe('delivered');
  expect(await Promise.all(all)).toStrictEqual(['failed', ...Array(31).fill('delivered')]);
});

it('logs each reason of a rule once a minute, with nothing but the host of the address', async () => {
  const receiver = await startReceiver(500, 500, 401, 500, 500);
  const { clock, advance } = createManualClock();
  const { notifier, warnings, outcomes } = createTestNotifier({ clock });
  const notify = (rule = 'own-files') => notifier.notify(notificationTo(receiver.url, { rule }));
  for (let times = 0; times < 3; times += 1) await notify();
  await notify('other');
  advance(60_000);
  await notify();
  const host = `127.0.0.1:${receiver.port}`;
  const reason = (status: number) => `${host} responded with status ${status}`;
  expect(warnings).toStrictEqual([
    { rule: 'own-files', host, reason: reason(500) },
    { rule: 'own-files', host, reason: reason(401) },
    { rule: 'other', host, reason: reason(500) },
    { rule: 'own-files', host, reason: reason(500) },
  ]);
  expect(outcomes).toHaveLength(5);
});
