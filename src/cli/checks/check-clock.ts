import type { Clock } from '../../clock.ts';
import type { ReadinessCheck } from '../../health/check.ts';
import { describeFailure, hostOf } from '../../net/fetch-json.ts';
import type { Target } from '../../policy/policy.ts';
import { bucketAddress } from '../../storage/oss/endpoint.ts';
import { type ClockOffset, createWatchedFetch } from './watched-fetch.ts';

/** OSS refuses what was signed more than 15 min before or after its own time; a clock that is off by a third of it gets worse. */
const MAX_OFFSET_SECONDS = 300;

const TIMEOUT_MS = 5000;

/**
 * How far this machine's clock is off, by what an issuer's server told, or else by asking OSS.
 * @param told by the issuers' answers.
 */
export async function checkClock(
  told: ClockOffset | undefined,
  targets: readonly Target[],
  { fetch, clock }: { readonly fetch: typeof globalThis.fetch; readonly clock: Clock },
): Promise<ReadinessCheck> {
  const origins = new Set(
    targets.map(({ endpoint, bucket, region }) => bucketAddress(endpoint, bucket, region).origin),
  );
  let offset = told;
  const failures: string[] = [];
  for (const origin of origins) {
    if (offset) break;
    const answer = await askForTime(origin, fetch, clock);
    if (typeof answer === 'string') failures.push(answer);
    else offset = answer;
  }
  const name = 'clock';
  if (!offset) return { name, ok: false, detail: `no server sent its time: ${failures.join(', ')}` };
  const ok = Math.abs(offset.seconds) <= MAX_OFFSET_SECONDS;
  const advice = ok
    ? ''
    : '; OSS rejects signatures from 900 s on, and tokens fail long before: set the clock by NTP';
  return { name, ok, detail: `${describeOffset(offset)}${advice}` };
}

/** @returns the offset, or why the server did not send its time. */
async function askForTime(
  origin: string,
  fetch: typeof globalThis.fetch,
  clock: Clock,
): Promise<ClockOffset | string> {
  const host = hostOf(origin);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const watched = createWatchedFetch(fetch, clock);
  try {
    // Unsigned, so that a real bucket refuses; the time stands in any answer.
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
