import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { signForNow, startServiceProcess, uploadRequest } from '../support/service-process.ts';
import { createTestIssuer } from '../support/tokens.ts';

/** Sends a byte per second until the server closes the connection. */
async function dribble(
  url: string,
  request: string,
): Promise<{ readonly sent: number; readonly response: string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const response = text(socket).catch(() => '');
  await once(socket, 'connect');
  let sent = 0;
  const timer = setInterval(() => socket.write(request[sent++] ?? ' '), 1_000);
  await once(socket, 'close');
  clearInterval(timer);
  return { sent, response: await response };
}

it('closes 500 connections whose headers arrive byte by byte, and serves all other clients in the meantime', async () => {
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
    const response = await fetch(`${service.url}/v1/policy`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    times.push(performance.now() - startedAt);
  }
  const ended = await cut;
  const mostBytes = Math.max(...ended.map(({ sent }) => sent));
  console.info(
    `closed after ${mostBytes} bytes at most; ${times.length} other requests, slowest ${Math.max(...times).toFixed(0)} ms`,
  );
  // A byte per second: the service waits 10 s for the headers, and looks for slow clients every 2 s.
  expect(mostBytes).toBeLessThanOrEqual(15);
  expect(new Set(ended.map(({ response }) => response.slice(0, 12)))).toStrictEqual(
    new Set(['HTTP/1.1 408']),
  );
  // One request after the other: if one had waited for the slow clients, there would be a handful.
  expect(times.length).toBeGreaterThan(100);
});
