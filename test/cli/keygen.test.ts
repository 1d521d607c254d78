import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { expect, it, onTestFinished } from 'vitest';
import { replaceFile } from '../../src/cli/replace-file.ts';
import { writeNewFile } from '../../src/cli/write-new-file.ts';
import { parseServiceKeys } from '../../src/service-keys/parse-service-keys.ts';
import { readTextFile } from '../../src/text/read-text-file.ts';
import { runCli } from '../support/run-cli.ts';
import { newPrivateJwk, serviceKeysFile } from '../support/service-keys.ts';

/** Runs the command with the real files of a new folder, whose path replaces `DIR`. */
function inFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'keygen-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const pathOf = (name: string) => join(folder, name);
  const keygen = async (...args: readonly string[]) => {
    const outcome = await runCli(['keygen', ...args.map((arg) => arg.replace('DIR', folder))], {
      readFile: readTextFile,
      writeFile: writeNewFile,
      replaceFile,
    });
    return { ...outcome, stderr: outcome.stderr.replaceAll(folder, 'DIR') };
  };
  return { pathOf, keygen, list: () => readdirSync(folder).sort() };
}

function kidsOf(text: string): readonly string[] {
  const parsed = parseServiceKeys(text);
  if ('faults' in parsed) throw new Error(parsed.faults.join('\n'));
  return parsed.keys.jwks.keys.map(({ kid = '' }) => kid);
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

it('prints a set that the service accepts, with one new key that is named by its thumbprint', async () => {
  const { code, stdout, stderr } = await runCli(['keygen']);
  expect([code, stderr]).toStrictEqual([0, '']);
  const { keys } = JSON.parse(stdout);
  expect(keys).toHaveLength(1);
  expect(Object.keys(keys[0])).toStrictEqual(['kty', 'crv', 'x', 'y', 'd', 'kid', 'use', 'alg']);
  expect(kidsOf(stdout)).toStrictEqual([(await calculateJwkThumbprint(keys[0])).slice(0, 16)]);
  expect((await runCli(['keygen'])).stdout).not.toBe(stdout);
});

it('writes a file that only this user may read, and nothing on stdout', async () => {
  const { keygen, pathOf, list } = inFolder();
  expect(await keygen('--output', 'DIR/keys.json')).toStrictEqual({
    code: 0,
    stdout: '',
    stderr: 'Wrote DIR/keys.json.\n',
  });
  expect(modeOf(pathOf('keys.json'))).toBe('600');
  expect(kidsOf(readFileSync(pathOf('keys.json'), 'utf8'))).toHaveLength(1);
  expect(list()).toStrictEqual(['keys.json']);
});

it('never overwrites a file', async () => {
  const { keygen, pathOf } = inFolder();
  writeFileSync(pathOf('keys.json'), 'mine');
  expect(await keygen('--output', 'DIR/keys.json')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^error: --output DIR\/keys\.json already exists\./),
  });
  expect(readFileSync(pathOf('keys.json'), 'utf8')).toBe('mine');
});

it('never replaces a symbolic link, not even one to a file that does not exist yet', async () => {
  const { keygen, pathOf, list } = inFolder();
  symlinkSync('missing.json', pathOf('keys.json'));
  expect(await keygen('--output', 'DIR/keys.json')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: --output DIR\/keys\.json already exists\./),
  });
  expect(lstatSync(pathOf('keys.json')).isSymbolicLink()).toBe(true);
  expect(list()).toStrictEqual(['keys.json']);
});

