import type { Clock } from '../../clock.ts';

/**
 * How far this machine's clock is ahead of a server's, in whole seconds; negative if it is behind.
 */
export type ClockOffset = { readonly origin: string; readonly seconds: number };

export type WatchedFetch = {
  readonly fetch: typeof fetch;
  /** From the first response with a Date header; undefined before that. */
  clockOffset(): ClockOffset | undefined;
};

/** A fetch that also measures the offset of the clock from the responses. */
export function createWatchedFetch(fetch: typeof globalThis.fetch, clock: Clock): WatchedFetch {
  let offset: ClockOffset | undefined;
  return {
    clockOffset: () => offset,
    fetch: async (input, init) => {
      const sentAt = clock();
      const response = await fetch(input, init);
      offset ??= offsetOf(new URL(String(input)).origin, response.headers, sentAt, clock());
      return response;
    },
  };
}

function offsetOf(origin: string, headers: Headers, sentAt: Date, receivedAt: Date): ClockOffset | undefined {
  const date = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(date)) return undefined;
  // A cache sends the Date of the stored response, and its age in seconds in Age (RFC 9111 5.1).
  const ageMs = /^\d{1,9}$/.test(headers.get('age') ?? '') ? Number(headers.get('age')) * 1000 : 0;
  // Date is cut to whole seconds, and the response was made between sending and receiving.
  const theirs = date + ageMs + 500;
  const ours = (sentAt.getTime() + receivedAt.getTime()) / 2;
  return { origin, seconds: Math.round((ours - theirs) / 1000) };
}
