import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

export const SDKS = ['go', 'python', 'java', 'ali-oss'] as const;
export type SdkName = (typeof SDKS)[number];

/** The programs that verify receipts with the JWT library of a language. */
export const RECEIPT_VERIFIERS = ['receipts/go', 'receipts/python', 'receipts/java'] as const;
export type ReceiptVerifier = (typeof RECEIPT_VERIFIERS)[number];

export type ProgramName = SdkName | ReceiptVerifier;
const PROGRAMS: readonly ProgramName[] = [...SDKS, ...RECEIPT_VERIFIERS];
type Command = readonly [string, ...string[]];

declare module 'vitest' {
  interface ProvidedContext {
    /** How to start each program. */
    readonly programs: Readonly<Record<ProgramName, Command>>;
  }
}

/** How a program is built inside a copy of its folder, what starts it then, and the Debian packages with its tools. */
type Recipe = {
  readonly packages: string;
  readonly build: readonly Command[];
  readonly start: (folder: string) => Command;
};

const GO: Recipe = {
  packages: 'golang-go',
  build: [['go', 'build', '-o', 'program', '.']],
  start: (folder) => [join(folder, 'program')],
};
const PYTHON: Recipe = {
  packages: 'python3 python3-venv',
  build: [
    ['python3', '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', '--requirement', 'requirements.txt'],
  ],
  start: (folder) => [join(folder, 'venv/bin/python'), join(folder, 'program.py')],
};
const javaProgram = (mainClass: string): Recipe => ({
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
    mainClass,
  ],
});

const RECIPES: Readonly<Record<ProgramName, Recipe>> = {
  go: GO,
  python: PYTHON,
  java: javaProgram('SdkProgram'),
  'receipts/go': GO,
  'receipts/python': PYTHON,
  'receipts/java': javaProgram('ReceiptProgram'),
  'ali-oss': {
    packages: '',
    build: [],
    start: () => [process.execPath, join(import.meta.dirname, 'ali-oss/program.ts')],
  },
};

/**
 * Builds all programs outside the checkout, once for the whole run, and takes them away after it.
 * @throws Error where a tool is missing or a build fails: this suite fails then, it does not skip.
 */
export default async function buildPrograms(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'sdk-programs-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    // One after the other: each build keeps several cores busy by itself.
    for (const name of PROGRAMS) await build(name, join(folder, name));
  } catch (error) {
    remove();
    throw error;
  }
  const commands = PROGRAMS.map((name) => [name, RECIPES[name].start(join(folder, name))]);
  project.provide('programs', Object.fromEntries(commands) as Record<ProgramName, Command>);
  return remove;
}

async function build(name: ProgramName, folder: string): Promise<void> {
  const { build, packages } = RECIPES[name];
  cpSync(join(import.meta.dirname, name), folder, { recursive: true });
  for (const [file, ...args] of build) {
    await promisify(execFile)(file, args, { cwd: folder, maxBuffer: 1 << 26 }).catch((error) => {
      throw new Error(
        error.code === 'ENOENT'
          ? `The SDK suite needs ${file} for its program ${name}, and it is not on the PATH. On Debian: apt-get install ${packages}.`
          : `The program ${name} was not built; output of ${file}:\n${error.stdout}${error.stderr}`,
      );
    });
  }
}
