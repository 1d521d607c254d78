import { expect, it } from 'vitest';
import type { PutGrant } from '../../src/grants/upload/response.ts';
import { createDenialLimiter } from '../../src/limits/denial-limiter.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { createTestApp } from '../support/test-app.ts';
import { BUCKET, REGION, startTestEmulator } from '../support/test-emulator.ts';

// Batches that are made to break the service, and a granted batch in the hands of a client.

const MAX_BODY_BYTES = 1_048_576;

type Item = { readonly status: number; readonly code?: string };

async function setUp(limits: object = {}, target: object = {}) {
  const { app, issuer, log } = await createTestApp({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, ...target } },
      rules: [ownFilesRule({ limits, transfers: ['put', 'form'] })],
    }),
    denials: createDenialLimiter({ nowMs: () => 0, denialsPerMinute: 100_000 }),
  });
  const headers = { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' };
  const post = (url: string, payload: string) => app.inject({ method: 'POST', url, headers, payload });
  return {
    log,
    upload: async () => (await post('/v1/uploads', JSON.stringify(PHOTO))).statusCode,
    async batch<Response extends Item = Item>(body: string) {
      const response = await post('/v1/uploads/batch', body);
      const { items = [], code } = response.json() as { items?: readonly Response[]; code?: string };
      return { status: response.statusCode, code, items, text: response.payload };
    },
  };
}

const GOOD = JSON.stringify(PHOTO);
const MEMBERS = GOOD.slice(1, -1);
const nested = (start: string, end: string, depth: number) => start.repeat(depth) + end.repeat(depth);

it.each([
  ['null', 'null'],
  ['a list', `[${GOOD}]`],
  ['lists, deeply nested', nested('[', ']', 20_000)],
  ['objects, deeply nested', nested('{"a":', '}', 4000).replace(':}', ':1}')],
  ['a batch', `{"items":[${GOOD}]}`],
  ['a field with deep lists', `{${MEMBERS},"metadata":${nested('[', ']', 20_000)}}`],
  [
    'metadata with deep objects',
    `{${MEMBERS},"metadata":{"album":${'{"a":'.repeat(4000)}1${'}'.repeat(4000)}}}`,
  ],
  ['a text in place of an object', JSON.stringify(GOOD)],
  ['an infinite length', `{${MEMBERS.replace('"contentLength":', '"contentLength":1e400,"x":')}}`],
  ['a negative zero length with an exponent', `{${MEMBERS},"contentLength":-1e308}`],
  ['a lone surrogate', `{${MEMBERS},"key":"users/alice/\\ud800"}`],
  ['a zero character', `{${MEMBERS},"key":"users/alice/a\\u0000b"}`],
  ['the names of methods', `{${MEMBERS},"toString":1,"hasOwnProperty":1,"valueOf":1}`],
  ['a status', `{${MEMBERS},"status":201,"url":"https://evil.test/","id":"x"}`],
  ['the index of another item', `{${MEMBERS},"item":0}`],
  ['metadata named as a prototype', `{${MEMBERS},"metadata":{"\\u005f_proto__ ":"x"}}`],
  ['500,000 characters', `{${MEMBERS},"key":"${'x'.repeat(500_000)}"}`],
])('an item that is %s is rejected, and its neighbors are granted', async (_name, hostile) => {
  const { batch, log } = await setUp();
  const { status, items } = await batch(`{"items":[${GOOD},${hostile},${GOOD}]}`);
  expect(status).toBe(200);
  expect(items.map((item) => item.status)).toStrictEqual([201, expect.toSatisfy(isRejection), 201]);
  expect(log.filter((line) => line.includes('"level":"error"'))).toStrictEqual([]);
});

const isRejection = (status: number) => status === 400 || status === 403;

