import { expect, it } from 'vitest';
import { parseDurationSeconds, parseSizeBytes } from '../../../src/policy/file/quantities.ts';

it.each([
  ['50MiB', 52_428_800],
  ['5GiB', 5_368_709_120],
  ['1.5GB', 1_500_000_000],
  ['1.1GB', 1_100_000_000],
  ['5.1GiB', 5_476_083_302],
  ['1.001KiB', 1025],
  ['1TB', 1e12],
  ['0.5 TiB', 549_755_813_888],
  ['48.8TiB', 53_656_167_435_468],
  ['500 KB', 500_000],
  ['2KiB', 2048],
  ['7B', 7],
  ['1024', 1024],
  [1024, 1024],
  [0, 0],
])('%j is %i bytes', (size, bytes) => {
  expect(parseSizeBytes(size)).toBe(bytes);
});

it.each([
  '',
  'MiB',
  '1.0001MiB',
  '1.5B',
  '-1',
  '1e3',
  '1mib',
  '1 0',
  '1  MB',
  '1PB',
  '9000TiB',
  '0x10',
  -1,
  1.5,
  Number.NaN,
  '99999999999999999',
  '9007199254741KB',
])('%j is not a size', (size) => {
  expect(parseSizeBytes(size)).toBeUndefined();
});

it.each([
  ['90s', 90],
  ['10m', 600],
  ['1h', 3600],
  ['7d', 604_800],
  ['1.5h', 5400],
  ['600', 600],
  [600, 600],
])('%j is %i seconds', (duration, seconds) => {
  expect(parseDurationSeconds(duration)).toBe(seconds);
});

it.each(['', 'm', '10min', '1w', '-1m', '0.5s', '1h30m'])('%j is not a duration', (duration) => {
  expect(parseDurationSeconds(duration)).toBeUndefined();
});
