import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { signForNow, startServiceProcess, uploadRequest } from './service-process.ts';

/** Sends one byte after the other, a second apart, until it is cut off. */
async function dribble(
  url: string,
  request: string,
): Promise<{ readonly seconds: number; readonly answer: string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const startedAt = performance.now();
  const answered = text(socket).catch(() => '');
  await once(socket, 'connect');
  let sent = 0;
  const timer = setInterval(() => socket.write(request[sent++] ?? ' '), 1_000);
  await once(socket, 'close');
  clearInterval(timer);
  return { seconds: (performance.now() - startedAt) / 1000, answer: await answered };
}

it('cuts off 500 clients that dribble their headers, and answers everybody else meanwhile', async () => {
  const issuer = createTestIssuer();
  const service = await startServiceProcess(issuer, policyWith());
  const token = await signForNow(issuer);
  const request = uploadRequest(token, PHOTO);
  const slow = Array.from({ length: 500 }, () => dribble(service.url, request));
  let isCut = false;
  const cut = Promise.all(slow).finally(() => {
    isCut = true;
  });

  const times: number[] = [];
  while (!isCut) {
    const startedAt = performance.now();
    const answer = await fetch(`${service.url}/v1/policy`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
    times.push(performance.now() - startedAt);
  }
  const ended = await cut;
  const longest = Math.max(...ended.map(({ seconds }) => seconds));
  console.info(
    `cut off after ${longest.toFixed(1)} s at most; ${times.length} others, slowest ${Math.max(...times).toFixed(0)} ms`,
  );
  expect(longest).toBeLessThan(15);
  expect(new Set(ended.map(({ answer }) => answer.slice(0, 12)))).toStrictEqual(new Set(['HTTP/1.1 408']));
  expect(Math.max(...times)).toBeLessThan(2_000);
});
