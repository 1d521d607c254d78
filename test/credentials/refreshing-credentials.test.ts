import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRefreshingCredentials } from '../../src/credentials/refreshing-credentials.ts';
import type { Credentials } from '../../src/grants/ports/credentials-source.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createRecordedLog } from './recorded-log.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DETAIL = 'The service has no valid cloud credentials at the moment; try again later.';

/** Creates a source whose calls wait until the test responds to them. */
function setUp({ attemptLimitMs = 60_000 } = {}) {
  const { clock, advance } = createManualClock();
  const log = createRecordedLog();
  const calls: PromiseWithResolvers<Credentials>[] = [];
  const source = createRefreshingCredentials({
    name: 'test_source',
    load: () => {
      const response = Promise.withResolvers<Credentials>();
      calls.push(response);
      return response.promise;
    },
    clock,
    log,
    attemptLimitMs,
  });
  let generation = 0;
  const next = (lifeMs?: number): Credentials => {
    generation++;
    return {
      accessKeyId: `id-${generation}`,
      accessKeySecret: `secret-${generation}`,
      securityToken: `token-${generation}`,
      ...(lifeMs !== undefined && { expiresAt: new Date(clock().getTime() + lifeMs) }),
    };
  };
  /** Settles the newest call, and lets everything that waits for it continue. */
  const respond = async (value: Credentials | Error) => {
    if (value instanceof Error) calls.at(-1)?.reject(value);
    else calls.at(-1)?.resolve(value);
    await setImmediate();
  };
  /** Loads the first credentials, which live for an hour by default. */
  const loadFirst = async (lifeMs = 60 * MINUTE) => {
    void source.keepFresh();
    await respond(next(lifeMs));
  };
  const idOf = async () => (await source.get()).accessKeyId;
  return { source, log, calls, clock, advance, next, respond, loadFirst, idOf };
}

it('has no credentials before the first response', () => {
  const { source, calls } = setUp();
  expect(source.describe()).toStrictEqual({ ok: false, detail: 'test_source: no response yet' });
  expect(source.expiresAt()).toBeUndefined();
  expect(calls).toHaveLength(0);
});

it('makes one call for all waiting requests, and returns one frozen value', async () => {
  const { source, calls, respond, next } = setUp();
  const waiting = Array.from({ length: 100 }, () => source.get());
  const value = next(60 * MINUTE);
  await respond(value);
  const given = await Promise.all(waiting);
  expect(calls).toHaveLength(1);
  expect(new Set(given).size).toBe(1);
  expect(given[0]).toStrictEqual(value);
  expect(Object.isFrozen(given[0])).toBe(true);
  expect(source.describe()).toStrictEqual({ ok: true, detail: 'test_source, valid for 60 min' });
  expect(source.expiresAt()).toStrictEqual(value.expiresAt);
});

it('renews when a third of the lifetime is left, without delaying a request', async () => {
  const { source, calls, advance, respond, next, loadFirst, idOf } = setUp();
  await loadFirst();
  advance(40 * MINUTE - 1);
  expect(await idOf()).toBe('id-1');
  expect(calls).toHaveLength(1);
  advance(1);
  expect([await idOf(), await idOf(), await idOf()]).toStrictEqual(['id-1', 'id-1', 'id-1']);
  expect(calls).toHaveLength(2);
  await respond(next(60 * MINUTE));
  expect(await idOf()).toBe('id-2');
  expect(source.describe().detail).toBe('test_source, valid for 60 min');
});

it('renews short-lived credentials five minutes before they expire', async () => {
  const { calls, advance, loadFirst, source } = setUp();
  await loadFirst(9 * MINUTE);
  advance(4 * MINUTE - 1);
  void source.keepFresh();
  expect(calls).toHaveLength(1);
  advance(1);
  void source.keepFresh();
  expect(calls).toHaveLength(2);
});

