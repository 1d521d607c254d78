import { execFile } from 'node:child_process';

export type Judgement = { readonly code: number; readonly output: string };

/**
 * Runs Prometheus' own checker; `output` is all that it wrote.
 * @throws Error where there is none.
 */
export function promtool(args: readonly string[], input = ''): Promise<Judgement> {
  return new Promise((resolve, reject) => {
    const child = execFile('promtool', args, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') {
        reject(
          new Error(`promtool cannot be run; on Debian and Ubuntu, apt-get install prometheus brings it`, {
            cause: error,
          }),
        );
      } else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr });
    });
    child.stdin?.end(input);
  });
}
