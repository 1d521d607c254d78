import { spawn } from 'node:child_process';

const END = '\u0004';

export type ResidentClient = {
  /** Runs one command line after those before it; what it printed, and its exit code. */
  run(
    fields: readonly string[],
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
};

/**
 * Starts a client that takes seconds to start and so runs one command line after the other: fields with tabs between them go
 * in, a line each; EOT ends what comes out, with the exit code behind it on stdout. It ends when this process does.
 */
export function startResidentClient([program = '', ...args]: readonly string[], cwd: string): ResidentClient {
  const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const failed = new Promise<never>((_resolve, reject) => {
    child
      .once('error', reject)
      .once('close', (code) => reject(new Error(`It ended with ${code}: ${printed.stderr}`)));
  });
  failed.catch(() => {});
  const printed = { stdout: '', stderr: '' };
  let onPrint = () => {};
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text) => {
      printed[stream] += text;
      onPrint();
    });
  const runOne = async (fields: readonly string[]) => {
    printed.stdout = '';
    printed.stderr = '';
    const ended = new Promise<void>((resolve) => {
      onPrint = () => {
        if (printed.stderr.endsWith(END) && printed.stdout.endsWith('\n') && printed.stdout.includes(END))
          resolve();
      };
    });
    child.stdin.write(`${fields.join('\t')}\n`);
    await Promise.race([ended, failed]);
    const [stdout = '', code] = printed.stdout.split(END);
    return { code: Number(code), stdout, stderr: printed.stderr.slice(0, -END.length) };
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    run: (fields) => {
      const outcome = last.then(() => runOne(fields));
      last = outcome.catch(() => {});
      return outcome;
    },
  };
}
