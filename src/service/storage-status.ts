import type { Clock } from '../clock.ts';
import type { ReadinessCheck } from '../health/check.ts';
import type { StorageFailure } from '../storage/storage-error.ts';
import type { StorageOutcome } from '../storage/storage-observer.ts';
import { isoSeconds } from '../text/iso-seconds.ts';

export type StorageStatus = {
  /** Records how a call to the bucket of a target ended. */
  ended(target: string, outcome: StorageOutcome): void;
  /**
   * Always ok: every replica calls the same buckets, so an unreachable bucket must not make all of
   * them unready. The detail names the targets whose last call failed, and since when calls fail.
   * @param targets the names of the targets of the active policy.
   */
  check(targets: readonly string[]): ReadinessCheck;
};

/** Keeps, by target, since when the calls to its bucket fail. A call that succeeds ends it. */
export function createStorageStatus(clock: Clock): StorageStatus {
  const failing = new Map<string, { readonly since: Date; readonly kind: StorageFailure }>();
  return {
    ended(target, outcome) {
      if (outcome === 'ok' || outcome === 'absent') failing.delete(target);
      else failing.set(target, { since: failing.get(target)?.since ?? clock(), kind: outcome });
    },
    check(targets) {
      for (const target of failing.keys()) if (!targets.includes(target)) failing.delete(target);
      const details = [...failing].map(
        ([target, { since, kind }]) =>
          `calls to ${target} fail since ${isoSeconds(Math.floor(since.getTime() / 1000))}: ${kind}`,
      );
      return { name: 'storage', ok: true, detail: details.join(', ') || undefined };
    },
  };
}
