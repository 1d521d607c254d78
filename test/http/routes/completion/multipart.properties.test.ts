import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDenialLimiter } from '../../../../src/limits/denial-limiter.ts';
import { now } from '../../../support/fixed-clock.ts';
import {
  createMultipartApp,
  type MultipartApp,
  multipartRule,
  PART_SIZE,
  putPart,
  type Reply,
} from '../../../support/multipart-app.ts';
import { propertyRuns } from '../../../support/property-runs.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';
import { LONG_LIVED, startTestEmulator, TEMPORARY } from '../../../support/test-emulator.ts';
import { createTestIssuer } from '../../../support/tokens.ts';

/** Most uploads have one small part: only the last part of an upload may be small. */
const LENGTHS = [1, 2, 50, 51, 1000, 4096, PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE + 7];

/** The states of the service that a schedule can meet; the first two are replicas of each other. */
const REPLICAS = ['first', 'second', 'strict', 'removed', 'repointed', 'late'] as const;
type Replica = (typeof REPLICAS)[number];

/** The responses that a call may have. Everything else fails the test, above all a 500. */
const STATUSES: Readonly<Record<'status' | 'complete' | 'abort', readonly number[]>> = {
  status: [200, 409, 503],
  complete: [200, 404, 409, 503],
  abort: [204, 503],
};

/** The statuses of a replica that may use no id. */
const REJECTING: Partial<Readonly<Record<Replica, number>>> = { removed: 403, repointed: 403, late: 410 };

const BODIES = [1, 2, 3].map((byte) => new Uint8Array(PART_SIZE + 1).fill(byte));

type Send = {
  readonly type: 'send';
  readonly upload: number;
  readonly part: number;
  /** Bytes more than the grant has. */
  readonly excess: number;
  readonly body: number;
};
type Call = {
  readonly type: 'status' | 'complete' | 'abort';
  readonly upload: number;
  readonly replica: Replica;
};
type Other =
  /** Loses the next request with this method, or its response. */
  | { readonly type: 'lose'; readonly what: 'request' | 'response'; readonly method: string }
  /** Replaces the credentials, and removes the old ones. */
  | { readonly type: 'rotate' }
  /** Somebody else writes the object of this key, or deletes it. */
  | { readonly type: 'overwrite' | 'delete' };
type Step = Send | Call | Other | { readonly type: 'together'; readonly steps: readonly (Send | Call)[] };

const upload = fc.constantFrom(0, 0, 1);
const send: fc.Arbitrary<Send> = fc.record({
  type: fc.constant('send'),
  upload,
  part: fc.constantFrom(1, 1, 1, 2, 2, 3),
  excess: fc.constantFrom(0, 0, 0, 0, -1, 1),
  body: fc.nat(BODIES.length - 1),
});
const call: fc.Arbitrary<Call> = fc.record({
  type: fc.constantFrom('status', 'complete', 'complete', 'complete', 'abort'),
  upload,
  replica: fc.constantFrom(...REPLICAS, 'first', 'first', 'second', 'second'),
});
const other: fc.Arbitrary<Other> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('lose'),
      what: fc.constantFrom('request', 'response'),
      method: fc.constantFrom('GET', 'POST', 'POST', 'HEAD', 'DELETE'),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ type: 'rotate' }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('overwrite', 'delete') }) },
);
const together = fc.record({
  type: fc.constant('together'),
  steps: fc.array(fc.oneof(send, call, call), { minLength: 2, maxLength: 4 }),
});

const schedule = fc.record({
  /** Of each upload. */
  lengths: fc.tuple(...[0, 1].map(() => fc.constantFrom(...LENGTHS))),
  overwrite: fc.boolean(),
  steps: fc.array(
    fc.oneof<fc.WeightedArbitrary<Step>[]>(
      { weight: 6, arbitrary: send },
      { weight: 4, arbitrary: call },
      { weight: 2, arbitrary: together },
      { weight: 2, arbitrary: other },
    ),
    { minLength: 1, maxLength: 12 },
  ),
});

