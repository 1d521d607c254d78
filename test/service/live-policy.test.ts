import { describe, expect, it } from 'vitest';
import type { TokenVerifier } from '../../src/auth/token-verifier.ts';
import { createLogger } from '../../src/log/logger.ts';
import type { LoadedPolicy } from '../../src/policy/file/read-policy-file.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { createLivePolicy, type LivePolicy } from '../../src/service/live-policy.ts';
import { fixedClock, now } from '../support/fixed-clock.ts';
import { policyWith } from '../support/policies.ts';
import { policyFrom, storageOf } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

const issuer = createTestIssuer();
const good = (version: string) => ({ version, policy: policyFrom(policyWith(), issuer) });
const bad = (version: string) => ({ version, faults: ['policy.yaml:3 rules is missing.'] });

function hold(first: LoadedPolicy & { policy: Policy } = good('first')): {
  readonly live: LivePolicy;
  readonly reloads: readonly string[];
  readonly log: readonly string[];
  put(reading: LoadedPolicy): void;
} {
  let inFile: LoadedPolicy = first;
  const reloads: string[] = [];
  const log: string[] = [];
  const live = createLivePolicy({
    first,
    read: () => inFile,
    createVerifier: ({ issuers }) => {
      if (issuers.length === 0) throw new TypeError('no issuer');
      return {} as TokenVerifier;
    },
    prepareStorage: storageOf,
    clock: () => now,
    logger: createLogger('info', fixedClock, { write: (line: string) => void log.push(line) }),
    onReload: (result) => void reloads.push(result),
  });
  return {
    live,
    reloads,
    log,
    put: (reading) => {
      inFile = reading;
    },
  };
}

describe('polling the file', () => {
  it('applies a new policy on the second poll that reads the same content', () => {
    const { live, reloads, put } = hold();
    const second = good('second');
    put(second);
    live.poll();
    expect(live.status().version).toBe('first');
    live.poll();
    expect(live.status()).toStrictEqual({ version: 'second', rules: 1, loadedAt: now });
    expect(live.active().policy).toBe(second.policy);
    live.poll();
    expect(reloads).toStrictEqual(['applied']);
  });

  it('does not apply a file that is still being written', () => {
    const { live, reloads, put } = hold();
    for (const version of ['a', 'ab', 'abc']) {
      put(good(version));
      live.poll();
    }
    expect([live.status().version, reloads]).toStrictEqual(['first', []]);
    live.poll();
    expect([live.status().version, reloads]).toStrictEqual(['abc', ['applied']]);
  });

  it('rejects a bad policy, logs why once, and keeps the previous one active', () => {
    const { live, reloads, log, put } = hold();
    const before = live.active();
    put(bad('broken'));
    for (let poll = 0; poll < 5; poll++) live.poll();
    expect(live.active()).toBe(before);
    expect(live.status()).toMatchObject({ version: 'first', refusedVersion: 'broken' });
    expect(reloads).toStrictEqual(['refused']);
    expect(log).toHaveLength(1);
    expect(JSON.parse(log[0] ?? '')).toMatchObject({
      level: 'error',
      policyVersion: 'first',
      refusedVersion: 'broken',
      faults: ['policy.yaml:3 rules is missing.'],
    });
  });

  it('clears the warning when a bad policy is reverted, and applies the next good one', () => {
    const { live, reloads, put } = hold();
    const looks = (reading: LoadedPolicy) => {
      put(reading);
      live.poll();
      live.poll();
    };
    looks(bad('broken'));
    looks(good('first'));
    expect(live.status().refusedVersion).toBeUndefined();
    looks(bad('broken'));
    looks(good('second'));
    expect(live.status()).toStrictEqual({ version: 'second', rules: 1, loadedAt: now });
    expect(reloads).toStrictEqual(['refused', 'refused', 'applied']);
  });

  it('rejects a policy whose issuers cannot be used', () => {
    const { live, reloads, put } = hold();
    const second = good('second');
    put({ ...second, policy: { ...second.policy, issuers: [] } });
    live.poll();
    live.poll();
    expect(live.status()).toMatchObject({ version: 'first', refusedVersion: 'second' });
    expect(reloads).toStrictEqual(['refused']);
  });
});

describe('a reload', () => {
  it('applies a new policy at once', () => {
    const { live, put } = hold();
    put(good('second'));
    live.reload();
    expect(live.status().version).toBe('second');
  });

  it('logs that the file is unchanged', () => {
    const { live, reloads, log } = hold();
    live.reload();
    expect(reloads).toStrictEqual([]);
    expect(log.join('')).toContain('unchanged');
  });
});
