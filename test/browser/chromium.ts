import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** @throws Error where there is no Chromium: this suite fails then, it does not skip. */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath}: install one, or set CHROMIUM to another's path.`,
    );
  }
  return await chromium.launch({
    executablePath,
    args: [
      // The sandbox does not start for root, as which containers and CI often run.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Follows the memory of all processes below this one until it is stopped: their peak in MiB, where what they share counts once (PSS). */
export function watchMemory(): { stop(): number } {
  let peak = 0;
  const look = () => {
    peak = Math.max(
      peak,
      descendants().reduce((sum, pid) => sum + pssMib(pid), 0),
    );
  };
  look();
  const timer = setInterval(look, 100);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

function descendants(): readonly number[] {
  const parents = new Map<number, number>();
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    const status = readProc(`${pid}/status`);
    parents.set(pid, Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]));
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === process.pid || isBelow(parent));
  };
  return [...parents.keys()].filter(isBelow);
}

function pssMib(pid: number): number {
  return Number(/^Pss:\s*(\d+)/m.exec(readProc(`${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
}

/** Nothing for a process that is gone meanwhile. */
function readProc(name: string): string {
  try {
    return readFileSync(`/proc/${name}`, 'utf8');
  } catch {
    return '';
  }
}