it('confirms an upload only with exactly the granted bytes, in every schedule', async () => {
  const accepted: (typeof LONG_LIVED | typeof TEMPORARY)[] = [LONG_LIVED];
  const credentials = () => accepted[0] ?? LONG_LIVED;
  const emulator = await startTestEmulator({ credentials: accepted });
  const shared = { url: emulator.url, keys: serviceKeysOf('first'), issuer: createTestIssuer() };
  const losses: Extract<Other, { readonly type: 'lose' }>[] = [];
  const lossyFetch: typeof fetch = async (input, init) => {
    const index = losses.findIndex(({ method }) => method === init?.method);
    const [loss] = index < 0 ? [] : losses.splice(index, 1);
    if (loss?.what === 'request') throw new TypeError('fetch failed');
    const response = await fetch(input, init);
    if (loss === undefined) return response;
    await response.arrayBuffer();
    throw new TypeError('fetch failed');
  };
  const rules = [false, true].map((overwrite) =>
    multipartRule({ name: `overwrite-${overwrite}`, prefix: `${overwrite}/`, overwrite }),
  );
  const strict = rules.map((rule) => ({ ...rule, overwrite: false }));
  const common = { credentials, client: { fetch: lossyFetch } };
  let seconds = 0;
  const denials = createDenialLimiter({ nowMs: () => 1000 * seconds++ });
  const replicas: Readonly<Record<Replica, MultipartApp>> = {
    first: await createMultipartApp(shared, { rules, ...common }),
    second: await createMultipartApp(shared, { rules, ...common }),
    strict: await createMultipartApp(shared, { rules: strict, ...common }),
    removed: await createMultipartApp(shared, { denials, ...common }),
    repointed: await createMultipartApp(shared, { rules, bucket: 'acme-other', denials, ...common }),
    late: await createMultipartApp(shared, {
      ...{ rules, ...common },
      clock: () => new Date(now.getTime() + 8 * 86_400_000),
    }),
  };
  let scheduleCount = 0;

  await fc.assert(
    fc.asyncProperty(schedule, async ({ lengths, overwrite, steps }) => {
      const key = `${overwrite}/${++scheduleCount}`;
      losses.length = 0;
      const ids: string[] = [];
      const usesSecond = steps.some((step) =>
        (step.type === 'together' ? step.steps : [step]).some((one) => 'upload' in one && one.upload === 1),
      );
      for (const length of lengths.slice(0, usesSecond ? 2 : 1))
        ids.push(await replicas.first.begin(key, length, { overwrite }));
      const isAborted = lengths.map(() => false);
      const isConfirmed = lengths.map(() => false);
      let isDisturbed = false;

      const lengthOf = (index: number) => lengths[index] ?? 0;
      const idOf = (index: number) => ids[index] ?? '';
      const partLength = (index: number, part: number) =>
        Math.min(PART_SIZE, Math.max(1, lengthOf(index) - (part - 1) * PART_SIZE));

      const remove = () =>
        fetch(emulator.presign({ method: 'DELETE', key, credentials: credentials() }), { method: 'DELETE' });

      /** The length of the object, and whether it consists of whole parts. */
      async function stored() {
        const response = await fetch(emulator.presign({ method: 'GET', key, credentials: credentials() }));
        if (response.status === 404) return undefined;
        expect(response.status).toBe(200);
        const bytes = Buffer.from(await response.arrayBuffer());
        const parts = Array.from({ length: Math.ceil(bytes.length / PART_SIZE) }, (_, part) =>
          bytes.subarray(part * PART_SIZE, (part + 1) * PART_SIZE),
        );
        const isOfParts = parts.every((part) =>
          BODIES.some((body) => part.equals(body.subarray(0, part.length))),
        );
        return { length: bytes.length, isOfParts };
      }

      async function expectGranted(index: number, { status, body }: Reply) {
        expect([status, body]).toMatchObject([
          200,
          { state: 'stored', contentLength: lengthOf(index), receipt: expect.stringMatching(/^ey/) },
        ]);
        isConfirmed[index] = true;
        await expectGrantedObject(overwrite ? lengths : [lengthOf(index)]);
      }

      /** Unless somebody else wrote or deleted it, the object is one that was granted. */
      async function expectGrantedObject(granted: readonly number[]) {
        if (isDisturbed) return;
        const object = await stored();
        expect([granted, object]).toStrictEqual([
          expect.arrayContaining([object?.length]),
          { length: expect.any(Number), isOfParts: true },
        ]);
      }

      /** @param isAlone whether nothing else happens, so that only a lost call can fail. */
      async function run(step: Send | Call, isAlone: boolean): Promise<void> {
        const { upload: index, type } = step;
        const id = idOf(index);
        if (step.type === 'send') {
          const length = partLength(index, step.part) + step.excess;
          const status = await putPart(
            shared,
            id,
            step.part,
            (BODIES[step.body] as Uint8Array<ArrayBuffer>).subarray(0, length),
            {
              credentials: credentials(),
              contentLength: length,
            },
          );
          expect([200, 404]).toContain(status);
          return;
        }
        const hadLosses = losses.length > 0;
        const wasConfirmed = isConfirmed[index] && !isDisturbed && !overwrite;
        const reply = await replicas[step.replica].call(step.type, id);
        const rejecting = REJECTING[step.replica];
        if (rejecting !== undefined) {
          expect(reply.status).toBe(rejecting);
          return;
        }
        expect([type, ...STATUSES[step.type]]).toContain(reply.status);
        if (isAlone && !hadLosses) expect(reply.status).not.toBe(503);
        // Nothing that a caller does takes a confirmed object away.
        if (wasConfirmed) expect([200, 204, 503]).toContain(reply.status);
        if (step.type === 'abort' && reply.status === 204) isAborted[index] = true;
        if (step.type === 'complete' && reply.status === 200) await expectGranted(index, reply);
        else expect(reply.body).not.toHaveProperty('receipt');
        if (step.type === 'status' && reply.body.state === 'stored' && isAlone && losses.length === 0)
          await expectGranted(index, await replicas.second.call('complete', id));
      }

      for (const step of steps) {
        switch (step.type) {
          case 'together':
            await Promise.all(step.steps.map((one) => run(one, false)));
            break;
          case 'lose':
            losses.push(step);
            break;
          case 'rotate':
            accepted.splice(0, 1, credentials() === LONG_LIVED ? TEMPORARY : LONG_LIVED);
            break;
          case 'overwrite':
            isDisturbed = true;
            await emulator.put(key, 'another object', { credentials: credentials() });
            break;
          case 'delete':
            isDisturbed = true;
            await remove();
            break;
          default:
            await run(step, true);
        }
      }

      losses.length = 0;
      if (await stored()) await expectGrantedObject(lengths);
      // Each upload that is open can be continued, and completed if its key is free.
      for (const [index, id] of ids.entries()) {
        const status = await replicas.second.call('status', id);
        expect([200, 409]).toContain(status.status);
        if (status.body.state !== 'open') continue;
        if (isAborted[index]) throw new Error('an upload that was aborted is open');
        for (const { from, to } of status.body.missing as readonly { from: number; to: number }[])
          for (let part = from; part <= to; part += 1)
            await run({ type: 'send', upload: index, part, excess: 0, body: 0 }, true);
        const before = await stored();
        const completed = await replicas.second.call('complete', id);
        if (before === undefined || overwrite) await expectGranted(index, completed);
        else expect([completed.status, completed.body.code]).toStrictEqual([409, 'object_exists']);
      }
      // Thousands of files would take long to remove at the end.
      for (const id of ids) expect((await replicas.second.call('abort', id)).status).toBe(204);
      await remove();
    }),
    { numRuns: propertyRuns(2000, 8) },
  );
  // All cases take minutes on a busy machine.
}, 600_000);
