import { expect, vi } from 'vitest';
import type { Engine } from './engine.ts';

/** Where docker-compose.yml publishes the proxy and what the demo profile adds. */
export const SERVICE = 'http://localhost:8080';
export const DEMO = 'http://localhost:8090';

const IMAGES = [
  { tag: 'oss-presign', context: '.', target: 'runtime' },
  { tag: 'oss-presign-demo', context: '.', target: 'demo' },
  { tag: 'oss-presign-proxy', context: 'deploy/proxy' },
] as const;

/** Builds all images, brings docker-compose.yml up with the demo, and waits until the proxy finds a copy that is ready. */
export async function startStack(engine: Engine): Promise<void> {
  for (const recipe of IMAGES) {
    const built = await engine.build(recipe);
    expect(built.code, built.stderr).toBe(0);
  }
  await stopStack(engine);
  // Naming the service of a profile starts it, with every compose; not every one knows --profile.
  const up = await engine.compose('up', '-d', '--no-build', 'presign', 'valkey', 'proxy', 'demo');
  expect(up.code, up.stderr).toBe(0);
  const ready = async () => expect((await fetch(`${SERVICE}/readyz`)).status).toBe(200);
  await vi.waitFor(ready, { timeout: 60_000, interval: 500 }).catch(async (error) => {
    const [copy = ''] = await containersOf(engine, 'presign');
    const { stdout, stderr } = await engine.run('logs', copy);
    throw new Error(`The stack is not ready. A copy of the service says:\n${stdout}${stderr}`, {
      cause: error,
    });
  });
}

/** Takes down whatever there is of it. */
export async function stopStack(engine: Engine): Promise<void> {
  await engine.compose('down', '-v');
}

/** The names of the containers of one service, running or not. */
export async function containersOf(engine: Engine, service: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await engine.run(
    'ps',
    '--all',
    '--filter=label=com.docker.compose.project=oss-presign',
    `--filter=label=com.docker.compose.service=${service}`,
    '--format={{.Names}}',
  );
  expect(code, stderr).toBe(0);
  return stdout.split('\n').filter(Boolean).sort();
}

/** A token of the demo's issuer, good for an hour. */
export async function demoToken(subject: string): Promise<string> {
  return (await fetch(`${DEMO}/token?sub=${subject}`)).text();
}
