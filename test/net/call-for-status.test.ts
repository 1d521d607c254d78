import { expect, it } from 'vitest';
import { callForStatus } from '../../src/net/http-call.ts';
import { startTestServer } from '../support/test-server.ts';

const signal = new AbortController().signal;

it.each([200, 302, 404, 500])('returns the status %i without waiting for the body', async (status) => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const server = await startTestServer((_, response) => {
    response.on('close', resolve);
    response.writeHead(status, { location: '/elsewhere' }).write('the body goes on');
  });
  expect(await callForStatus(`${server.origin}/a`, { fetch, signal })).toBe(status);
  await closed;
  expect(server.requests).toStrictEqual(['/a']);
});

it('fails as a call with a body does', async () => {
  const server = await startTestServer((request) => server.reset(request));
  await expect(callForStatus(`${server.origin}/t0ken`, { fetch, signal })).rejects.toThrow(
    /^127\.0\.0\.1:\d+ closed the connection \(\w+\)$/,
  );
  await expect(
    callForStatus(`${server.origin}/t0ken`, { fetch, signal: AbortSignal.abort() }),
  ).rejects.toThrow(/^127\.0\.0\.1:\d+ did not respond in time$/);
});
