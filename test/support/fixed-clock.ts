import type { Clock } from '../../src/clock.ts';

/** The instant at which the tests happen. */
export const now = new Date('2026-11-23T10:00:00Z');

export const fixedClock: Clock = () => new Date(now);
