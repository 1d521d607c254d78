import type { Clock } from '../../src/clock.ts';
import { now } from './fixed-clock.ts';

/** A clock that stands still until a test moves it. */
export function createManualClock(): { readonly clock: Clock; advance(ms: number): void } {
  let instant = now.getTime();
  return {
    clock: () => new Date(instant),
    advance: (ms) => {
      instant += ms;
    },
  };
}
