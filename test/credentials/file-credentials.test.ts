import {
  mkdirSync,
  mkdtempSync,
  promises,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createFileCredentials } from '../../src/credentials/files/file-credentials.ts';
import { readSecretFiles } from '../../src/credentials/files/read-secret-files.ts';
import type { Credentials } from '../../src/grants/ports/credentials-source.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { replaceBySwap } from '../support/mounted-volume.ts';
import { createRecordedLog } from './recorded-log.ts';

const SECOND = 1_000;
const NAMES = { id: 'OSS_ACCESS_KEY_ID_FILE', secret: 'OSS_ACCESS_KEY_SECRET_FILE' } as const;

type Values = { readonly id: string; readonly secret: string; readonly token: string };

const generation = (number: number): Values => ({
  id: `id-${number}`,
  secret: `secret-${number}`,
  token: `token-${number}`,
});

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-files-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Replaces one plain file as tools do: writes a new file and renames it over the old one. */
function moveOver(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

function moveOverAll(folder: string, values: Values): void {
  for (const [name, text] of Object.entries(values)) moveOver(folder, name, text);
}

async function setUp(write: (folder: string) => void) {
  const folder = createFolder();
  write(folder);
  const { clock, advance } = createManualClock();
  const log = createRecordedLog();
  const parts = {
    accessKeyId: { file: join(folder, 'id'), variable: NAMES.id },
    accessKeySecret: { file: join(folder, 'secret'), variable: NAMES.secret },
    securityToken: { file: join(folder, 'token'), variable: 'OSS_SESSION_TOKEN_FILE' },
  } as const;
  const source = await createFileCredentials(parts, { clock, log });
  const inUse = async () => Object.values(await source.get());
  /** Calls `keepFresh` every second, and returns the credentials in use afterwards. */
  const after = async (seconds: number) => {
    for (let second = 0; second <= seconds; second++) {
      if (second > 0) advance(SECOND);
      await source.keepFresh();
    }
    return inUse();
  };
  return { folder, parts, source, log, after };
}

const first = Object.values(generation(1));
const second = Object.values(generation(2));

it('returns one frozen value from all files, without trailing line breaks', async () => {
  const { source } = await setUp((folder) => {
    writeFileSync(join(folder, 'id'), 'id-1\n');
    writeFileSync(join(folder, 'secret'), 'secret-1\r\n');
    writeFileSync(join(folder, 'token'), 'token-1');
  });
  const credentials = await source.get();
  expect(credentials).toStrictEqual({
    accessKeyId: 'id-1',
    accessKeySecret: 'secret-1',
    securityToken: 'token-1',
  });
  expect(Object.isFrozen(credentials)).toBe(true);
  expect(source.describe()).toStrictEqual({ ok: true, detail: 'files, with a session token' });
  expect(source.expiresAt()).toBeUndefined();
});

it('applies a swapped symlink at the next poll, as Kubernetes replaces a secret', async () => {
  const { folder, log, after } = await setUp((folder) => replaceBySwap(folder, generation(1)));
  expect(await after(5)).toStrictEqual(first);
  replaceBySwap(folder, generation(2));
  expect(await after(0)).toStrictEqual(second);
  replaceBySwap(folder, { ...generation(2), secret: 'secret-2-corrected' });
  expect(await after(0), 'a swap applies as a whole, even if it changes one file').toStrictEqual([
    'id-2',
    'secret-2-corrected',
    'token-2',
  ]);
  expect(log.lines).toStrictEqual([
    'info: the cloud credentials were replaced {"credentialsSource":"files"}',
    'info: the cloud credentials were replaced {"credentialsSource":"files"}',
  ]);
});

it.each([
  ['at once, as by the kubelet', true],
  ['later', false],
])(
  'never mixes generations, wherever a swap interrupts a read, with the old files removed %s',
  async (_name, removesOld) => {
    const { folder, parts, source } = await setUp((folder) => replaceBySwap(folder, generation(1)));
    let newest = 1;
    const swap = () => replaceBySwap(folder, generation(++newest), { removesOld });

    /** Runs `read`, and swaps before those of its file system calls that `isDue` selects. */
    const interrupt = async <Result>(isDue: (call: number) => boolean, read: () => Promise<Result>) => {
      let calls = 0;
      const spies = (['readFile', 'realpath', 'stat'] as const).map((name) => {
        const original = promises[name] as (...args: unknown[]) => Promise<never>;
        return vi.spyOn(promises, name).mockImplementation((...args: unknown[]) => {
          if (isDue(calls++)) swap();
          return original(...args);
        });
      });
      // The named imports of node:fs/promises follow its object only after this call.
      syncBuiltinESMExports();
      try {
        return { result: await read(), calls };
      } finally {
        for (const spy of spies) spy.mockRestore();
        syncBuiltinESMExports();
      }
    };
    const generationOf = ({ accessKeyId, accessKeySecret, securityToken }: Credentials) => {
      const number = Number(accessKeyId.slice('id-'.length));
      expect([accessKeyId, accessKeySecret, securityToken]).toStrictEqual(Object.values(generation(number)));
      return number;
    };
    const read = () => readSecretFiles(parts);
    const poll = async () => {
      await source.keepFresh();
      return generationOf(await source.get());
    };

    const { calls: callsOfOneRead } = await interrupt(() => false, read);
    expect(callsOfOneRead).toBeGreaterThan(Object.keys(parts).length);
    for (let interrupted = 0; interrupted < callsOfOneRead; interrupted++) {
      const { result } = await interrupt((call) => call === interrupted, read);
      if ('fault' in result) expect.unreachable(result.fault);
      expect(generationOf(result.credentials)).toBeGreaterThanOrEqual(newest - 1);
    }
    expect(await poll()).toBe(newest);
    // With one swap per call no attempt to read succeeds. With the other distances, some do.
    for (const distance of [1, 7, 13]) await interrupt((call) => call % distance === distance - 1, poll);
    expect(await poll()).toBe(newest);
  },
);

it('does not treat symlinks that are swapped one by one as one swap', async () => {
  const linkTo = (folder: string, number: number, names: readonly (keyof Values)[]) => {
    for (const name of names) {
      mkdirSync(join(folder, `release-${number}`), { recursive: true });
      writeFileSync(join(folder, `release-${number}`, name), generation(number)[name]);
      symlinkSync(join(`release-${number}`, name), join(folder, 'link'));
      renameSync(join(folder, 'link'), join(folder, name));
    }
  };
  const { folder, after } = await setUp((folder) => linkTo(folder, 1, ['id', 'secret', 'token']));
  linkTo(folder, 2, ['id', 'secret']);
  expect(await after(5)).toStrictEqual(first);
  linkTo(folder, 2, ['token']);
  expect(await after(0)).toStrictEqual(second);
});

it('applies files replaced one by one once all are unchanged for a second', async () => {
  const { folder, after } = await setUp((folder) => moveOverAll(folder, generation(1)));
  moveOverAll(folder, generation(2));
  expect(await after(0)).toStrictEqual(first);
  expect(await after(1)).toStrictEqual(second);
});

it('keeps the old value while only some files are new, and reports which', async () => {
  const { folder, source, log, after } = await setUp((folder) => moveOverAll(folder, generation(1)));
  moveOver(folder, 'id', 'id-2');
  expect(await after(20)).toStrictEqual(first);
  expect(source.describe()).toStrictEqual({
    ok: true,
    detail:
      'files, with a session token; old value in use: only OSS_ACCESS_KEY_ID_FILE has a new value; waiting for the rest',
  });
  moveOver(folder, 'token', 'token-2');
  expect(await after(30)).toStrictEqual(first);
  moveOver(folder, 'secret', 'secret-2');
  expect(await after(1)).toStrictEqual(second);
  expect(source.describe().detail).toBe('files, with a session token');
  expect(log.lines).toHaveLength(3);
  expect(log.lines.join('')).not.toMatch(/(?:id|secret|token)-\d/);
});

it('applies a change of some files after a minute, such as a corrected secret', async () => {
  const { folder, after } = await setUp((folder) => moveOverAll(folder, generation(1)));
  moveOver(folder, 'secret', 'corrected');
  expect(await after(59)).toStrictEqual(first);
  expect(await after(1)).toStrictEqual(['id-1', 'corrected', 'token-1']);
});

it.each<[string, (folder: string) => void, string]>([
  [
    'is gone',
    (folder) => unlinkSync(join(folder, 'secret')),
    'OSS_ACCESS_KEY_SECRET_FILE cannot be read (ENOENT)',
  ],
  ['is empty', (folder) => moveOver(folder, 'secret', '\n'), 'OSS_ACCESS_KEY_SECRET_FILE is empty'],
  [
    'holds two lines',
    (folder) => moveOver(folder, 'secret', 'Hidden1\nHidden2'),
    'OSS_ACCESS_KEY_SECRET_FILE must be one line of printable ASCII without blanks',
  ],
  [
    'is a folder',
    (folder) => {
      unlinkSync(join(folder, 'secret'));
      mkdirSync(join(folder, 'secret'));
    },
    'OSS_ACCESS_KEY_SECRET_FILE cannot be read (EISDIR)',
  ],
  [
    'is a symlink to itself',
    (folder) => {
      unlinkSync(join(folder, 'secret'));
      symlinkSync('secret', join(folder, 'secret'));
    },
    'OSS_ACCESS_KEY_SECRET_FILE cannot be read (ELOOP)',
  ],
])('keeps the old value if a file %s, logs it once, and recovers when the file is fixed', async (...row) => {
  const [, damage, reason] = row;
  const { folder, source, log, after } = await setUp((folder) => moveOverAll(folder, generation(1)));
  moveOver(folder, 'id', 'id-2');
  damage(folder);
  expect(await after(120)).toStrictEqual(first);
  expect(source.describe()).toStrictEqual({
    ok: true,
    detail: `files, with a session token; old value in use: ${reason}`,
  });
  expect(log.lines).toStrictEqual([
    `warn: replaced cloud credentials cannot be used; the old ones stay in use ${JSON.stringify({ credentialsSource: 'files', reason })}`,
  ]);
  rmSync(join(folder, 'secret'), { recursive: true, force: true });
  moveOverAll(folder, generation(2));
  expect(await after(1)).toStrictEqual(second);
});

it('does not wait for a new value of a part that is set by a variable', async () => {
  const folder = createFolder();
  moveOver(folder, 'secret', 'old');
  const { clock, advance } = createManualClock();
  const source = await createFileCredentials(
    {
      accessKeyId: { value: 'id' },
      accessKeySecret: { file: join(folder, 'secret'), variable: NAMES.secret },
    },
    { clock, log: createRecordedLog() },
  );
  moveOver(folder, 'secret', 'new');
  await source.keepFresh();
  advance(SECOND);
  await source.keepFresh();
  expect(await source.get()).toStrictEqual({ accessKeyId: 'id', accessKeySecret: 'new' });
});

it('fails to start if a file is missing', async () => {
  await expect(setUp(() => undefined)).rejects.toThrow(
    /^OSS_ACCESS_KEY_ID_FILE cannot be read \(ENOENT\)\.$/,
  );
});
