import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { anUpload, describeLimiterContract, type LimiterUnderTest } from './limiter.contract.ts';

describeLimiterContract('the memory limiter', async () => createUnderTest());

it('is ready and says where it counts', () => {
  expect(createMemoryLimiter().describe()).toStrictEqual({ ok: true, detail: 'in memory' });
});

it('forgets the windows that began first, and only those, when there are too many', async () => {
  const { limiter } = createUnderTest({ maxWindows: 100 });
  const consume = (subject: number) =>
    limiter.consume(anUpload({ subject: String(subject), limits: { requestsPerMinute: 1 } }));
  for (let subject = 0; subject <= 100; subject += 1) await consume(subject);

  // One too many: a tenth of the room is made, so 0 to 10 are forgotten. Asked from the last on, which forgets none.
  const remembered = [];
  for (let subject = 100; subject >= 11; subject -= 1) remembered.push((await consume(subject))?.allowed);
  expect(remembered).toStrictEqual(Array(90).fill(false));
  expect([await consume(10), await consume(0)]).toMatchObject([{ allowed: true }, { allowed: true }]);
});

it('counts a window that began anew among the latest', async () => {
  const { limiter, passSeconds } = createUnderTest({ maxWindows: 10 });
  const consume = (subject: string) =>
    limiter.consume(anUpload({ subject, limits: { requestsPerMinute: 1 } }));
  await consume('alice');
  await passSeconds(61);
  for (let other = 0; other < 9; other += 1) await consume(`before ${other}`);
  await consume('alice');
  await consume('one too many');
  expect(await consume('alice')).toMatchObject({ allowed: false });
});

it('begins a new window by the clock, though the timer that drops the old one is late', async () => {
  const { limiter } = createUnderTest();
  const upload = anUpload({ limits: { requestsPerMinute: 1 } });
  await limiter.consume(upload);
  vi.setSystemTime(new Date('2026-11-23T10:01:00Z'));
  expect(await limiter.consume(upload)).toMatchObject({ allowed: true, resetInSeconds: 60 });
});

it('does not keep the process from ending', () => {
  const module = new URL('../../src/limits/memory-limiter.ts', import.meta.url).href;
  const script = `import { createMemoryLimiter } from ${JSON.stringify(module)};
    const limits = { requestsPerMinute: 1, bytesPerDay: 1 };
    await createMemoryLimiter().consume({ rule: '', issuer: '', subject: '', bytes: 1, limits });
    process.stdout.write('counted');`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 4000,
  });
  expect({ status, stdout }).toStrictEqual({ status: 0, stdout: 'counted' });
});

function createUnderTest(options?: Parameters<typeof createMemoryLimiter>[0]): LimiterUnderTest {
  vi.useFakeTimers({ now: new Date('2026-11-23T10:00:00Z') });
  onTestFinished(() => void vi.useRealTimers());
  return {
    limiter: createMemoryLimiter(options),
    passSeconds: async (seconds) => void vi.advanceTimersByTime(seconds * 1000),
  };
}
