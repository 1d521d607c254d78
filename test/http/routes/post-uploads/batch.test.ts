import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LimitedUpload } from '../../../../src/grants/ports/limiter.ts';
import { createDenialLimiter } from '../../../../src/limits/denial-limiter.ts';
import { createMemoryLimiter } from '../../../../src/limits/memory-limiter.ts';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { propertyRuns } from '../../../support/property-runs.ts';
import { PHOTO } from '../../../support/requests.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';
import { createTestApp } from '../../../support/test-app.ts';

type Item = { readonly status: number; readonly [member: string]: unknown };

async function batchApp({
  rule = {},
  ...overrides
}: Parameters<typeof createTestApp>[0] & { readonly rule?: Parameters<typeof ownFilesRule>[0] } = {}) {
  const policyYaml = policyWith({
    rules: [ownFilesRule({ transfers: ['put', 'form', 'multipart'], ...rule })],
  });
  const events: string[] = [];
  const testApp = await createTestApp({
    policyYaml,
    observer: {
      responded: () => {},
      decided: ({ outcome }) => events.push(outcome),
      completed: () => {},
      decidedKeys: () => {},
      rejected: (code) => events.push(code),
    },
    ...overrides,
  });
  const authorization = `Bearer ${await testApp.issuer.sign()}`;
  const send = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    testApp.app.inject({
      method: 'POST',
      url: path,
      headers: { authorization, 'content-type': 'application/json', ...headers },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    ...testApp,
    events,
    send,
    batch: async (body: unknown, headers?: Readonly<Record<string, string>>) => {
      const response = await send('/v1/uploads/batch', body, headers);
      const json = response.json() as { items: Item[] } & Record<string, unknown>;
      return { status: response.statusCode, headers: response.headers, body: json, items: json.items };
    },
    audits: () => testApp.log.map((line) => JSON.parse(line)).filter(({ audit }) => audit),
  };
}

const photos = (count: number, others: object = {}) => ({
  items: Array.from({ length: count }, (_, index) => ({
    ...PHOTO,
    key: `users/alice/${index}.png`,
    contentLength: 1,
    ...others,
  })),
});
const statusesOf = (items: readonly Item[]) => items.map(({ status }) => status);

describe('a batch', () => {
  it('has an item for each upload, in order', async () => {
    const { batch, audits, events, log } = await batchApp();
    const { status, headers, items } = await batch({
      items: [
        PHOTO,
        { ...PHOTO, key: 'users/bob/a.png' },
        { ...PHOTO, transfer: 'form' },
        { key: 1, size: 2 },
        { filename: 'a.png', contentType: 'image/png', contentLength: 1 },
      ],
    });
    expect([status, headers['cache-control'], headers['content-type']]).toStrictEqual([
      200,
      'no-store',
      'application/json; charset=utf-8',
    ]);
    expect(items).toMatchObject([
      { status: 201, transfer: 'put', key: PHOTO.key },
      { status: 403, code: 'policy_denied', requestId: 'request-1', errors: [{ pointer: '/items/1/key' }] },
      { status: 201, transfer: 'form' },
      {
        status: 400,
        code: 'invalid_request',
        errors: [
          { pointer: '/items/3/key', code: 'invalid_type' },
          { pointer: '/items/3/contentType', code: 'required' },
          {
            pointer: '/items/3/size',
            code: 'unknown_field',
            detail: expect.stringContaining('contentLength'),
          },
        ],
      },
      { status: 201, transfer: 'put' },
    ]);
    expect(audits().map(({ status: ofLine, msg, audit }) => [audit.item, ofLine, msg])).toStrictEqual([
      [0, 201, 'upload granted'],
      [1, 403, 'upload denied'],
      [2, 201, 'upload granted'],
      [3, 400, 'upload invalid'],
      [4, 201, 'upload granted'],
    ]);
    expect(audits()[3]).toMatchObject({
      code: 'invalid_request',
      audit: { outcome: 'invalid', reasons: ['invalid_type', 'required', 'unknown_field'], subject: 'alice' },
    });
    expect(events).toStrictEqual(['granted', 'denied', 'granted', 'invalid_request', 'granted']);
    expect(log.join('')).not.toContain('x-oss-signature');
  });

  it.each<[string, unknown, readonly object[] | undefined]>([
    ['no items', {}, [{ pointer: '/items', code: 'required' }]],
    ['null', { items: null }, [{ pointer: '/items', code: 'invalid_type' }]],
    ['an object', { items: { 0: PHOTO } }, [{ pointer: '/items', code: 'invalid_type' }]],
    ['an empty list', { items: [] }, [{ pointer: '/items', code: 'invalid_value' }]],
    ['101 items', photos(101), [{ pointer: '/items', code: 'invalid_value' }]],
    [
      'another field',
      { ...photos(1), uploads: [] },
      [{ pointer: '/uploads', code: 'unknown_field', detail: expect.stringContaining('"items"') }],
    ],
    ['a list', [PHOTO], undefined],
    ['a number', 1, undefined],
    ['a prototype', '{"items":[{"__proto__":{"key":"a"}}]}', undefined],
    ['a prototype outside', '{"__proto__":1,"items":[{}]}', undefined],
  ])('with a wrong shape is rejected as a whole: %s', async (_name, body, errors) => {
    const { batch, events } = await batchApp();
    const response = await batch(body);
    expect([response.status, response.body.code]).toStrictEqual([400, 'invalid_request']);
    if (errors) expect(response.body.errors).toMatchObject(errors);
    expect(events).toStrictEqual(['invalid_request']);
  });

  it.each([null, 1, 'a', true, [], [[PHOTO]]])('with the item %j rejects this item only', async (item) => {
    const { batch } = await batchApp();
    const { items } = await batch({ items: [PHOTO, item] });
    expect(items).toMatchObject([
      { status: 201 },
      { status: 400, errors: [{ pointer: '/items/1', code: 'invalid_type' }] },
    ]);
  });

  it('does not begin multipart uploads', async () => {
    const { batch } = await batchApp();
    const { items } = await batch({ items: [{ ...PHOTO, transfer: 'multipart', extra: 1 }, PHOTO] });
    expect(items).toMatchObject([
      { status: 400, errors: [{ pointer: '/items/0/extra' }, { pointer: '/items/0/transfer' }] },
      { status: 201 },
    ]);
  });

  it('of 100 items with 37 left grants the first 37', async () => {
    const { batch, send } = await batchApp({ rule: { limits: { requestsPerMinute: 40 } } });
    for (let sent = 0; sent < 3; sent++) expect((await send('/v1/uploads', PHOTO)).statusCode).toBe(201);
    const { status, items, headers } = await batch(photos(100));
    expect(status).toBe(200);
    expect(statusesOf(items)).toStrictEqual(
      Array.from({ length: 100 }, (_, index) => (index < 37 ? 201 : 429)),
    );
    expect(items[99]).toMatchObject({ code: 'rate_limited', retryAfter: 60 });
    expect([headers['ratelimit-limit'], headers['ratelimit-remaining']]).toStrictEqual(['40', '0']);
    expect(headers['retry-after']).toBeUndefined();
  });

  it('counts exactly when two batches race', async () => {
    const { batch } = await batchApp({ rule: { limits: { requestsPerMinute: 137 } } });
    const both = await Promise.all([batch(photos(100)), batch(photos(100))]);
    expect(both.flatMap(({ items }) => statusesOf(items)).filter((status) => status === 201)).toHaveLength(
      137,
    );
  });

  it('asks the limiter about all items before it signs the first one', async () => {
    const asked: { readonly bytes: number; readonly resolve: () => void }[] = [];
    const consume = ({ bytes }: LimitedUpload) =>
      new Promise<undefined>((resolve) => asked.push({ bytes, resolve: () => resolve(undefined) }));
    const { batch } = await batchApp({ limiter: { consume } });
    const lengths = Array.from({ length: 98 }, (_, index) => index);
    const uploads = lengths.map((contentLength) => ({ ...PHOTO, contentLength }));
    const response = batch({ items: [null, ...uploads, { ...PHOTO, key: 'users/bob/a.png' }] });
    await expect.poll(() => asked.length).toBe(98);
    expect(asked.map(({ bytes }) => bytes)).toStrictEqual(lengths);
    for (const { resolve } of asked.toReversed()) resolve();
    expect(statusesOf((await response).items)).toStrictEqual([400, ...Array(98).fill(201), 403]);
  });

  it('grants later uploads that fit into the bytes left', async () => {
    const { batch } = await batchApp({ rule: { limits: { bytesPerDay: '10B' } } });
    const lengths = [4, 7, 6, 1];
    const { items, headers } = await batch({
      items: lengths.map((contentLength) => ({ ...PHOTO, contentLength })),
    });
    expect(statusesOf(items)).toStrictEqual([201, 429, 201, 429]);
    expect(headers['ratelimit-remaining']).toBe('0');
  });

  it('counts each denied and invalid item, and still grants', async () => {
    const denials = createDenialLimiter({ nowMs: () => 0, denialsPerMinute: 3 });
    const { batch, audits, events } = await batchApp({ denials });
    const denied = { ...PHOTO, key: 'users/bob/a.png' };
    const { items } = await batch({ items: [denied, {}, PHOTO, denied, denied, null, PHOTO] });
    expect(statusesOf(items)).toStrictEqual([403, 400, 201, 403, 429, 429, 201]);
    expect(items[4]).toMatchObject({ code: 'rate_limited', retryAfter: 60 });
    expect(audits().map(({ status }) => status)).toStrictEqual(statusesOf(items));
    expect(events.filter((event) => event === 'rate_limited')).toHaveLength(2);
    expect((await batch({ items: [PHOTO] })).status).toBe(429);
  });

  it('is 503 as a whole without credentials', async () => {
    const { batch, audits } = await batchApp({
      credentials: { get: () => Promise.reject(new Error('none')) } as never,
    });
    const { status, body } = await batch({ items: [{ ...PHOTO, key: 'users/bob/a.png' }, PHOTO] });
    expect([status, body.code, audits().length]).toStrictEqual([503, 'unavailable', 0]);
  });

  it('asks for the credentials once', async () => {
    let asked = 0;
    const get = () => {
      asked += 1;
      return Promise.resolve({ accessKeyId: 'LTAI5tTestKey', accessKeySecret: 'x' });
    };
    const { batch } = await batchApp({ credentials: { get } as never });
    expect(statusesOf((await batch(photos(100))).items)).toStrictEqual(Array(100).fill(201));
    expect(asked).toBe(1);
  });

  it('sends nothing before all of its audit lines are written', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const gate = { isOpen: () => true, written: () => promise };
    const { batch, audits, events } = await batchApp({ auditGate: gate });
    const response = batch(photos(12));
    await expect.poll(() => audits().length).toBe(12);
    expect(events).toStrictEqual([]);
    resolve(false);
    expect((await response).status).toBe(503);
    expect(events).toStrictEqual(['unavailable']);
  });
});

