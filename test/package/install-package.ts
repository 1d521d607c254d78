import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';

export type InstalledPackage = {
  /** The folder into which the package was installed. It contains nothing else. */
  readonly folder: string;
  /** The files of the tarball, relative to its folder `package/`. */
  readonly files: readonly string[];
  readonly tarballBytes: number;
  readonly unpackedBytes: number;
  /** Runs `npx oss-presign …` in the folder, without the service's variables of this process. */
  npx(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome>;
  /** Starts the command without npx, so that signals reach it. */
  start(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): ChildProcessByStdio<null, Readable, Readable>;
  remove(): void;
};

export type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Long, because a slow registry takes seconds. */
const TIMEOUT_MS = 120_000;

const root = new URL('../../', import.meta.url).pathname;

/** The environment without variables of the service. npm needs the rest to reach its registry. */
const base = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(OSS_|ALIBABA_|POLICY_FILE|CORS_ORIGINS|REDIS_URL)/.test(name),
  ),
) as Record<string, string>;

/**
 * Packs the package and installs the tarball with its dependencies from the registry into an empty
 * folder.
 */
export async function installPackage(): Promise<InstalledPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-package-'));
  const packed = mkdtempSync(join(tmpdir(), 'oss-presign-packed-'));
  await succeed(execute('npm', ['pack', '--pack-destination', packed], root));
  const [name = ''] = readdirSync(packed);
  const tarball = join(packed, name);
  const listed = await succeed(execute('tar', ['--list', '--verbose', '--file', tarball], packed));
  const entries = listed.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s+/));
  writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }\n');
  await succeed(execute('npm', ['install', '--no-audit', '--no-fund', tarball], folder));

  return {
    folder,
    files: entries.map((entry) => (entry.at(-1) ?? '').replace(/^package\//, '')).sort(),
    tarballBytes: statSync(tarball).size,
    unpackedBytes: entries.reduce((sum, entry) => sum + Number(entry[2]), 0),
    npx: (args, env = {}) => execute('npx', ['--no-install', 'oss-presign', ...args], folder, env),
    start: (args, env) =>
      spawn(join(folder, 'node_modules/.bin/oss-presign'), args, {
        cwd: folder,
        env: { ...base, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    remove: () => {
      rmSync(folder, { recursive: true });
      rmSync(packed, { recursive: true });
    },
  };
}

function execute(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { cwd, env: { ...base, ...env }, timeout: TIMEOUT_MS },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      },
    );
  });
}

async function succeed(running: Promise<Outcome>): Promise<Outcome> {
  const outcome = await running;
  if (outcome.code !== 0) throw new Error(`${outcome.stdout}\n${outcome.stderr}`);
  return outcome;
}
