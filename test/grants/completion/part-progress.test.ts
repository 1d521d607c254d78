import { expect, it } from 'vitest';
import { partProgress } from '../../../src/grants/completion/part-progress.ts';
import { partsOf } from '../../../src/grants/multipart/parts.ts';

type Stored = readonly (readonly [partNumber: number, contentLength: number])[];

/** The progress of a grant of 450 bytes: four parts of 100 bytes and one of 50. */
function progressOf(stored: Stored) {
  const parts = stored.map(([partNumber, contentLength]) => ({
    partNumber,
    contentLength,
    etag: `E${partNumber}`,
  }));
  const { done, missing } = partProgress(partsOf(450, 100), parts);
  return [
    done.map(({ partNumber, etag }) => `${partNumber} ${etag}`),
    missing.map(({ from, to }) => `${from}-${to}`),
  ];
}

const ALL: Stored = [1, 2, 3, 4, 5].map((number) => [number, number === 5 ? 50 : 100] as const);
const DONE = ALL.map(([number]) => `${number} E${number}`);

it.each<[string, Stored, readonly string[], readonly string[]]>([
  ['no part', [], [], ['1-5']],
  ['all parts', ALL, DONE, []],
  ['the first part', ALL.slice(0, 1), DONE.slice(0, 1), ['2-5']],
  ['the last part', ALL.slice(4), DONE.slice(4), ['1-4']],
  [
    'every other part',
    [
      [2, 100],
      [4, 100],
    ],
    ['2 E2', '4 E4'],
    ['1-1', '3-3', '5-5'],
  ],
  ['a part that is too short', [[1, 99], ...ALL.slice(1)], DONE.slice(1), ['1-1']],
  ['a part that is too long', [[1, 101], ...ALL.slice(1)], DONE.slice(1), ['1-1']],
  ['an empty part', [[1, 0], ...ALL.slice(1)], DONE.slice(1), ['1-1']],
  ['a last part as long as the others', [...ALL.slice(0, 4), [5, 100]], DONE.slice(0, 4), ['5-5']],
  [
    'parts of a wrong length side by side',
    [
      [1, 100],
      [2, 1],
      [3, 1],
      [4, 100],
    ],
    ['1 E1', '4 E4'],
    ['2-3', '5-5'],
  ],
  ['a part that the grant does not have', [...ALL, [6, 100]], DONE, []],
  [
    'only parts that the grant does not have',
    [
      [6, 50],
      [10_000, 100],
    ],
    [],
    ['1-5'],
  ],
])('finds what is missing of %s', (_title, stored, done, missing) => {
  expect(progressOf(stored)).toStrictEqual([done, missing]);
});