it('adds a key at the end, keeps everything else in the file, and its mode', async () => {
  const { keygen, pathOf, list } = inFolder();
  const old = {
    keys: [
      { ...newPrivateJwk(), kid: 'a', note: 1 },
      { ...newPrivateJwk(), kid: 'b' },
    ],
    note: 'ours',
  };
  writeFileSync(pathOf('keys.json'), `\ufeff${JSON.stringify(old)}`);
  chmodSync(pathOf('keys.json'), 0o640);
  const { inode } = { inode: lstatSync(pathOf('keys.json')).ino };
  const { code, stdout, stderr } = await keygen('--add', '--output', 'DIR/keys.json');
  const text = readFileSync(pathOf('keys.json'), 'utf8');
  const { keys, ...rest } = JSON.parse(text);
  expect({ keys: keys.slice(0, 2), ...rest }).toStrictEqual(old);
  const [, , added] = kidsOf(text);
  expect({ code, stdout, stderr }).toStrictEqual({
    code: 0,
    stdout: '',
    stderr: `Added the key ${added} at the end of DIR/keys.json.\n`,
  });
  expect(modeOf(pathOf('keys.json'))).toBe('640');
  // A new file that was renamed: no reader sees half of it.
  expect(lstatSync(pathOf('keys.json')).ino).not.toBe(inode);
  expect(list()).toStrictEqual(['keys.json']);
});

it.each([
  ['no file named', ['--add'], undefined, '--add needs --output FILE, the file that the key is added to.'],
  ['a value', ['--add=yes', '--output', 'DIR/keys.json'], '', '--add takes no value.'],
  [
    'no file',
    ['--add', '--output', 'DIR/keys.json'],
    undefined,
    '--output DIR/keys.json does not exist. Leave --add out to create it.',
  ],
  [
    'a folder',
    ['--add', '--output', 'DIR'],
    undefined,
    '--output DIR cannot be read, because it is a directory (EISDIR).',
  ],
  [
    'a file of something else',
    ['--add', '--output', 'DIR/keys.json'],
    'SECRET',
    '--output DIR/keys.json is not JSON; create it with oss-presign keygen.',
  ],
  [
    'as many keys as are allowed',
    ['--add', '--output', 'DIR/keys.json'],
    serviceKeysFile(...Array.from({ length: 16 }, (_, index) => `k${index}`)),
    '--output DIR/keys.json holds 17 keys; at most 16 are allowed, so remove those that no upload id needs.',
  ],
])('rejects --add with %s, and changes nothing', async (_name, args, content, fault) => {
  const { keygen, pathOf, list } = inFolder();
  if (content !== undefined) writeFileSync(pathOf('keys.json'), content);
  expect(await keygen(...args)).toStrictEqual({
    code: 2,
    stdout: '',
    stderr: `error: ${fault}\nSee: oss-presign keygen --help\n`,
  });
  expect(list()).toStrictEqual(content === undefined ? [] : ['keys.json']);
  if (content !== undefined) expect(readFileSync(pathOf('keys.json'), 'utf8')).toBe(content);
});

it('does not replace a mounted secret of Kubernetes, which is a symbolic link', async () => {
  const { keygen, pathOf } = inFolder();
  writeFileSync(pathOf('data.json'), serviceKeysFile('a'));
  symlinkSync('data.json', pathOf('keys.json'));
  expect(await keygen('--add', '--output', 'DIR/keys.json')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /^error: --output DIR\/keys\.json is a symbolic link, as in a mounted secret of Kubernetes\./,
    ),
  });
  expect(lstatSync(pathOf('keys.json')).isSymbolicLink()).toBe(true);
  expect(kidsOf(readFileSync(pathOf('data.json'), 'utf8'))).toStrictEqual(['a']);
});

it('names the system’s error when the file cannot be replaced, and keeps it', async () => {
  const file = serviceKeysFile('a');
  const outcome = await runCli(['keygen', '--add', '--output', 'keys.json'], {
    files: { 'keys.json': file },
    replaceFile: () => {
      throw Object.assign(new Error(file), { code: 'EROFS' });
    },
  });
  expect(outcome).toStrictEqual({
    code: 2,
    stdout: '',
    stderr: 'error: --output keys.json cannot be replaced (EROFS).\nSee: oss-presign keygen --help\n',
  });
});

it('shows that --add takes no value', async () => {
  const { stdout } = await runCli(['keygen', '--help']);
  expect(stdout).toContain('Usage: oss-presign keygen [--output FILE] [--add]\n');
  expect(stdout).toMatch(/\n {2}--add {2,}Adds the key/);
});
