import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { mediaTarget, ownFilesRule, policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { signForNow, startServiceProcess, uploadRequest } from '../support/service-process.ts';
import { startTestServer } from '../support/test-server.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { LoadGenerator } from './load-generator.ts';

const MIB = 2 ** 20;
/** The calls to OSS that a replica makes at a time. */
const MAX_CALLS = 64;
const CONFIRMATIONS = 500;
/** Longer than it takes to send them all, and shorter than the 5 s of a call. */
const SLOW_MS = 3_000;

/** A service process, an upload that it granted, and the bucket, which has the object. */
async function startConfirmations() {
  let delayMs = 0;
  let open = 0;
  let peak = 0;
  let stored: Readonly<Record<string, string>> = {};
  const bucket = await startTestServer((_request, response: ServerResponse) => {
    open += 1;
    peak = Math.max(peak, open);
    response.once('close', () => {
      open -= 1;
    });
    void setTimeout(delayMs).then(() => response.writeHead(200, stored).end());
  });
  const issuer = createTestIssuer();
  const service = await startServiceProcess(
    issuer,
    policyWith({
      targets: { media: mediaTarget({ serviceEndpoint: bucket.origin }) },
      rules: [ownFilesRule({ limits: { requestsPerMinute: 1_000_000 } })],
    }),
    { METRICS_PORT: '0' },
  );
  const token = await signForNow(issuer);
  const post = async (path: string, body: object, signal?: AbortSignal) => {
    const response = await fetch(`${service.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const { body } = await post('/v1/uploads', PHOTO);
  const { id, headers } = body as { id: string; headers: Record<string, string> };
  stored = {
    'content-length': String(PHOTO.contentLength),
    'content-type': PHOTO.contentType,
    etag: '"5D41402ABC4B2A76B9719D911017C592"',
    'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
    'x-oss-object-type': 'Normal',
    'x-oss-request-id': '51524FBF3C5D68394A371BEC',
    ...Object.fromEntries(
      Object.entries(headers).filter(([name]) => /^(x-oss-meta-|cache-|content-d)/i.test(name)),
    ),
  };
  return {
    service,
    post,
    request: uploadRequest(token, { id }, '/v1/uploads/complete'),
    grant: () => post('/v1/uploads', PHOTO),
    confirm: (signal?: AbortSignal) => post('/v1/uploads/complete', { id }, signal),
    slowDown: (ms: number) => {
      delayMs = ms;
    },
    openCalls: () => open,
    peakOfCalls: () => peak,
  };
}

it('confirmations beyond 64 at a time are rejected at once while OSS is slow, and uploads are not affected', async () => {
  const { service, grant, confirm, slowDown, openCalls, peakOfCalls } = await startConfirmations();
  expect((await confirm()).status).toBe(200);
  const memory = () => service.metric('process_resident_memory_bytes');
  const before = await memory();
  slowDown(SLOW_MS);
  const grantTimes: number[] = [];
  for (let wave = 0; wave < 3; wave += 1) {
    const confirmed = Promise.all(Array.from({ length: CONFIRMATIONS }, () => confirm()));
    await vi.waitFor(() => expect(openCalls()).toBe(MAX_CALLS), { timeout: 10_000, interval: 10 });
    while (openCalls() === MAX_CALLS) {
      const sentAt = performance.now();
      expect((await grant()).status).toBe(201);
      grantTimes.push(performance.now() - sentAt);
    }
    const responses = await confirmed;
    const stored = responses.filter(({ status }) => status === 200);
    const rejected = responses.filter(({ status }) => status === 503);
    expect(stored.length + rejected.length).toBe(CONFIRMATIONS);
    // A machine that is busy may send the last ones after the first calls have ended.
    expect(stored.length).toBeGreaterThanOrEqual(MAX_CALLS);
    expect(rejected.length).toBeGreaterThan(CONFIRMATIONS / 2);
    for (const { headers, body } of rejected) {
      expect(headers.get('retry-after')).toMatch(/^[1-9]$/);
      expect(body).toMatchObject({ code: 'unavailable' });
    }
  }
  expect(peakOfCalls()).toBe(MAX_CALLS);
  grantTimes.sort((a, b) => a - b);
  const p99 = grantTimes[Math.floor(0.99 * (grantTimes.length - 1))] ?? Number.NaN;
  const grownMib = ((await memory()) - before) / MIB;
  console.info(
    `3 × ${CONFIRMATIONS} confirmations: ${grantTimes.length} grants meanwhile, p99 ${p99.toFixed(0)} ms; memory grew by ${grownMib.toFixed(0)} MiB`,
  );
  expect(p99).toBeLessThan(500);
  expect(grownMib).toBeLessThan(96);

  slowDown(0);
  const after = await Promise.all(Array.from({ length: MAX_CALLS }, () => confirm()));
  expect(after.map(({ status }) => status)).toStrictEqual(after.map(() => 200));
});

it('clients that disconnect during a confirmation leave no call behind', async () => {
  const { service, confirm, slowDown, openCalls } = await startConfirmations();
  slowDown(SLOW_MS);
  const aborted = new AbortController();
  const confirmed = Promise.allSettled(Array.from({ length: MAX_CALLS }, () => confirm(aborted.signal)));
  await vi.waitFor(() => expect(openCalls()).toBe(MAX_CALLS), { timeout: 10_000, interval: 10 });
  aborted.abort();
  expect((await confirmed).map(({ status }) => status)).toStrictEqual(
    Array.from({ length: MAX_CALLS }, () => 'rejected'),
  );
  // The calls end as usual. A client that confirms again gets a receipt.
  await vi.waitFor(
    async () => expect(await service.metric('oss_presign_storage_calls_in_progress')).toBe(0),
    { timeout: 10_000, interval: 100 },
  );
  slowDown(0);
  expect((await confirm()).status).toBe(200);
  service.child.kill('SIGTERM');
  const [code] = await new Promise<[number | null]>((resolve) =>
    service.child.once('exit', (exitCode) => resolve([exitCode])),
  );
  expect(code).toBe(0);
});

it('a confirmation takes less than 5 ms of CPU time', async () => {
  const { service, request } = await startConfirmations();
  const generator = new LoadGenerator(service.url, request, 32);
  onTestFinished(() => generator.stop());
  await setTimeout(3_000);
  generator.take();
  const before = await service.metric('process_cpu_seconds_total');
  await setTimeout(5_000);
  const responses = generator.take();
  const cpuSeconds = (await service.metric('process_cpu_seconds_total')) - before;
  generator.stop();
  expect(new Set(responses.map(({ status }) => status))).toStrictEqual(new Set([200]));
  const microseconds = (cpuSeconds / responses.length) * 1e6;
  console.info(
    `CPU of a confirmation: ${microseconds.toFixed(0)} µs (${responses.length} in 5 s), so at most ${(1e6 / microseconds).toFixed(0)} per second and core`,
  );
  expect(microseconds).toBeLessThan(5_000);
});