describe('Idempotency-Key', () => {
  const named = (filename: string) => ({ filename, contentType: 'image/png', contentLength: 1 });
  const header = { 'idempotency-key': 'k-1' };

  it('gives each place of the list its own key, and the same one again', async () => {
    const { batch, send } = await batchApp();
    const keysOf = async (...names: string[]) =>
      (await batch({ items: names.map(named) }, header)).items.map(({ key }) => key);
    const [first, second, third] = await keysOf('a.png', 'b.png', 'a.png');
    expect(new Set([first, second, third]).size).toBe(3);
    expect(await keysOf('a.png', 'b.png', 'a.png')).toStrictEqual([first, second, third]);
    const swapped = await keysOf('b.png', 'a.png');
    expect(new Set([first, second, third, ...swapped]).size).toBe(5);
    const alone = (await send('/v1/uploads', named('a.png'), header)).json();
    expect([first, third]).not.toContain(alone.key);
  });

  it('rejects an item with key, and a header that is not valid for all', async () => {
    const { batch } = await batchApp();
    const { items } = await batch({ items: [named('a.png'), PHOTO] }, header);
    expect(items).toMatchObject([{ status: 201 }, { status: 400, errors: [{ pointer: '/items/1/key' }] }]);
    expect((await batch({ items: [named('a.png')] }, { 'idempotency-key': 'a b' })).status).toBe(400);
  });

  it('is 503 for a replica that cannot recognize repeated requests', async () => {
    const { batch } = await batchApp({ canContinueUploads: false });
    expect((await batch({ items: [named('a.png')] }, header)).status).toBe(503);
  });
});

