import { execFile, execFileSync } from 'node:child_process';
import process from 'node:process';

export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs containers: a Docker engine where one answers, or else whatever CONTAINER_TOOL names. */
export type Engine = {
  readonly name: string;
  /** `docker ARG…`; rejects when it cannot be started, never for an exit code. */
  run(...args: readonly string[]): Promise<CommandResult>;
  compose(...args: readonly string[]): Promise<CommandResult>;
  build(target: string, tag: string): Promise<CommandResult>;
};

const root = new URL('../../', import.meta.url).pathname;

/**
 * Finds the engine. CONTAINER_TOOL is a script that takes `podman ARG…` and `compose ARG…` and has the base images at hand.
 * @throws Error where there is neither: this suite fails then, it does not skip.
 */
export function findEngine(): Engine {
  const tool = process.env.CONTAINER_TOOL;
  if (tool) {
    return {
      name: 'podman',
      run: (...args) => execute(tool, ['podman', ...args]),
      compose: (...args) => execute(tool, ['compose', ...args]),
      // Podman keeps health checks in images of Docker's format only.
      build: (target, tag) =>
        execute(tool, [
          'podman',
          'build',
          '--network=host',
          '--pull=never',
          '--format=docker',
          `--target=${target}`,
          `--tag=${tag}`,
          '.',
        ]),
    };
  }
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' });
  } catch {
    throw new Error(
      'The container suite needs a Docker engine (docker info fails) or CONTAINER_TOOL; see CONTRIBUTING.md.',
    );
  }
  return {
    name: 'docker',
    run: (...args) => execute('docker', args),
    compose: (...args) => execute('docker', ['compose', ...args]),
    build: (target, tag) => execute('docker', ['build', `--target=${target}`, `--tag=${tag}`, '.']),
  };
}

function execute(file: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd: root, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}
