import { expect, it } from 'vitest';
import { readEnvFile } from '../../src/cli/env-file.ts';
import { decodeTextFile } from '../../src/text/text-file.ts';

const read = (text: string, env: Readonly<Record<string, string>> = {}) => readEnvFile(env, () => text);
const fails = (code: string) => () => {
  throw Object.assign(new Error('no'), { code });
};

it.each([
  ['A=1', { A: '1' }],
  ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['\uFEFFA=1\n', { A: '1' }],
  ['# a comment\n\n   \n  # another=one\nA=1 # behind it\n', { A: '1' }],
  ['export A=1\n  B = 2 \n', { A: '1', B: '2' }],
  ['A="two\nlines"\nB=\'a # b\'\nC=`x`\n', { A: 'two\nlines', B: 'a # b', C: 'x' }],
  ["A=\nB=a=b\nC=it's\n", { A: '', B: 'a=b', C: "it's" }],
  ['A=1\nA=2\n', { A: '2' }],
  ['', {}],
])('reads %j as Node.js does', (text, variables) => {
  expect(read(text)).toStrictEqual({ env: variables, names: Object.keys(variables) });
});

it('keeps the variables of the environment, even empty ones', () => {
  expect(read('A=file\nB=file\nC=file', { A: 'env', B: '' })).toStrictEqual({
    env: { A: 'env', B: '', C: 'file' },
    names: ['C'],
  });
});

it('accepts that there is no file', () => {
  expect(readEnvFile({ A: '1' }, fails('ENOENT'))).toStrictEqual({ env: { A: '1' }, names: [] });
});

it.each([
  ['PORT=1\nOSS_ACCESS_KEY_SECRET TheSecret\n', '.env line 2: expected NAME=value or a comment.'],
  ['OSS_ACCESS_KEY_SECRET: TheSecret\n', '.env line 1: expected NAME=value or a comment.'],
  ['# x\n\n=TheSecret', '.env line 3: expected NAME=value or a comment.'],
  ['1A=TheSecret', '.env line 1: expected NAME=value or a comment.'],
  ['export\nA=1', '.env line 1: expected NAME=value or a comment.'],
  ['{"A": "TheSecret"}', '.env line 1: expected NAME=value or a comment.'],
  ['A="1\n2"\nB="TheSecret\nC=1', '.env line 3: the quotation mark before the value is never closed.'],
  ["A='TheSecret\n", '.env line 1: the quotation mark before the value is never closed.'],
  ['A=1\n\uFFFD\uFFFD', '.env is not UTF-8 text.'],
  ['A\0=\0TheSecret', '.env is not UTF-8 text.'],
])('reports the fault of %j, without a value', (text, fault) => {
  expect(read(text)).toStrictEqual({ fault });
});

it.each([
  ['EACCES', '.env cannot be read, because the user of this process lacks the permission (EACCES).'],
  ['EISDIR', '.env cannot be read, because it is a directory (EISDIR).'],
  ['ENOTDIR', '.env cannot be read, because a part of its path is a file (ENOTDIR).'],
  ['EIO', '.env cannot be read (EIO).'],
])('reports that it cannot be read: %s', (code, fault) => {
  expect(readEnvFile({}, fails(code))).toStrictEqual({ fault });
});

it('reads a long file in linear time', () => {
  const before = process.cpuUsage();
  for (const line of ['A=1\n', ' \t', 'A = "', '=', 'export ']) read(line.repeat(100_000 / line.length));
  expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
});

it('reports the line that is not UTF-8', () => {
  const read = () => decodeTextFile(Buffer.from('A=1\nB=\xff\n', 'latin1'));
  expect(readEnvFile({}, read)).toStrictEqual({
    fault: '.env is not UTF-8: line 2 has other bytes; save it as UTF-8.',
  });
});