it('keeps valid credentials when renewal fails, and logs each reason once', async () => {
  const { source, log, advance, respond, loadFirst, idOf } = setUp();
  await loadFirst();
  advance(45 * MINUTE);
  for (let failures = 0; failures < 3; failures++) {
    void source.keepFresh();
    await respond(new Error('HTTP 500'));
    advance(30 * SECOND);
  }
  expect(await idOf()).toBe('id-1');
  expect(source.describe()).toStrictEqual({
    ok: true,
    detail: 'test_source, valid for 13 min; renewing fails: HTTP 500',
  });
  expect(log.lines).toStrictEqual([
    'info: the cloud credentials are renewed {"credentialsSource":"test_source","expiresAt":"2026-11-23T11:00:00.000Z"}',
    'warn: the cloud credentials cannot be renewed {"credentialsSource":"test_source","reason":"HTTP 500"}',
  ]);
});

it('doubles the pause after each failure, from 1 s to 30 s, and resets it after a success', async () => {
  const { source, calls, advance, respond, next, loadFirst } = setUp();
  await loadFirst();
  advance(40 * MINUTE);
  const waits: number[] = [];
  const failAndMeasure = async () => {
    void source.keepFresh();
    await respond(new Error('no'));
    const before = calls.length;
    let seconds = 0;
    while (calls.length === before) {
      advance(SECOND);
      seconds++;
      void source.keepFresh();
    }
    waits.push(seconds);
  };
  for (let failures = 0; failures < 7; failures++) await failAndMeasure();
  await respond(next(60 * MINUTE));
  advance(40 * MINUTE);
  await failAndMeasure();
  expect(waits).toStrictEqual([1, 2, 4, 8, 16, 30, 30, 1]);
});

it('rejects waiting requests without valid credentials, with Retry-After', async () => {
  const { source, respond } = setUp();
  const waiting = [source.get(), source.get()].map((one) => one.catch((error: unknown) => error));
  await respond(new Error('rejected with NoPermission'));
  for (const error of await Promise.all(waiting)) {
    expect(error).toMatchObject({
      code: 'unavailable',
      detail: DETAIL,
      headers: { 'Retry-After': '1' },
      cause: { message: 'no cloud credentials: rejected with NoPermission' },
    });
  }
  expect(source.describe()).toStrictEqual({ ok: false, detail: 'test_source: rejected with NoPermission' });
});

it('makes no call during the pause after a failure', async () => {
  const { source, calls, advance, respond } = setUp();
  for (let failures = 0; failures < 4; failures++) {
    void source.keepFresh();
    await respond(new Error('no'));
    advance(failures < 3 ? 8 * SECOND : SECOND);
  }
  const rejections = await Promise.all(
    Array.from({ length: 50 }, () => source.get().catch((error: { headers: object }) => error.headers)),
  );
  expect(calls).toHaveLength(4);
  expect(rejections[0]).toStrictEqual({ 'Retry-After': '7' });
});

it('returns no credentials with less than 30 s left, and waits for the next ones', async () => {
  const { source, calls, advance, respond, next, loadFirst, idOf } = setUp();
  await loadFirst();
  advance(60 * MINUTE - 30 * SECOND);
  expect(await idOf(), 'at 30 s').toBe('id-1');
  advance(1);
  expect(source.describe()).toStrictEqual({ ok: false, detail: 'test_source, expired or about to expire' });
  const waiting = idOf();
  await respond(next(60 * MINUTE));
  expect(await waiting).toBe('id-2');
  expect(calls).toHaveLength(2);
});

it('does not accept expired credentials', async () => {
  const { source, respond, next } = setUp();
  void source.keepFresh();
  await respond(next(0));
  expect(source.describe()).toStrictEqual({
    ok: false,
    detail: 'test_source: the credentials in the response have expired',
  });
});

it('does not accept credentials that expire before the current ones', async () => {
  const { advance, respond, next, loadFirst, idOf } = setUp();
  await loadFirst();
  advance(45 * MINUTE);
  await idOf();
  await respond(next(14 * MINUTE));
  expect(await idOf()).toBe('id-1');
});

