import { randomFillSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { createRequestIds } from '../../../src/http/plugins/request-ids.ts';

it('uses every random byte once, in order, and draws more when they are used up', () => {
  const drawn: string[] = [];
  const newId = createRequestIds((bytes) => {
    randomFillSync(bytes);
    drawn.push(bytes.toString('hex'));
  });
  const ids = Array.from({ length: 600 }, newId);
  expect(drawn).toHaveLength(3);
  expect(drawn.join('').startsWith(ids.join(''))).toBe(true);
});

it('creates ids that the service would also accept from a client', () => {
  const newId = createRequestIds(randomFillSync);
  for (const id of Array.from({ length: 1_000 }, newId)) expect(id).toMatch(/^[0-9a-f]{24}$/);
});
