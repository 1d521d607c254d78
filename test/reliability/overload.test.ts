import type { ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { type Answer, LoadGenerator } from './load-generator.ts';
import { signForNow, startServiceProcess, uploadRequest } from './service-process.ts';

const MIB = 2 ** 20;
const STOPPED_MS = 475;
const RUNNING_MS = 25;

/** Leaves a process only a twentieth of the time, by stopping it again and again. */
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

/** Asks as a kubelet does: over a new connection each time. */
async function probe(url: string, seconds: number): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const askedAt = performance.now();
    const { status } = await fetch(`${url}/livez`, { headers: { connection: 'close' } });
    answers.push({ status, ms: performance.now() - askedAt });
    await setTimeout(100);
  }
  return answers;
}

const granted = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 201).length;
const slowest = (answers: readonly Answer[]) => Math.max(...answers.map(({ ms }) => ms));

function report(name: string, answers: readonly Answer[]): void {
  for (const [status, some] of Map.groupBy(answers, (answer) => answer.status)) {
    const times = some.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor((times.length - 1) * share)]?.toFixed(0);
    console.info(
      `${name}: ${some.length} × ${status}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
    );
  }
}

it('on a machine that is far too slow grants or refuses each request, keeps its memory, and recovers', async () => {
  const issuer = createTestIssuer();
  const service = await startServiceProcess(issuer, policyWith(), { METRICS_PORT: '0' });
  const request = uploadRequest(await signForNow(issuer), PHOTO);
  let generator = new LoadGenerator(service.url, request, 50);
  onTestFinished(() => generator.stop());
  const during = async (name: string, seconds: number) => {
    generator.take();
    await setTimeout(seconds * 1000);
    const answers = generator.take();
    report(name, answers);
    return { answers, statuses: new Set(answers.map(({ status }) => status)) };
  };
  const memory = () => service.metric('process_resident_memory_bytes');

  await during('warming up', 3);
  const { answers } = await during('at full speed', 2);
  generator.stop();
  const before = await memory();
  // More than twice what it can answer, slowed down, in the second that a request may wait.
  const perSecondSlow = (answers.length / 2) * (RUNNING_MS / (RUNNING_MS + STOPPED_MS));
  const connections = Math.ceil(2.5 * perSecondSlow);
  console.info(`${connections} connections`);
  generator = new LoadGenerator(service.url, request, connections);
  const [busy, probesOfBusy] = await Promise.all([
    during('with more connections', 5),
    probe(service.operationsUrl, 5),
  ]);
  report('probes meanwhile', probesOfBusy);
  // A neighbour on the machine may cost a turn, no more.
  expect(granted(busy.answers)).toBeGreaterThan(0.95 * busy.answers.length);
  expect(slowest(probesOfBusy)).toBeLessThan(3_000);
  const speedUp = slowDown(service.child);
  await during('slowing down', 4);
  const [slow, probes] = await Promise.all([during('slow', 12), probe(service.operationsUrl, 12)]);
  report('probes meanwhile', probes);
  expect(slow.statuses).toContain(201);
  expect([...slow.statuses].filter((status) => status !== 201 && status !== 503)).toStrictEqual([]);
  expect(slowest(slow.answers)).toBeLessThan(10_000);
  expect(granted(slow.answers)).toBeGreaterThan(perSecondSlow / 2);
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
  // What a request takes while it waits, and the step by which V8 enlarges its space.
  expect(grownMib).toBeLessThan(64 + connections / 8);
});
