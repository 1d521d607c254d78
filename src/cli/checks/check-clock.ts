import type { Clock } from '../../clock.ts';
import type { ReadinessCheck } from '../../health/check.ts';
import { describeFailure, hostOf } from '../../net/http-call.ts';
import type { Target } from '../../policy/policy.ts';
import { bucketAddress } from '../../storage/oss/endpoint.ts';
import { type ClockOffset, createWatchedFetch } from './watched-fetch.ts';

/**
 * OSS rejects requests that were signed more than 15 min before or after its own time. The check
 * fails at a third of that.
 */
const MAX_OFFSET_SECONDS = 300;

const TIMEOUT_MS = 5000;

/**
 * Checks how far this machine's clock is off.
 * @param known the offset from the responses of the issuers. Without it, OSS is asked for its time.
 */
export async function checkClock(
  known: ClockOffset | undefined,
  targets: readonly Target[],
  { fetch, clock }: { readonly fetch: typeof globalThis.fetch; readonly clock: Clock },
): Promise<ReadinessCheck> {
  const origins = new Set(
    targets.map(
      ({ serviceEndpoint, bucket, region }) => bucketAddress(serviceEndpoint, bucket, region).origin,
    ),
  );
  let offset = known;
  const failures: string[] = [];
  for (const origin of origins) {
    if (offset) break;
    const result = await measureOffset(origin, fetch, clock);
    if (typeof result === 'string') failures.push(result);
    else offset = result;
  }
  const name = 'clock';
  if (!offset) return { name, ok: false, detail: `no server sent its time: ${failures.join(', ')}` };
  const ok = Math.abs(offset.seconds) <= MAX_OFFSET_SECONDS;
  const advice = ok
    ? ''
    : '; OSS rejects signatures from 900 s on, and tokens fail long before: set the clock by NTP';
  return { name, ok, detail: `${describeOffset(offset)}${advice}` };
}

/** @returns the offset, or the reason why the server did not send its time. */
async function measureOffset(
  origin: string,
  fetch: typeof globalThis.fetch,
  clock: Clock,
): Promise<ClockOffset | string> {
  const host = hostOf(origin);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const watched = createWatchedFetch(fetch, clock);
  try {
    // Not signed: OSS rejects it, but every response has the time.
    await watched.fetch(`${origin}/`, {
      method: 'HEAD',
      redirect: 'manual',
      signal,
    });
  } catch (error) {
    return signal.aborted ? `${host} did not respond in time` : describeFailure(error, host);
  }
  return watched.clockOffset() ?? `${host} responded without a Date header`;
}

function describeOffset({ origin, seconds }: ClockOffset): string {
  if (seconds === 0) return `0 s off, by ${origin}`;
  return `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} ${origin}`;
}
