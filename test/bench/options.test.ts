import { expect, it } from 'vitest';
import { CONTENDERS, PARTS } from '../../bench/contenders.ts';
import { HELP, parseOptions } from '../../bench/options.ts';
import { planOf } from '../../bench/plan.ts';
import { parseCpuList } from '../../bench/processes/cores.ts';

it('measures all by default, and less to check', () => {
  expect(parseOptions([])).toStrictEqual({ check: false, help: false, rounds: 5, seconds: 2, only: [] });
  expect(parseOptions(['--check'])).toStrictEqual({
    check: true,
    help: false,
    rounds: 3,
    seconds: 1,
    only: [],
  });
});

it('reads its options', () => {
  expect(
    parseOptions(['--rounds', '7', '--seconds', '0.5', '--only', 'signing', '--only', 'go']),
  ).toStrictEqual({
    ...{ check: false, help: false, rounds: 7, seconds: 0.5, only: ['signing', 'go'] },
  });
});

it.each([
  [
    ['--only', 'rust'],
    '--only must be one of node-http, fastify, ours, valkey, typescript, go, signing, start-up, not rust',
  ],
  [['--rounds', '0'], '--rounds must be a number above 0, not 0'],
  [['--seconds', 'two'], '--seconds must be a number above 0, not two'],
  [['--seconds', '0.0'], '--seconds must be a number above 0, not 0.0'],
  [['--check', '--only', 'ours'], '--check compares all ratios, --only measures a part'],
  [['--fast'], "Unknown option '--fast'"],
])('rejects %j with a message', (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});

it('its help names every option and every part', () => {
  for (const word of ['--rounds', '--seconds', '--only', '--check', ...Object.keys(CONTENDERS), ...PARTS]) {
    expect(HELP).toContain(word);
  }
});

it('reads the list of cores that a process may use', () => {
  expect([parseCpuList('0-2,5'), parseCpuList('3'), parseCpuList('')]).toStrictEqual([[0, 1, 2, 5], [3], []]);
});

const serversOf = (...args: string[]) => Object.keys(planOf(parseOptions(args)).loads);

it('runs bare Fastify with every server that it measures', () => {
  expect(serversOf()).toStrictEqual(Object.keys(CONTENDERS));
  expect(serversOf('--only', 'go').toSorted()).toStrictEqual(['fastify', 'go']);
  expect(serversOf('--check').toSorted()).toStrictEqual(['fastify', 'ours', 'typescript']);
});

it('measures a part without any server', () => {
  const { loads, parts } = planOf(parseOptions(['--only', 'signing']));
  expect([loads, parts]).toStrictEqual([{}, ['signing']]);
});
