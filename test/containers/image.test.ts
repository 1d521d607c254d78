import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { policyWith } from '../support/policies.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { findEngine } from './engine.ts';
import { historyOf } from './image-history.ts';
import { withLayersOf } from './image-layers.ts';

const engine = findEngine();
const IMAGE = 'oss-presign';
const MAX_OWN_MB = 250;

const packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean }>> =
  JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;

beforeAll(async () => {
  const built = await engine.build({ tag: IMAGE, context: '.', target: 'runtime' });
  expect(built.code, built.stderr).toBe(0);
});

/** Starts the image with as few privileges as possible, and removes it when the test ends. */
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
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // The container runs as another user than this test.
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'policy.yaml'), policyWith());
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

/**
 * Waits for the health check of the image to pass. Podman runs it on demand, Docker all the time.
 */
async function expectHealthy(name: string): Promise<void> {
  await vi.waitFor(
    async () => {
      if (engine.name === 'podman') expect((await engine.run('healthcheck', 'run', name)).code).toBe(0);
      else {
        const { stdout } = await engine.run('inspect', '--format={{.State.Health.Status}}', name);
        expect(stdout.trim()).toBe('healthy');
      }
    },
    { timeout: 40_000, interval: 500 },
  );
}

describe('running', () => {
  it('runs as the user node without capabilities on a read-only file system, and becomes healthy', async () => {
    const name = await start('oss-presign-test-healthy', ...configured());
    await expectHealthy(name);
    const seen = await inContainer(
      name,
      `const status = fs.readFileSync('/proc/1/status', 'utf8');
       const line = (field) => status.match(new RegExp('^' + field + ':\\\\s*(.*)$', 'm'))[1];
       let written = 'written';
       try { fs.writeFileSync('/app/x', '') } catch (error) { written = error.code }
       console.log(JSON.stringify({
         node: process.version.split('.')[0],
         user: line('Uid').split('\\t')[1],
         group: line('Gid').split('\\t')[1],
         capabilities: ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(line),
         noNewPrivileges: line('NoNewPrivs'),
         written,
         command: fs.readFileSync('/proc/1/cmdline', 'utf8').replaceAll('\\0', ' ').trim(),
       }))`,
    );
    expect(JSON.parse(seen)).toStrictEqual({
      node: 'v24',
      user: '1000',
      group: '1000',
      capabilities: Array(5).fill('0000000000000000'),
      noNewPrivileges: '1',
      written: 'EROFS',
      command: 'node src/main.ts',
    });
  });

  it('serves /docs with every file of the page', async () => {
    const name = await start('oss-presign-test-docs', ...configured());
    await expectHealthy(name);
    const statuses = await inContainer(
      name,
      `const service = 'http://127.0.0.1:' + process.env.PORT;
       (async () => {
         const page = await (await fetch(service + '/docs')).text();
         const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => new URL(file, service + '/docs'));
         console.log(JSON.stringify(await Promise.all(files.map(async (file) => (await fetch(file)).status))));
       })();`,
    );
    expect(JSON.parse(statuses)).toStrictEqual(Array(6).fill(200));
  });

  it('needs no shell to start or to check its health', async () => {
    const withoutShells = ['/usr/bin/dash', '/usr/bin/bash'].flatMap((shell) => [
      '--volume',
      `/dev/null:${shell}:ro`,
    ]);
    const name = await start('oss-presign-test-shell', ...withoutShells, ...configured());
    await expectHealthy(name);
    for (const shell of ['sh', 'bash']) {
      expect((await engine.run('exec', name, shell, '-c', 'true')).code, shell).not.toBe(0);
    }
  });

  // Node.js ignores a cache of another user or version. It reports that only in this debug output.
  it('uses the compile cache, and cannot change it', async () => {
    const { stderr } = await engine.run('run', '--rm', '--env', 'NODE_DEBUG_NATIVE=COMPILE_CACHE', IMAGE);
    expect(stderr).toMatch(/V8 code cache for ESM file:\/\/\/app\/src\/main\.ts was accepted/);
    expect(stderr).not.toMatch(/file:\/\/\/app\/src\/service\/service\.ts was not initialized| was rejected/);
    const write = 'fs.writeFileSync("/app/node_modules/.cache/compiled/mine", "")';
    const written = await engine.run('run', '--rm', IMAGE, 'node', '--eval', write);
    expect(written.stderr).toContain('EACCES');
  });

  it('names what is missing and exits with 1', async () => {
    const { code, stdout, stderr } = await engine.run('run', '--rm', '--read-only', '--cap-drop=ALL', IMAGE);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('oss-presign does not start:\n  - POLICY_FILE');
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('exits with 0 on SIGTERM, within the time to drain', async () => {
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
});

describe('content', () => {
  it('is what production needs, and nothing for development', async () => {
    const paths = Object.keys(packages).filter((path) => path !== '');
    const { code, stdout, stderr } = await engine.run(
      'run',
      '--rm',
      IMAGE,
      'node',
      '-e',
      `console.log(JSON.stringify([
        fs.readdirSync('/app'),
        fs.readdirSync('/app/src'),
        ${JSON.stringify(paths)}.filter((path) => fs.existsSync('/app/' + path)),
      ]))`,
    );
    expect(code, stderr).toBe(0);
    const [top, source, installed] = JSON.parse(stdout);
    expect(top.sort()).toStrictEqual(['node_modules', 'package.json', 'src']);
    expect(source).not.toContain('emulator');
    expect(source).not.toContain('demo');
    const inProduction = paths.filter((path) => !packages[path]?.dev && !packages[path]?.optional);
    expect(installed).toStrictEqual(inProduction);
  });

  it(`adds less than ${MAX_OWN_MB} MB to its base`, async () => {
    const steps = await historyOf(engine, IMAGE);
    const firstOwn = steps.findIndex(({ createdBy }) => createdBy.includes('NODE_ENV=production'));
    expect(firstOwn).toBeGreaterThan(0);
    const ownMb = steps.slice(0, firstOwn + 1).reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
    console.info(`The image adds ${ownMb.toFixed(1)} MB to its base.`);
    expect(ownMb).toBeGreaterThan(1);
    expect(ownMb).toBeLessThan(MAX_OWN_MB);
  });

  it('has no secret in its history and its environment', async () => {
    const history = (await historyOf(engine, IMAGE)).map(({ createdBy }) => createdBy).join('\n');
    expect(history).toContain('src/main.ts');
    expect(history).not.toMatch(/secret|password|_authToken/i);
    const { stdout } = await engine.run('inspect', '--format={{json .Config.Env}}', IMAGE);
    const names = (JSON.parse(stdout) as string[]).map((entry) => entry.split('=', 1)[0]);
    expect(names).toContain('NODE_ENV');
    expect(names.filter((name) => /KEY|SECRET|TOKEN|PASSWORD|REDIS/.test(name ?? ''))).toStrictEqual([]);
  });

  it('adds only the program in its layers, and no secret', async () => {
    const own = await withLayersOf(engine, IMAGE, (layers) => {
      const first = layers.findIndex(({ paths }) => paths.some((path) => path.startsWith('app/')));
      return layers.slice(first).map(({ paths, textOf }) => {
        const files = paths.filter((path) => !/\/$|\/node_modules\//.test(path));
        return { paths, files, text: textOf(files) };
      });
    });
    // A file that a later step deletes is still in the layer of the step that created it.
    const strangers = own
      .flatMap(({ paths }) => paths)
      .filter((path) => !/^app\/($|(node_modules|src)\/|package\.json$)/.test(path));
    expect(strangers).toStrictEqual([]);
    expect(own.flatMap(({ files }) => files)).toContain('app/src/main.ts');
    const text = own.map((layer) => layer.text).join('');
    expect(text).toContain('oss-presign does not start');
    expect(text).not.toMatch(/LTAI\w{12,}|PRIVATE KEY-----|_authToken/);
  });
});
