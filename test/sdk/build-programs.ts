import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

export const SDKS = ['go', 'python', 'java', 'ali-oss'] as const;
export type SdkName = (typeof SDKS)[number];
type Command = readonly [string, ...string[]];

declare module 'vitest' {
  interface ProvidedContext {
    /** How to start the program of each SDK. */
    readonly programs: Readonly<Record<SdkName, Command>>;
  }
}

/** How each program is built inside a copy of its folder, what starts it then, and the Debian packages with its tools. */
const RECIPES: Readonly<
  Record<SdkName, { packages: string; build: readonly Command[]; start: (folder: string) => Command }>
> = {
  go: {
    packages: 'golang-go',
    build: [['go', 'build', '-o', 'program', '.']],
    start: (folder) => [join(folder, 'program')],
  },
  python: {
    packages: 'python3 python3-venv',
    build: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '--quiet', '--requirement', 'requirements.txt'],
    ],
    start: (folder) => [join(folder, 'venv/bin/python'), join(folder, 'program.py')],
  },
  java: {
    packages: 'openjdk-17-jdk-headless maven',
    build: [
      // Maven finds a Java of its own that need not be on the PATH, where the program starts.
      ['java', '-version'],
      ['mvn', '--quiet', '--batch-mode', 'compile', 'dependency:copy-dependencies'],
    ],
    start: (folder) => [
      'java',
      '-cp',
      ['target/classes', 'target/dependency/*'].map((path) => join(folder, path)).join(delimiter),
      'SdkProgram',
    ],
  },
  'ali-oss': {
    packages: '',
    build: [],
    start: () => [process.execPath, join(import.meta.dirname, 'ali-oss/program.ts')],
  },
};

/**
 * Builds the programs of all SDKs outside the checkout, once for the whole run, and takes them away after it.
 * @throws Error where a tool is missing or a build fails: this suite fails then, it does not skip.
 */
export default async function buildPrograms(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'sdk-programs-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    // One after the other: each build keeps several cores busy by itself.
    for (const sdk of SDKS) await build(sdk, join(folder, sdk));
  } catch (error) {
    remove();
    throw error;
  }
  const commands = SDKS.map((sdk) => [sdk, RECIPES[sdk].start(join(folder, sdk))]);
  project.provide('programs', Object.fromEntries(commands) as Record<SdkName, Command>);
  return remove;
}

async function build(sdk: SdkName, folder: string): Promise<void> {
  const { build, packages } = RECIPES[sdk];
  cpSync(join(import.meta.dirname, sdk), folder, { recursive: true });
  for (const [file, ...args] of build) {
    await promisify(execFile)(file, args, { cwd: folder, maxBuffer: 1 << 26 }).catch((error) => {
      throw new Error(
        error.code === 'ENOENT'
          ? `The SDK suite needs ${file} for its ${sdk} program, and it is not on the PATH. On Debian: apt-get install ${packages}.`
          : `The ${sdk} program was not built; output of ${file}:\n${error.stdout}${error.stderr}`,
      );
    });
  }
}
