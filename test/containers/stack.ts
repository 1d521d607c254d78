import { expect, vi } from 'vitest';
import type { Engine } from './engine.ts';

/**
 * The addresses of the service and the demo's issuer, with docker-compose.yml and
 * compose.demo.yaml.
 */
export const SERVICE = 'http://localhost:8080';
export const DEMO = 'http://localhost:8090';

/** The compose files of a stack, and the project name, which not every engine reads from them. */
export type Stack = { readonly project: string; readonly files: readonly string[] };

export const DEMO_STACK: Stack = { project: 'oss-presign-demo', files: ['compose.demo.yaml'] };
/** The compose files of an operator unchanged, and an issuer whose tokens the service accepts. */
export const REAL_STACK: Stack = {
  project: 'oss-presign',
  files: ['docker-compose.yml', 'compose.service-keys.yaml', 'test/containers/issuer.compose.yaml'],
};

const IMAGES = [
  { tag: 'oss-presign', context: '.', target: 'runtime' },
  { tag: 'oss-presign-demo', context: '.', target: 'demo' },
  { tag: 'oss-presign-proxy', context: 'deploy/proxy' },
] as const;

/** `docker compose ARG…` of a stack. */
export function compose(engine: Engine, { project, files }: Stack, ...args: readonly string[]) {
  return engine.compose('--project-name', project, ...files.flatMap((file) => ['-f', file]), ...args);
}

/** Builds the images of all stacks. */
export async function buildImages(engine: Engine): Promise<void> {
  for (const recipe of IMAGES) {
    const built = await engine.build(recipe);
    expect(built.code, built.stderr).toBe(0);
  }
}

/** Brings a stack up whose images are built, and waits until the service is ready. */
export async function startStack(engine: Engine, stack: Stack): Promise<void> {
  // Both stacks publish the same ports.
  for (const earlier of [DEMO_STACK, stack]) await stopStack(engine, earlier);
  const up = await compose(engine, stack, 'up', '-d', '--no-build');
  expect(up.code, up.stderr).toBe(0);
  const ready = async () => expect((await fetch(`${SERVICE}/readyz`)).status).toBe(200);
  await vi.waitFor(ready, { timeout: 60_000, interval: 500 }).catch(async (error) => {
    const [replica = ''] = await containersOf(engine, stack, 'presign');
    const { stdout, stderr } = await engine.run('logs', replica);
    throw new Error(`The stack is not ready. A replica of the service logs:\n${stdout}${stderr}`, {
      cause: error,
    });
  });
}

/** Removes all containers and volumes of the stack. */
export async function stopStack(engine: Engine, stack: Stack): Promise<void> {
  await compose(engine, stack, 'down', '-v');
}

/** The names of the containers of one service, running or not. */
export async function containersOf(
  engine: Engine,
  { project }: Stack,
  service: string,
): Promise<readonly string[]> {
  const { code, stdout, stderr } = await engine.run(
    'ps',
    '--all',
    `--filter=label=com.docker.compose.project=${project}`,
    `--filter=label=com.docker.compose.service=${service}`,
    '--format={{.Names}}',
  );
  expect(code, stderr).toBe(0);
  return stdout.split('\n').filter(Boolean).sort();
}

/** Returns a token of the demo's issuer that is valid for an hour. */
export async function demoToken(subject: string): Promise<string> {
  return (await fetch(`${DEMO}/token?sub=${subject}`)).text();
}
