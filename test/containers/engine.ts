import { execFile, execFileSync } from 'node:child_process';
import process from 'node:process';

export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/**
 * An image to build: the folder of its Dockerfile, relative to the checkout, and the target to
 * build.
 */
export type ImageRecipe = { readonly tag: string; readonly context: string; readonly target?: string };

/** Runs containers with CONTAINER_TOOL if it is set, and otherwise with Docker. */
export type Engine = {
  readonly name: 'docker' | 'podman';
  /** Runs `docker ARG…`. Rejects if it cannot be started, but not for an exit code. */
  run(...args: readonly string[]): Promise<CommandResult>;
  compose(...args: readonly string[]): Promise<CommandResult>;
  build(recipe: ImageRecipe): Promise<CommandResult>;
};

const root = new URL('../../', import.meta.url).pathname;

/**
 * Finds the engine. CONTAINER_TOOL is a script that takes `podman ARG…` and `compose ARG…` and has
 * the base images at hand.
 * @param variables set for compose files.
 * @throws Error if there is neither, so that the suite fails instead of skipping.
 */
export function findEngine(variables: Readonly<Record<string, string>> = {}): Engine {
  const env = { ...process.env, ...variables };
  const tool = process.env.CONTAINER_TOOL;
  if (tool) {
    return {
      name: 'podman',
      run: (...args) => execute(tool, ['podman', ...args], env),
      compose: (...args) => execute(tool, ['compose', ...args], env),
      // Podman keeps health checks only in images of Docker's format.
      build: (recipe) =>
        execute(
          tool,
          ['podman', 'build', '--network=host', '--pull=never', '--format=docker', ...buildArguments(recipe)],
          env,
        ),
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
    run: (...args) => execute('docker', args, env),
    compose: (...args) => execute('docker', ['compose', ...args], env),
    build: (recipe) => execute('docker', ['build', ...buildArguments(recipe)], env),
  };
}

function buildArguments({ tag, context, target }: ImageRecipe): readonly string[] {
  return [...(target === undefined ? [] : [`--target=${target}`]), `--tag=${tag}`, context];
}

function execute(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd: root, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}
