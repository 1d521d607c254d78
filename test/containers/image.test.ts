import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { testPolicyYaml } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { findEngine } from './engine.ts';

const engine = findEngine();
const IMAGE = 'oss-presign';

beforeAll(async () => {
  const built = await engine.build('runtime', IMAGE);
  expect(built.code, built.stderr).toBe(0);
});

/** Starts the image as an operator would who trusts nothing, and removes it when the test ends. */
async function start(name: string, ...args: readonly string[]): Promise<string> {
  await engine.run('rm', '--force', name);
  onTestFinished(async () => void (await engine.run('rm', '--force', name)));
  const started = await engine.run(
    'run',
    '--detach',
    '--name',
    name,
    '--read-only',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    ...args,
    IMAGE,
  );
  expect(started.code, started.stderr).toBe(0);
  return name;
}

function policyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-image-'));
  // The container's user is another than the one who runs this.
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'policy.yaml'), testPolicyYaml());
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(createTestIssuer().jwks));
  return folder;
}

const configured = () => [
  '--volume',
  `${policyFolder()}:/etc/oss-presign:ro`,
  ...[
    'POLICY_FILE=/etc/oss-presign/policy.yaml',
    'OSS_ACCESS_KEY_ID=TheKeyId',
    'OSS_ACCESS_KEY_SECRET=TheKeySecret',
  ].flatMap((one) => ['--env', one]),
];

async function inContainer(name: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await engine.run('exec', name, 'node', '-e', script);
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

it('runs as the user node on a read-only file system, and goes healthy', async () => {
  const name = await start('oss-presign-test-healthy', ...configured());
  await vi.waitFor(
    async () => {
      const health =
        engine.name === 'podman'
          ? await engine.run('healthcheck', 'run', name)
          : await engine.run('inspect', '--format={{.State.Health.Status}}', name);
      expect(engine.name === 'podman' ? health.code : health.stdout.trim()).toBe(
        engine.name === 'podman' ? 0 : 'healthy',
      );
    },
    { timeout: 40_000, interval: 500 },
  );
  expect(await inContainer(name, 'console.log(process.getuid(), process.version.split(".")[0])')).toBe(
    '1000 v24',
  );
  expect(
    await inContainer(
      name,
      'try { fs.writeFileSync("/app/x", "") } catch (error) { console.log(error.code) }',
    ),
  ).toBe('EROFS');
  expect(
    await inContainer(
      name,
      'console.log(fs.readFileSync("/proc/1/status", "utf8").match(/CapEff:\\s*(\\w+)/)[1])',
    ),
  ).toMatch(/^0+$/);
  expect(
    await inContainer(
      name,
      'console.log(fs.readFileSync("/proc/1/cmdline", "utf8").replaceAll("\\0", " ").trim())',
    ),
  ).toBe('node src/main.ts');
});

it('holds what production needs, and nothing of development', async () => {
  const name = await start('oss-presign-test-content', ...configured());
  const listed = await inContainer(
    name,
    'console.log(JSON.stringify([fs.readdirSync("/app"), fs.readdirSync("/app/src"), ["typescript","vitest","ali-oss","node","@biomejs"].filter((one) => fs.existsSync("/app/node_modules/" + one))]))',
  );
  const [top, source, development] = JSON.parse(listed);
  expect(top.sort()).toStrictEqual(['node_modules', 'package.json', 'src']);
  expect(source).not.toContain('emulator');
  expect(source).not.toContain('demo');
  expect(development).toStrictEqual([]);
});

it('says what is missing in plain words and ends 1', async () => {
  const { code, stdout, stderr } = await engine.run('run', '--rm', '--read-only', '--cap-drop=ALL', IMAGE);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('oss-presign does not start:\n  - POLICY_FILE');
  expect(stderr).not.toMatch(/\n {4}at /);
});

it('ends 0 on SIGTERM, within the time to drain', async () => {
  const name = await start('oss-presign-test-stop', ...configured());
  await vi.waitFor(
    async () => expect((await engine.run('logs', name)).stdout).toContain('"msg":"listening"'),
    { timeout: 20_000, interval: 200 },
  );
  const stopped = await engine.run('stop', '--time', '20', name);
  expect(stopped.code, stopped.stderr).toBe(0);
  const { stdout } = await engine.run('inspect', '--format={{.State.ExitCode}}', name);
  expect(stdout.trim()).toBe('0');
  expect((await engine.run('logs', name)).stdout).toContain('"msg":"stopped"');
});

it('keeps no secret in its layers', async () => {
  const { stdout } = await engine.run('history', '--no-trunc', '--format={{.CreatedBy}}', IMAGE);
  expect(stdout).toContain('src/main.ts');
  expect(stdout).not.toMatch(/secret|password|_authToken/i);
});
