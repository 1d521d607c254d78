import type { ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { testPolicyYaml } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { type Answer, Hammer } from './hammer.ts';
import { signForNow, startServiceProcess, uploadRequest } from './service-process.ts';

const MIB = 2 ** 20;
const PHOTO = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 };

/** Leaves a process only a tenth of the time, by stopping it again and again. */
function slowDown(child: ChildProcess): () => void {
  let isSlow = true;
  void (async () => {
    while (isSlow) {
      child.kill('SIGSTOP');
      await setTimeout(1_800);
      child.kill('SIGCONT');
      await setTimeout(200);
    }
  })();
  return () => {
    isSlow = false;
  };
}

function report(name: string, answers: readonly Answer[]): void {
  for (const [status, some] of Map.groupBy(answers, (answer) => answer.status)) {
    const times = some.map(({ ms }) => ms).sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor((times.length - 1) * share)]?.toFixed(0);
    console.info(
      `${name}: ${some.length} × ${status}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
    );
  }
}

it('on a machine that is too slow refuses a part quickly, answers the rest, keeps its memory, and recovers', async () => {
  const issuer = createTestIssuer();
  const service = await startServiceProcess(issuer, testPolicyYaml());
  const hammer = new Hammer(service.url, uploadRequest(await signForNow(issuer), PHOTO), 200);
  onTestFinished(() => hammer.stop());
  const during = async (name: string, seconds: number) => {
    hammer.take();
    await setTimeout(seconds * 1000);
    const answers = hammer.take();
    report(name, answers);
    return { answers, statuses: new Set(answers.map(({ status }) => status)) };
  };
  const memory = () => service.metric('process_resident_memory_bytes');

  await during('warming up', 3);
  const before = await memory();
  const speedUp = slowDown(service.child);
  await during('slowing down', 2);
  const slow = await during('slow', 8);
  expect(slow.statuses).toStrictEqual(new Set([201, 503]));
  expect(Math.max(...slow.answers.map(({ ms }) => ms))).toBeLessThan(5_000);
  expect((await fetch(`${service.url}/livez`)).status).toBe(200);
  speedUp();
  await during('recovering', 2);
  const after = await during('recovered', 3);

  expect(after.statuses).toStrictEqual(new Set([201]));
  expect(hammer.broken).toStrictEqual([]);
  const grownMib = ((await memory()) - before) / MIB;
  console.info(`memory: ${(before / MIB).toFixed(0)} MiB before, ${grownMib.toFixed(0)} MiB more after`);
  expect(grownMib).toBeLessThan(128);
});
