import { generateKeyPairSync } from 'node:crypto';
import type { CliContext } from '../../src/cli/command.ts';
import { run } from '../../src/cli/run.ts';
import { createCredentials } from '../../src/credentials/create-credentials.ts';
import { fixedClock } from './fixed-clock.ts';

const NO_LOG = { info: () => {}, warn: () => {} };

export type CliOutcome = {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs one command line on a frozen clock, without network, among the given files. */
export async function runCli(
  argv: readonly string[],
  {
    files = {},
    ...context
  }: Partial<CliContext> & { readonly files?: Readonly<Record<string, string>> } = {},
): Promise<CliOutcome> {
  const written = { stdout: '', stderr: '' };
  const code = await run(argv, {
    env: {},
    readFile: (path) => {
      const text = files[path.replace(`${process.cwd()}/`, '')];
      if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
      return text;
    },
    fetch: async () => {
      throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    },
    clock: fixedClock,
    write: (stream, text) => {
      written[stream] += text;
    },
    createCredentials: (credentials) =>
      createCredentials(credentials, { clock: fixedClock, log: NO_LOG, findHomeDirectory: () => '/no/home' }),
    writeFile: (path) => {
      throw new Error(`a test wrote ${path}`);
    },
    replaceFile: (path) => {
      throw new Error(`a test replaced ${path}`);
    },
    newUuid: () => '019ab0c4-7f3a-4000-8000-000000000001',
    newPrivateKey: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    startService: async () => {
      throw new Error('a test started the service');
    },
    version: '1.2.3',
    ...context,
  });
  return { code, ...written };
}
