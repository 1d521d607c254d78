import { describe, expect, it } from 'vitest';
import type { LimitedUpload, Limiter, LimitVerdict } from '../../src/grants/ports/limiter.ts';

export type LimiterUnderTest = {
  readonly limiter: Limiter;
  /** Lets time pass for whatever counts. */
  passSeconds(seconds: number): Promise<void>;
};

const TEBIBYTE = 1024 ** 4;

export function anUpload(overrides: Partial<LimitedUpload> = {}): LimitedUpload {
  return {
    rule: 'own-files',
    issuer: 'https://login.test/',
    subject: 'alice',
    bytes: 1,
    limits: {},
    ...overrides,
  };
}

export function countAllowed(verdicts: readonly (LimitVerdict | undefined)[]): number {
  return verdicts.filter((verdict) => verdict?.allowed).length;
}

/** The promises of every limiter. `create` makes a fresh one, with nothing counted, and cleans up after the test. */
export function describeLimiterContract(name: string, create: () => Promise<LimiterUnderTest>): void {
  describe(`${name}, as every limiter,`, () => {
    const consumeBytes = (limiter: Limiter, bytesPerDay: number, sizes: readonly number[]) =>
      Promise.all(sizes.map((bytes) => limiter.consume(anUpload({ bytes, limits: { bytesPerDay } }))));
    const allowances = (verdicts: readonly (LimitVerdict | undefined)[]) =>
      verdicts.map((verdict) => verdict?.allowed);

    it('returns nothing for a rule without bounds', async () => {
      const { limiter } = await create();
      expect(await limiter.consume(anUpload())).toBeUndefined();
    });

    it('allows as many requests as the bound, and returns how many are left', async () => {
      const { limiter } = await create();
      const upload = anUpload({ limits: { requestsPerMinute: 2 } });
      const verdicts = [
        await limiter.consume(upload),
        await limiter.consume(upload),
        await limiter.consume(upload),
      ];
      const state = { limitedBy: 'requestsPerMinute', limit: 2, resetInSeconds: 60 };
      expect(verdicts).toStrictEqual([
        { ...state, allowed: true, remaining: 1 },
        { ...state, allowed: true, remaining: 0 },
        { ...state, allowed: false, remaining: 0 },
      ]);
    });

    it('allows exactly as many of 200 concurrent requests as the bound', async () => {
      const { limiter } = await create();
      const upload = anUpload({ limits: { requestsPerMinute: 37 } });
      const verdicts = await Promise.all(Array.from({ length: 200 }, () => limiter.consume(upload)));
      expect(countAllowed(verdicts)).toBe(37);
    });

    it('begins a minute with its first request, and does not prolong it for rejected ones', async () => {
      const { limiter, passSeconds } = await create();
      const upload = anUpload({ limits: { requestsPerMinute: 1 } });
      const first = await limiter.consume(upload);
      await passSeconds(40);
      const rejected = await limiter.consume(upload);
      await passSeconds(21);
      const later = await limiter.consume(upload);
      expect([first, rejected, later]).toMatchObject([
        { allowed: true, resetInSeconds: 60 },
        { allowed: false, resetInSeconds: 20 },
        { allowed: true, resetInSeconds: 60 },
      ]);
    });

    it('begins a day with its first upload', async () => {
      const { limiter, passSeconds } = await create();
      const [first] = await consumeBytes(limiter, 100, [100]);
      await passSeconds(86_390);
      const [rejected] = await consumeBytes(limiter, 100, [1]);
      await passSeconds(11);
      const [later] = await consumeBytes(limiter, 100, [100]);
      expect([first, rejected, later]).toMatchObject([
        { allowed: true, resetInSeconds: 86_400 },
        { allowed: false, resetInSeconds: 10 },
        { allowed: true, resetInSeconds: 86_400 },
      ]);
    });

    it('grants exactly as many bytes as the bound, even if it rejected uploads in between', async () => {
      const { limiter } = await create();
      const verdicts = [];
      for (const bytes of [60, 41, 40, 1]) {
        verdicts.push(await limiter.consume(anUpload({ bytes, limits: { bytesPerDay: 100 } })));
      }
      const state = { limitedBy: 'bytesPerDay', limit: 100, resetInSeconds: 86_400 };
      expect(verdicts).toStrictEqual([
        { ...state, allowed: true, remaining: 40 },
        { ...state, allowed: false, remaining: 40 },
        { ...state, allowed: true, remaining: 0 },
        { ...state, allowed: false, remaining: 0 },
      ]);
    });

    // A limiter that adds first and subtracts later would reject the 40 that fit.
    it('allows an upload that fits while a concurrent one is rejected', async () => {
      const { limiter } = await create();
      expect(allowances(await consumeBytes(limiter, 100, [60, 70, 40]))).toStrictEqual([true, false, true]);
    });

    it('allows exactly as many of 200 concurrent bytes as the bound', async () => {
      const { limiter } = await create();
      const verdicts = await consumeBytes(limiter, 1000, Array<number>(200).fill(7));
      expect(countAllowed(verdicts)).toBe(142);
    });

    it('allows empty files even when no byte is left', async () => {
      const { limiter } = await create();
      expect(allowances(await consumeBytes(limiter, 10, [0, 10, 0, 1]))).toStrictEqual([
        true,
        true,
        true,
        false,
      ]);
    });

    it('rejects an upload that is larger than the bound, and counts nothing for it', async () => {
      const { limiter } = await create();
      const [tooLarge, fitting] = await consumeBytes(limiter, 100, [101, 100]);
      const state = { limitedBy: 'bytesPerDay', limit: 100, resetInSeconds: 86_400 };
      expect(tooLarge).toStrictEqual({ ...state, allowed: false, remaining: 100 });
      expect(fitting).toStrictEqual({ ...state, allowed: true, remaining: 0 });
    });

    it.each([
      ['100 TiB', 100 * TEBIBYTE],
      ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ])('counts to the exact byte up to %s', async (_, bound) => {
      const { limiter } = await create();
      const sizes = [5 * 1024 ** 3, bound - 5 * 1024 ** 3 - 1, 2, 1, 1];
      const verdicts = await consumeBytes(limiter, bound, sizes);
      expect(allowances(verdicts)).toStrictEqual([true, true, false, true, false]);
      expect(verdicts.map((verdict) => verdict?.remaining)).toStrictEqual([
        bound - 5 * 1024 ** 3,
        1,
        1,
        0,
        0,
      ]);
    });

    it('counts no bytes for an upload that exceeds the requests', async () => {
      const { limiter, passSeconds } = await create();
      const upload = anUpload({ bytes: 50, limits: { requestsPerMinute: 1, bytesPerDay: 100 } });
      const verdicts = [await limiter.consume(upload), await limiter.consume(upload)];
      await passSeconds(61);
      verdicts.push(await limiter.consume(upload));
      expect(verdicts).toMatchObject([
        { allowed: true },
        { allowed: false, limitedBy: 'requestsPerMinute' },
        { allowed: true, remaining: 0 },
      ]);
    });

    it('counts a request for an upload that exceeds the bytes', async () => {
      const { limiter } = await create();
      const limits = { requestsPerMinute: 2, bytesPerDay: 100 };
      const verdicts = [
        await limiter.consume(anUpload({ bytes: 101, limits })),
        await limiter.consume(anUpload({ bytes: 1, limits })),
        await limiter.consume(anUpload({ bytes: 1, limits })),
      ];
      expect(verdicts).toMatchObject([
        { allowed: false, limitedBy: 'bytesPerDay' },
        { allowed: true, limitedBy: 'requestsPerMinute', remaining: 0 },
        { allowed: false, limitedBy: 'requestsPerMinute' },
      ]);
    });

    it('counts calls about uploads apart from requests and bytes', async () => {
      const { limiter, passSeconds } = await create();
      const call = () => limiter.consume(anUpload({ bytes: 0, limits: { callsPerMinute: 2 } }));
      const upload = () =>
        limiter.consume(anUpload({ bytes: 60, limits: { requestsPerMinute: 1, bytesPerDay: 100 } }));
      const verdicts = [await upload(), await call(), await call(), await call(), await upload()];
      await passSeconds(61);
      verdicts.push(await call());
      const calls = { limitedBy: 'callsPerMinute', limit: 2, resetInSeconds: 60 };
      expect(verdicts).toMatchObject([
        { allowed: true, limitedBy: 'requestsPerMinute', remaining: 0 },
        { ...calls, allowed: true, remaining: 1 },
        { ...calls, allowed: true, remaining: 0 },
        { ...calls, allowed: false, remaining: 0 },
        { allowed: false, limitedBy: 'requestsPerMinute' },
        { ...calls, allowed: true, remaining: 1 },
      ]);
    });

    it('allows exactly as many of 200 concurrent calls as the bound', async () => {
      const { limiter } = await create();
      const call = anUpload({ bytes: 0, limits: { callsPerMinute: 37 } });
      const verdicts = await Promise.all(Array.from({ length: 200 }, () => limiter.consume(call)));
      expect(countAllowed(verdicts)).toBe(37);
    });

    it('returns the bound of which the smaller share is left', async () => {
      const { limiter } = await create();
      const limits = { requestsPerMinute: 4, bytesPerDay: 1000 };
      const small = await limiter.consume(anUpload({ bytes: 10, limits }));
      const large = await limiter.consume(anUpload({ bytes: 900, limits }));
      expect(small).toMatchObject({ limitedBy: 'requestsPerMinute', limit: 4, remaining: 3 });
      expect(large).toMatchObject({ limitedBy: 'bytesPerDay', limit: 1000, remaining: 90 });
    });

    it('counts each caller and each rule apart', async () => {
      const { limiter } = await create();
      const limits = { requestsPerMinute: 1 };
      const apart: readonly Partial<LimitedUpload>[] = [
        { issuer: 'a', subject: 'b', rule: 'c' },
        { issuer: 'A', subject: 'b', rule: 'c' },
        { issuer: 'a', subject: 'B', rule: 'c' },
        { issuer: 'a', subject: 'b', rule: 'C' },
        { issuer: 'a', subject: 'c', rule: 'b' },
        { issuer: 'b', subject: 'a', rule: 'c' },
        { issuer: 'a:b', subject: '', rule: 'c' },
        { issuer: 'a', subject: ':b', rule: 'c' },
        { issuer: 'a","b', subject: 'c', rule: '' },
        { issuer: 'a', subject: 'b","c', rule: '' },
        { issuer: 'a', subject: '\ud800', rule: 'c' },
        { issuer: 'a', subject: '\ufffd', rule: 'c' },
      ];
      const once = await Promise.all(apart.map((who) => limiter.consume(anUpload({ ...who, limits }))));
      const twice = await Promise.all(apart.map((who) => limiter.consume(anUpload({ ...who, limits }))));
      expect([countAllowed(once), countAllowed(twice)]).toStrictEqual([apart.length, 0]);
    });

    it('holds what was counted against a bound that the policy has changed since', async () => {
      const { limiter } = await create();
      await consumeBytes(limiter, 100, [80]);
      const [lowered] = await consumeBytes(limiter, 50, [1]);
      const [raised] = await consumeBytes(limiter, 200, [120]);
      expect([lowered, raised]).toMatchObject([
        { allowed: false, remaining: 0 },
        { allowed: true, remaining: 0 },
      ]);
    });
  });
}
