import { readFileSync } from 'node:fs';

/** The resident memory of a process in MiB; NaN if the system is not Linux. */
export function residentMemory(pid: number): number {
  try {
    const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1024;
  } catch {
    return Number.NaN;
  }
}
