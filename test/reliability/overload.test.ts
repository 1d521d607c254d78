import type { ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { signForNow, startServiceProcess, uploadRequest } from '../support/service-process.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { LoadGenerator, type TimedResponse } from './load-generator.ts';

const MIB = 2 ** 20;
const STOPPED_MS = 475;
const RUNNING_MS = 25;

/** Stops a process again and again, so that it runs for a twentieth of the time. */
function slowDown(child: ChildProcess): () => void {
  let isSlow = true;
  void (async () => {
    while (isSlow) {
      child.kill('SIGSTOP');
      await setTimeout(STOPPED_MS);
      child.kill('SIGCONT');
      await setTimeout(RUNNING_MS);
    }
  })();
  return () => {
    isSlow = false;
  };
}

/** Sends probes like a kubelet: each over a new connection. */
async function probe(url: string, seconds: number): Promise<readonly TimedResponse[]> {
  const responses: TimedResponse[] = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const sentAt = performance.now();
    const { status } = await fetch(`${url}/livez`, { headers: { connection: 'close' } });
    responses.push({ status, ms: performance.now() - sentAt });
    await setTimeout(100);
  }
  return responses;
}

const granted = (responses: readonly TimedResponse[]) =>
  responses.filter(({ status }) => status === 201).length;
const slowest = (responses: readonly TimedResponse[]) => Math.max(...responses.map(({ ms }) => ms));

function report(name: string, responses: readonly TimedResponse[]): void {
  for (const [status, some] of Map.groupBy(responses, (response) => response.status)) {
    const times = some.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor((times.length - 1) * share)]?.toFixed(0);
    console.info(
      `${name}: ${some.length} × ${status}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
    );
  }
}

it('on a machine that is far too slow, grants or rejects each request, stays within its memory, and recovers', async () => {
  const issuer = createTestIssuer();
  const service = await startServiceProcess(issuer, policyWith(), { METRICS_PORT: '0' });
  const request = uploadRequest(await signForNow(issuer), PHOTO);
  let generator = new LoadGenerator(service.url, request, 50);
  onTestFinished(() => generator.stop());
  const during = async (name: string, seconds: number) => {
    generator.take();
    await setTimeout(seconds * 1000);
    const responses = generator.take();
    report(name, responses);
    return { responses, statuses: new Set(responses.map(({ status }) => status)) };
  };
  const memory = () => service.metric('process_resident_memory_bytes');

  await during('warming up', 3);
  const { responses } = await during('at full speed', 2);
  generator.stop();
  const before = await memory();
  // A request may wait for a second. This is more than twice what the slow process serves in that time.
  const perSecondSlow = (responses.length / 2) * (RUNNING_MS / (RUNNING_MS + STOPPED_MS));
  const connections = Math.ceil(2.5 * perSecondSlow);
  console.info(`${connections} connections`);
  generator = new LoadGenerator(service.url, request, connections);
  const [busy, probesOfBusy] = await Promise.all([
    during('with more connections', 5),
    probe(service.operationsUrl, 5),
  ]);
  report('probes at the same time', probesOfBusy);
  // Other processes on the machine may delay one request group.
  expect(granted(busy.responses)).toBeGreaterThan(0.95 * busy.responses.length);
  expect(slowest(probesOfBusy)).toBeLessThan(3_000);
  const speedUp = slowDown(service.child);
  await during('slowing down', 4);
  const [slow, probes] = await Promise.all([during('slow', 12), probe(service.operationsUrl, 12)]);
  report('probes at the same time', probes);
  expect(slow.statuses).toContain(201);
  expect([...slow.statuses].filter((status) => status !== 201 && status !== 503)).toStrictEqual([]);
  expect(slowest(slow.responses)).toBeLessThan(10_000);
  expect(granted(slow.responses)).toBeGreaterThan(perSecondSlow / 2);
  expect(new Set(probes.map(({ status }) => status))).toStrictEqual(new Set([200]));
  speedUp();
  expect(generator.broken).toStrictEqual([]);
  generator.stop();
  generator = new LoadGenerator(service.url, request, 50);
  await during('recovering', 5);
  const after = await during('recovered', 3);

  expect(after.statuses).toStrictEqual(new Set([201]));
  expect(generator.broken).toStrictEqual([]);
  generator.stop();
  const grownMib = ((await memory()) - before) / MIB;
  console.info(`memory: ${(before / MIB).toFixed(0)} MiB before, ${grownMib.toFixed(0)} MiB more after`);
  // Waiting requests use memory, and V8 grows its heap in steps.
  expect(grownMib).toBeLessThan(64 + connections / 8);
});
