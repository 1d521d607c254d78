import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createCallbackKeys } from '../../../../src/storage/oss/callbacks/callback-keys.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

const PEMS = [
  'MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALv6KrHTI3B357EKQssmRqnmdGEEbUwT\n/yqab3wldIg1kls6uIR+rKxTCuhvLESTIvKN0vE9SMrrizrdYyl5sT8CAwEAAQ==',
].map((key) => `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n`);
const [PEM = ''] = PEMS;
const HOST = 'https://gosspublic.alicdn.com';
const URL_OF_OSS = `${HOST}/callback_pub_key_v1.pem`;
const HOUR = 3_600_000;

/** A cache whose network and time the test controls. `respond` responds to each fetch. */
function setUp(respond: (url: string) => Response | Promise<Response> = () => new Response(PEM)) {
  const { clock, advance } = createManualClock();
  const state = { respond };
  const fetched: string[] = [];
  const timers: { readonly at: number; readonly controller: AbortController }[] = [];
  const find = createCallbackKeys({
    fetch: async (url, init) => {
      fetched.push(String(url));
      const aborted = new Promise<never>((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
      return Promise.race([state.respond(String(url)), aborted]);
    },
    clock,
    timeout: (ms) => {
      const controller = new AbortController();
      timers.push({ at: clock().getTime() + ms, controller });
      return controller.signal;
    },
  });
  return {
    state,
    fetched,
    /** Moves the clock, and fires the timers that are due. */
    async pass(ms: number) {
      advance(ms);
      for (const { at, controller } of timers) if (at <= clock().getTime()) controller.abort();
      await setImmediate();
    },
    find: (url = URL_OF_OSS, withinMs = 4000) => find(url, new Date(clock().getTime() + withinMs)),
  };
}

const hang = () => new Promise<never>(() => undefined);
const down = () => Promise.reject(new TypeError('fetch failed'));

it('fetches a key once for calls at the same time, and keeps it for an hour', async () => {
  const { find, fetched, pass } = setUp();
  const keys = await Promise.all([find(), find(), find()]);
  expect(new Set(keys).size).toBe(1);
  await pass(HOUR - 1);
  await find();
  expect(fetched).toStrictEqual([URL_OF_OSS]);
  await pass(1);
  await find();
  expect(fetched).toHaveLength(2);
});

it('uses the old key while the new one is fetched, and while that fails', async () => {
  const { state, find, fetched, pass } = setUp();
  const first = await find();
  await pass(HOUR);
  state.respond = hang;
  expect(await Promise.all([find(), find()])).toStrictEqual([first, first]);
  expect(fetched).toHaveLength(2);
  await pass(3000);
  expect(await find()).toBe(first);
  expect(fetched).toHaveLength(2);
  state.respond = () => new Response('unusable');
  await pass(30_000);
  expect(await find()).toBe(first);
  await setImmediate();
  expect(fetched).toHaveLength(3);
  state.respond = () => new Response(PEM);
  await pass(30_000);
  await find();
  await expect.poll(() => find()).not.toBe(first);
  expect(fetched).toHaveLength(4);
});

it('fetches nothing for 30 s after a failure, and then again', async () => {
  const { state, find, fetched, pass } = setUp(down);
  await expect(find()).rejects.toThrow('no response from gosspublic.alicdn.com');
  state.respond = () => new Response(PEM);
  await pass(29_999);
  await expect(find()).rejects.toThrow('no response from gosspublic.alicdn.com');
  expect(fetched).toHaveLength(1);
  await pass(1);
  await find();
  expect(fetched).toHaveLength(2);
});

it.each<[string, () => Response, RegExp]>([
  ['a status', () => new Response('no', { status: 404 }), /responded with status 404/],
  ['a redirect', () => Response.redirect('https://attacker.example/', 302), /responded with status 302/],
  ['a large body', () => new Response('a'.repeat(20_000)), /is longer than 16384 bytes/],
  ['no PEM', () => new Response('<html>secret'), /^the key of gosspublic.alicdn.com is not PEM/],
  ['bytes that are no text', () => new Response(Buffer.alloc(99, 0xff)), /is not PEM/],
])('reports %s without the address or the response', async (_title, respond, message) => {
  const { find } = setUp(respond);
  const error = await find(`${HOST}/some/path.pem`).catch((thrown) => thrown);
  expect(error.message).toMatch(message);
  expect(error.message).not.toMatch(/path\.pem|secret|attacker/);
});

it('waits for a key until the deadline, and ends a fetch after 3 s', async () => {
  const { find, fetched, pass } = setUp(hang);
  const short = find(URL_OF_OSS, 1000).catch(String);
  const long = find(URL_OF_OSS, 4000).catch(String);
  await pass(1000);
  expect(await short).toMatch(/was not there in time/);
  await pass(2000);
  expect(await long).toMatch(/gosspublic.alicdn.com did not respond in time/);
  expect(fetched).toHaveLength(1);
});

it('does not wait after the deadline, and its fetch still serves others', async () => {
  let respond = (_response: Response): void => undefined;
  const { find, pass } = setUp(() => new Promise((resolve) => (respond = resolve)));
  await expect(find(URL_OF_OSS, 0)).rejects.toThrow('was not there in time');
  const other = find();
  respond(new Response(PEM));
  expect((await other).asymmetricKeyType).toBe('rsa');
  await pass(0);
});

it('keeps the key of OSS whatever addresses are invented, and fetches few of them', async () => {
  const { state, find, fetched, pass } = setUp();
  await find();
  state.respond = down;
  for (let index = 0; index < 20; index += 1) await expect(find(`${HOST}/${index}.pem`)).rejects.toThrow();
  expect(fetched).toHaveLength(5);
  await expect(find(`${HOST}/99.pem`)).rejects.toThrow('too many keys of gosspublic.alicdn.com');
  await pass(30_000);
  for (let index = 0; index < 20; index += 1)
    await expect(find(`${HOST}/again-${index}.pem`)).rejects.toThrow();
  expect(fetched).toHaveLength(9);
  await find();
  expect(fetched).toHaveLength(9);
});

it.each([
  ['have no key', down],
  ['have a key', () => new Response(PEM)],
])('fetches the key of OSS after invented addresses that %s', async (_name, respond) => {
  const { state, find, fetched } = setUp(respond);
  for (let index = 0; index < 20; index += 1)
    await find(`${HOST}/callback_pub_key_v${index + 2}.pem`).catch(() => undefined);
  state.respond = () => new Response(PEM);
  await find();
  expect(fetched.at(-1)).toBe(URL_OF_OSS);
});

it('drops a key that was not used for an hour for a new address, but none that was', async () => {
  const { find, fetched, pass } = setUp();
  for (const name of ['a', 'b', 'c', 'd']) await find(`${HOST}/${name}`);
  await expect(find(`${HOST}/e`)).rejects.toThrow('too many keys');
  await pass(HOUR / 2);
  for (const name of ['a', 'b', 'd']) await find(`${HOST}/${name}`);
  await pass(HOUR / 2);
  await find(`${HOST}/e`);
  await find(`${HOST}/a`);
  expect(fetched.slice(4)).toStrictEqual([`${HOST}/e`, `${HOST}/a`]);
  await expect(find(`${HOST}/c`)).rejects.toThrow('too many keys');
});