it('calls every 30 s while the source still returns the old credentials', async () => {
  const { source, calls, advance, respond, loadFirst } = setUp();
  await loadFirst();
  const old = await source.get();
  advance(40 * MINUTE);
  void source.keepFresh();
  await respond({ ...old });
  advance(30 * SECOND - 1);
  void source.keepFresh();
  expect(calls).toHaveLength(2);
  advance(1);
  void source.keepFresh();
  expect(calls).toHaveLength(3);
});

it('renews credentials without a known expiry every five minutes', async () => {
  const { source, calls, advance, respond, next, idOf } = setUp();
  void source.keepFresh();
  await respond(next());
  expect(source.describe()).toStrictEqual({ ok: true, detail: 'test_source, without a known expiry' });
  expect(source.expiresAt()).toBeUndefined();
  advance(5 * MINUTE - 1);
  await idOf();
  expect(calls).toHaveLength(1);
  advance(1);
  await idOf();
  await respond(next());
  expect(await idOf()).toBe('id-2');
});

it('abandons an attempt at its limit, and ignores its later result', async () => {
  const { source, calls, advance, respond, next, idOf } = setUp({ attemptLimitMs: 5 });
  await expect(source.get()).rejects.toMatchObject({
    cause: { message: 'no cloud credentials: no response in time' },
  });
  const [late] = calls;
  advance(SECOND);
  const waiting = idOf();
  await respond(next(60 * MINUTE));
  expect(await waiting).toBe('id-1');
  late?.resolve(next(90 * MINUTE));
  await setImmediate();
  expect(await idOf()).toBe('id-1');
});

it('calls again at once when the clock was set back during a pause', async () => {
  const { source, calls, advance, respond } = setUp();
  void source.keepFresh();
  await respond(new Error('no'));
  advance(-60 * MINUTE);
  void source.keepFresh();
  expect(calls).toHaveLength(2);
});

describe('any sequence of responses, failures and reads', () => {
  // Lifetimes and waits are short and of the same size, so that every run has expiries, renewals and
  // pauses.
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3 * MINUTE }) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('respond' as const),
        lifeMs: fc.option(fc.integer({ min: -MINUTE, max: 10 * MINUTE }), { nil: undefined, freq: 12 }),
      }),
    },
  );

  it('never returns credentials that expire within 30 s or are mixed, and never makes two calls at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const { source, calls, clock, advance, next, respond } = setUp({ attemptLimitMs: 3_600_000 });
        let open = 0;
        const given: Promise<void>[] = [];
        for (const action of steps) {
          const before = calls.length;
          if (action.do === 'wait') advance(action.ms);
          if (action.do === 'tick') void source.keepFresh();
          if (action.do === 'get') {
            given.push(
              source.get().then(
                ({ accessKeyId, accessKeySecret, securityToken, expiresAt }) => {
                  const generation = accessKeyId.slice('id-'.length);
                  expect(accessKeySecret).toBe(`secret-${generation}`);
                  expect(securityToken).toBe(`token-${generation}`);
                  if (expiresAt) {
                    expect(expiresAt.getTime() - clock().getTime()).toBeGreaterThanOrEqual(30 * SECOND);
                  }
                },
                (error: unknown) => expect(error).toMatchObject({ code: 'unavailable' }),
              ),
            );
          }
          await setImmediate();
          open += calls.length - before;
          expect(open).toBeLessThanOrEqual(1);
          if (action.do === 'fail' || action.do === 'respond') {
            await respond(action.do === 'fail' ? new Error('no') : next(action.lifeMs));
            open = 0;
          }
          // Readiness agrees with the result of a request.
          const { ok } = source.describe();
          const end = source.expiresAt();
          if (ok && end) expect(end.getTime() - clock().getTime()).toBeGreaterThanOrEqual(30 * SECOND);
        }
        await respond(new Error('the end'));
        await Promise.all(given);
      }),
      { numRuns: 150 },
    );
  });
});
