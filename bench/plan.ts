import { type ContenderName, PARTS, type PartName } from './contenders.ts';
import { ALL_LOADS, CHECK_LOADS, type RequestLoad } from './measure/request-loads.ts';
import type { BenchOptions } from './options.ts';

/** The measurements of a run. */
export type Plan = {
  readonly rounds: number;
  readonly seconds: number;
  readonly loads: Readonly<Partial<Record<ContenderName, readonly RequestLoad[]>>>;
  readonly parts: readonly PartName[];
  /** Whether the Go peer is measured. Building it can take longer than the rest of a check. */
  readonly withGo: boolean;
  readonly startUps: number;
};

export function planOf({ check, only, rounds, seconds }: BenchOptions): Plan {
  const shared = { rounds, seconds, startUps: check ? 5 : 10, withGo: !check };
  if (check) return { ...shared, loads: CHECK_LOADS, parts: PARTS };
  if (only.length === 0) return { ...shared, loads: ALL_LOADS, parts: PARTS };
  const chosen = Object.entries(ALL_LOADS).filter(([name]) => only.some((one) => one === name));
  // Every server is compared with bare Fastify.
  const loads = chosen.length > 0 ? { fastify: ALL_LOADS.fastify, ...Object.fromEntries(chosen) } : {};
  return { ...shared, loads, parts: PARTS.filter((part) => only.includes(part)) };
}
