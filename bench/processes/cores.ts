import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findTool } from './find-tool.ts';

/** The core of the servers and the core of all other processes, or why there are none. */
export type Cores = { readonly server: number; readonly rest: number } | { readonly missing: string };

/** Finds two cores that this process may use, and moves it to the second one. */
export function takeCores(): Cores {
  if (!findTool('taskset')) return { missing: 'there is no taskset' };
  const status = readFileSync('/proc/self/status', 'utf8');
  const [server, rest] = parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '');
  if (server === undefined || rest === undefined) return { missing: 'there is only one core' };
  // Only this thread, whose children inherit it. With all threads of the process, taskset fails if
  // one of them ends.
  execFileSync('taskset', ['-c', '-p', String(rest), String(process.pid)], { stdio: 'ignore' });
  return { server, rest };
}

/** The numbers in a list such as `0-2,5` (Linux: cpuset(7), list format). */
export function parseCpuList(list: string): readonly number[] {
  return list
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = Number.NaN, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** The command that runs a command on one core only. */
export function pinned(cores: Cores, use: 'server' | 'rest', command: readonly string[]): readonly string[] {
  return 'missing' in cores ? command : ['taskset', '-c', String(cores[use]), ...command];
}
