import { expect, it } from 'vitest';
import { createStorageStatus } from '../../src/service/storage-status.ts';
import { createManualClock } from '../support/manual-clock.ts';

const TARGETS = ['media', 'reports'];

it('is ok and has no details before the first call and after one that did not fail', () => {
  const status = createStorageStatus(createManualClock().clock);
  expect(status.check(TARGETS)).toStrictEqual({ name: 'storage', ok: true, detail: undefined });
  status.ended('media', 'ok');
  status.ended('reports', 'absent');
  expect(status.check(TARGETS)).toStrictEqual({ name: 'storage', ok: true, detail: undefined });
});

it('names the targets whose last call failed, since when and how, and stays ok', () => {
  const { clock, advance } = createManualClock();
  const status = createStorageStatus(clock);
  status.ended('media', 'unreachable');
  advance(60_000);
  status.ended('media', 'denied');
  status.ended('reports', 'invalid_response');
  expect(status.check(TARGETS)).toStrictEqual({
    name: 'storage',
    ok: true,
    detail:
      'calls to media fail since 2026-11-23T10:00:00Z: denied, calls to reports fail since 2026-11-23T10:01:00Z: invalid_response',
  });
});

it.each(['ok', 'absent'] as const)(
  'forgets the failure of a target after %s, and not that of another one',
  (outcome) => {
    const { clock, advance } = createManualClock();
    const status = createStorageStatus(clock);
    status.ended('media', 'busy');
    status.ended('reports', 'busy');
    status.ended('media', outcome);
    expect(status.check(TARGETS).detail).toBe('calls to reports fail since 2026-11-23T10:00:00Z: busy');
    advance(1000);
    status.ended('media', 'busy');
    expect(status.check(['media']).detail).toBe('calls to media fail since 2026-11-23T10:00:01Z: busy');
  },
);

it('forgets a target that the active policy does not name', () => {
  const status = createStorageStatus(createManualClock().clock);
  status.ended('media', 'denied');
  expect(status.check(['reports']).detail).toBeUndefined();
  expect(status.check(TARGETS).detail).toBeUndefined();
});
