import { expect, it } from 'vitest';
import { isBlockedPort } from '../../src/net/web-address.ts';

it('blocks the ports that fetch blocks', async () => {
  const rejected: string[] = [];
  const blocked: string[] = [];
  // Nothing is sent: the dispatcher rejects each request that fetch lets pass.
  const dispatcher = {
    dispatch() {
      throw new Error('not sent');
    },
  };
  for (let port = 0; port < 11_000; port += 1) {
    const url = `http://127.0.0.1:${port}/`;
    const error = (await fetch(url, { dispatcher } as unknown as RequestInit).catch(
      (e: unknown) => e,
    )) as Error;
    if (error.cause instanceof Error && error.cause.message === 'bad port') rejected.push(url);
    if (isBlockedPort(url)) blocked.push(url);
  }
  expect(blocked).toStrictEqual(rejected);
  expect(blocked.length).toBeGreaterThan(80);
});