it.each([
  ['an own prototype', `{${MEMBERS},"__proto__":{"key":"users/bob/a.png"}}`],
  ['an escaped prototype', `{${MEMBERS},"\\u005f_proto__":{"key":"users/bob/a.png"}}`],
  ['a prototype in metadata', `{${MEMBERS},"metadata":{"__proto__":"x"}}`],
  ['a prototype of a constructor', `{${MEMBERS},"constructor":{"prototype":{"key":"users/bob/a.png"}}}`],
])('a batch with %s grants nothing and changes no object', async (_name, hostile) => {
  const { batch } = await setUp();
  const { status, code, items } = await batch(`{"items":[${GOOD},${hostile}]}`);
  expect([status, code, items]).toStrictEqual([400, 'invalid_request', []]);
  expect(Object.hasOwn(Object.prototype, 'key')).toBe(false);
  expect((await batch(`{"items":[${GOOD}]}`)).items).toMatchObject([{ status: 201 }]);
});

it('a body of exactly 1 MiB is read, and one more byte is not', async () => {
  const { batch } = await setUp();
  const filled = (bytes: number) => {
    const start = `{"items":[${GOOD},{"key":"`;
    return `${start}${'x'.repeat(bytes - start.length - '"}]}'.length)}"}]}`;
  };
  const { status, items } = await batch(filled(MAX_BODY_BYTES));
  expect([status, items.map((item) => item.status)]).toStrictEqual([200, [201, 400]]);
  expect(await batch(filled(MAX_BODY_BYTES + 1))).toMatchObject({ status: 413, code: 'body_too_large' });
});

it('the response to the worst items stays small, whatever they contain', async () => {
  const { batch } = await setUp();
  const members = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, 1]));
  const long = '😀'.repeat(400);
  const worst = {
    ...members(80),
    key: long,
    filename: long,
    contentType: long,
    target: long,
    contentLength: long,
  };
  const { status, items, text } = await batch(JSON.stringify({ items: Array(100).fill(worst) }));
  expect([status, new Set(items.map((item) => item.status))]).toStrictEqual([200, new Set([400])]);
  expect(Buffer.byteLength(text)).toBeLessThan(2 * MAX_BODY_BYTES);
  expect(text).not.toContain('😀'.repeat(257));
});

it('a list that is not valid uses up no limit, and repeated keys count each time', async () => {
  const { batch, upload } = await setUp({ requestsPerMinute: 10 });
  const list = (count: number) => `[${Array(count).fill(GOOD).join()}]`;
  for (const body of [
    `{"items":${list(101)}}`,
    `{"items":${list(3)},"more":1}`,
    `{"items":[]}`,
    `{"items":${list(3)}`,
    `{"items":${list(3)}}}`,
  ])
    expect((await batch(body)).status, body.slice(-20)).toBe(400);
  // Of a member that is written twice, JSON has the last one.
  expect((await batch(`{"items":${list(100)},"items":${list(4)}}`)).items).toHaveLength(4);
  const { items } = await batch(`{"items":${list(100)}}`);
  expect(items.map((item) => item.status)).toStrictEqual([...Array(6).fill(201), ...Array(94).fill(429)]);
  expect(await upload()).toBe(429);
});

it('each URL of a batch uploads only its own object, with its own headers and length', async () => {
  const emulator = await startTestEmulator();
  const { batch } = await setUp({}, { endpoint: emulator.url });
  const uploads = [
    { key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 },
    { key: 'users/alice/b.txt', contentType: 'text/plain', contentLength: 22 },
    { key: 'users/alice/c.png', contentType: 'image/png', contentLength: 333, metadata: { album: '1' } },
  ];
  const { items } = await batch<PutGrant & Item>(JSON.stringify({ items: uploads }));
  expect(items.map(({ status, key }) => [status, key])).toStrictEqual(uploads.map(({ key }) => [201, key]));
  const send = async (address: PutGrant, others: PutGrant) => {
    const body = 'x'.repeat(others.contentLength ?? 0);
    return (await fetch(address.url, { method: 'PUT', headers: others.headers, body })).status;
  };
  for (const [of, address] of items.entries())
    for (const [other, others] of items.entries())
      if (of !== other) expect(await send(address, others), `${of} with ${other}`).toBe(403);
  const [first, second] = items;
  if (!first || !second) throw new Error('the items are granted');
  const swapped = new URL(first.url);
  swapped.pathname = new URL(second.url).pathname;
  expect(await send({ ...first, url: swapped.href }, first)).toBe(403);
  expect(emulator.files()).toStrictEqual([]);
  for (const item of items) expect(await send(item, item)).toBe(200);
});
