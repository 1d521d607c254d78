import { expect, it } from 'vitest';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { createCompletionApp } from '../support/completion-app.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { medianTurnMs } from '../support/longest-turn.ts';
import { policyWith } from '../support/policies.ts';
import { policyFrom, storageOf } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

/** How long one request may keep the event loop from all others, in CPU time: the README promises it. */
const MAX_TURN_MS = 50;
/** A body of 64 KiB has room for this and a good id. */
const MAX_FILL_BYTES = 64_000;

/** Returns the names of the requests that took too long. */
async function slowOnes(requests: Readonly<Record<string, () => Promise<unknown>>>) {
  const slow: string[] = [];
  for (const [name, request] of Object.entries(requests)) {
    const turnMs = await medianTurnMs(MAX_TURN_MS, async () => void (await request()));
    if (turnMs >= MAX_TURN_MS) slow.push(`${name}: ${Math.round(turnMs)} ms`);
  }
  return slow;
}

const bytesInJson = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;

it('ids and checksums of any form, at their longest and as long as the body allows', async () => {
  const { call, idOf } = await createCompletionApp();
  const good = idOf();
  const units = ['A', '.', '=', '-', '0', '9', ' ', '語', '%', '\\', '"', '\u0000', 'AQ', good.slice(0, 8)];
  const requests: Record<string, () => Promise<unknown>> = {};
  const statuses = new Set<number>();
  const send = async (operation: 'status' | 'complete', body: object) => {
    statuses.add((await call(operation, body)).status);
  };
  for (const unit of units)
    for (const text of [unit.repeat(3072 / unit.length), unit.repeat(MAX_FILL_BYTES / bytesInJson(unit))]) {
      const { length } = text;
      requests[`id of ${JSON.stringify(unit)}, ${length}`] = () => send('status', { id: text });
      requests[`crc64 of ${JSON.stringify(unit)}, ${length}`] = () =>
        send('complete', { id: good, crc64: text });
    }
  for (const index of [1, 100, good.length - 50, good.length - 44])
    requests[`another byte at ${index}`] = () =>
      send('complete', { id: `${good.slice(0, index)}_${good.slice(index + 1)}` });
  expect(await slowOnes(requests)).toStrictEqual([]);
  expect([...statuses].sort()).toStrictEqual([400, 403]);
});

it('3,000 rules that do not let a caller with the largest tokens use the id', async () => {
  const issuer = createTestIssuer();
  const { rules, ...others } = policyFrom(policyWith(), issuer);
  const [rule] = rules;
  if (!rule) throw new Error('the test policy has no rule');
  const groupsOf = (index: number) => ({
    claim: { source: 'groups', path: ['groups'] as const },
    values: [`g${index}`, `h${index}`],
    prefixes: [`team-${index}-`],
  });
  const confirming = Array.from({ length: 3000 }, (_, index) => ({
    ...rule,
    name: `confirm-${index}`,
    actions: ['confirm'] as const,
    who: { ...rule.who, claims: [groupsOf(index)] },
  }));
  const policy = { ...others, rules: [...confirming, rule] };
  const keySources = createKeySources({ clock: fixedClock, fetch });
  const verifier = createTokenVerifier({ issuers: policy.issuers, clock: fixedClock, keySources });
  const active = { policy, verifier, storage: storageOf(policy) };
  const { call, idOf } = await createCompletionApp({ active: () => active, issuer });
  const id = idOf();
  const claims = { sub: 'bob', groups: Array.from({ length: 1500 }, (_, index) => `x${index}`) };
  const slow = await slowOnes({
    complete: async () => expect((await call('complete', { id }, claims)).status).toBe(403),
  });
  expect(slow).toStrictEqual([]);
});