const anItem = fc.oneof(
  fc.record(
    {
      key: fc.constantFrom('users/alice/a.png', 'users/bob/a.png', '/', ''),
      filename: fc.constantFrom('b.png', 'c'),
      contentType: fc.constantFrom('image/png', 'video/mp4', 'nonsense'),
      contentLength: fc.constantFrom(0, 3, 2 ** 40, -1, '1'),
      maxContentLength: fc.constantFrom(5),
      transfer: fc.constantFrom('put', 'form', 'other'),
      metadata: fc.constantFrom({ album: 'x' }, { other: 'x' }, 1),
      size: fc.constant(1),
    },
    { requiredKeys: ['contentType'] },
  ),
  fc.constant({ ...PHOTO, contentLength: 2 }),
);

it('responds as to its items, sent one by one', async () => {
  const keys = serviceKeysOf('test-key');
  await fc.assert(
    fc.asyncProperty(fc.array(anItem, { minLength: 1, maxLength: 30 }), async (items) => {
      const appOf = () => {
        let ids = 0;
        return batchApp({
          rule: { limits: { requestsPerMinute: 8, bytesPerDay: '13B' } },
          limiter: createMemoryLimiter({ nowMs: () => 0 }),
          newGrantId: () => `019ab000-0000-7000-8000-${String(++ids).padStart(12, '0')}`,
          newRequestId: () => 'request',
          serviceKeys: { current: () => keys, isShared: false },
        });
      };
      const [together, alone] = await Promise.all([appOf(), appOf()]);
      const expected: unknown[] = [];
      for (const [index, item] of items.entries()) {
        const response = await alone.send('/v1/uploads', item);
        const { errors, ...json } = response.json();
        const pointed = errors?.map((fault: { pointer: string }) => ({
          ...fault,
          pointer: `/items/${index}${fault.pointer}`,
        }));
        expected.push({ ...json, status: response.statusCode, ...(errors && { errors: pointed }) });
      }
      expect((await together.batch({ items })).items).toStrictEqual(expected);
      expect(together.events).toStrictEqual(alone.events);
    }),
    { numRuns: propertyRuns(200, 4) },
  );
});
