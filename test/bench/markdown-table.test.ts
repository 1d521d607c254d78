import { expect, it } from 'vitest';
import { markdownTable } from '../../bench/report/markdown-table.ts';

it('columns are aligned, numbers on the right', () => {
  expect(
    markdownTable(
      ['server', 'requests/s:'],
      [
        ['ours', '25,200'],
        ['bare Fastify', '33,500'],
      ],
    ),
  ).toBe(
    [
      '| server       | requests/s |',
      '|--------------|-----------:|',
      '| ours         |     25,200 |',
      '| bare Fastify |     33,500 |',
    ].join('\n'),
  );
});
