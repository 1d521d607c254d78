import { expect, it } from 'vitest';
import { createRequestIds } from '../../src/http/request-ids.ts';

it('never makes the same id twice, in one process or in two', () => {
  const processes = ['AbCdEfGhIjKl', 'AbCdEfGhIjK-'].map(createRequestIds);
  const ids = processes.flatMap((newId) => Array.from({ length: 1_000 }, newId));
  expect(new Set(ids).size).toBe(2_000);
});

it('makes ids that the service itself would take from outside', () => {
  const newId = createRequestIds('AbCd_fGhIjK-');
  for (const id of Array.from({ length: 100 }, newId)) expect(id).toMatch(/^[A-Za-z0-9._-]{8,128}$/);
});
