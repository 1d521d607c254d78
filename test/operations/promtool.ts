import { execFile } from 'node:child_process';

export type PromtoolResult = { readonly code: number; readonly output: string };

/**
 * Runs Prometheus' own checker; `output` is its standard output and standard error.
 * @throws Error if it is not installed.
 */
export function promtool(args: readonly string[], input = ''): Promise<PromtoolResult> {
  return new Promise((resolve, reject) => {
    const child = execFile('promtool', args, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') {
        reject(
          new Error(`promtool cannot be run; on Debian and Ubuntu, apt-get install prometheus`, {
            cause: error,
          }),
        );
      } else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
    child.stdin?.end(input);
  });
}
