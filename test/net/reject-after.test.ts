import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { rejectAfter } from '../../src/net/reject-after.ts';
import { blockThread } from '../limits/fake-redis.ts';

it('settles like the action', async () => {
  expect(await rejectAfter(1_000, async () => 'done')).toBe('done');
  const failure = new Error('failed');
  await expect(rejectAfter(1_000, () => Promise.reject(failure))).rejects.toBe(failure);
  await expect(rejectAfter(1, () => new Promise(() => {}))).rejects.toMatchObject({
    code: 'ETIMEDOUT',
    message: 'no response in time',
  });
});

it('leaves time for a second exchange after the process was blocked', async () => {
  const echo = new Worker(
    `const { parentPort } = require('node:worker_threads'); parentPort.on('message', (one) => parentPort.postMessage(one));`,
    { eval: true },
  );
  onTestFinished(async () => void (await echo.terminate()));
  const ask = async () => {
    echo.postMessage('?');
    await once(echo, 'message');
  };
  await ask();
  const twoExchanges = rejectAfter(500, async () => {
    await ask();
    await ask();
    return 'done';
  });
  blockThread(600);
  expect(await twoExchanges).toBe('done');
});
