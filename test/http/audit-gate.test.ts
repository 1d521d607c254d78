import { expect, it } from 'vitest';
import type { AuditGate } from '../../src/grants/ports/audit-gate.ts';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { createTestApp } from '../support/test-app.ts';

const policyYaml = policyWith({ rules: [ownFilesRule({ limits: { requestsPerMinute: 1 } })] });

async function appWith(auditGate: AuditGate) {
  const events: string[] = [];
  const limiter = createMemoryLimiter({ nowMs: () => 0 });
  const app = await createTestApp({
    policyYaml,
    auditGate,
    limiter: {
      consume: (upload) => {
        events.push('counted');
        return limiter.consume(upload);
      },
    },
    observer: {
      responded: () => {},
      decided: ({ outcome }) => events.push(outcome),
      completed: ({ outcome }) => events.push(outcome),
      decidedKeys: (keys) => events.push(...keys.map(({ outcome }) => outcome)),
      rejected: (code) => events.push(code),
    },
  });
  return { ...app, events };
}

it('sends a grant only after its audit line was written', async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const { post, log, events } = await appWith({ isOpen: () => true, written: () => promise });
  let isSent = false;
  const response = post(PHOTO).then((sent) => {
    isSent = true;
    return sent;
  });
  await expect.poll(() => log.length).toBe(1);
  expect(JSON.parse(log[0] ?? '')).toMatchObject({ msg: 'upload granted', status: 201 });
  expect([isSent, events]).toStrictEqual([false, ['counted']]);
  resolve(true);
  expect((await response).status).toBe(201);
  expect(events).toStrictEqual(['counted', 'granted']);
});

it('rejects grants while audit lines cannot be written, before they count against a limit', async () => {
  const { post, events } = await appWith({ isOpen: () => false, written: () => Promise.resolve(false) });
  for (const _ of [1, 2]) {
    const response = await post(PHOTO);
    expect([response.status, response.body.code, response.headers['retry-after']]).toStrictEqual([
      503,
      'unavailable',
      '5',
    ]);
    expect(response.body.detail).toBe('The service cannot record grants at the moment; try again.');
    expect(response.text).not.toContain('x-oss-signature');
  }
  expect(events).toStrictEqual(['unavailable', 'unavailable']);
});

it('does not send a grant whose audit line was lost, counts none, and logs the 503', async () => {
  const { post, log, events } = await appWith({ isOpen: () => true, written: () => Promise.resolve(false) });
  const response = await post(PHOTO);
  expect([response.status, response.headers['retry-after']]).toStrictEqual([503, '5']);
  expect(events).toStrictEqual(['counted', 'unavailable']);
  const lines = log.map((line) => JSON.parse(line));
  expect(lines.map(({ msg, level, status }) => [msg, level, status])).toStrictEqual([
    ['upload granted', 'info', 201],
    ['request completed', 'info', 503],
  ]);
  expect(lines[1].requestId).toBe(lines[0].requestId);
});

it('denies and rejects without waiting while audit lines cannot be written', async () => {
  const never = () => new Promise<boolean>(() => {});
  const { post, http, events } = await appWith({ isOpen: () => false, written: never });
  expect((await post({ ...PHOTO, key: 'users/bob/a.png' })).status).toBe(403);
  expect((await post({ ...PHOTO, contentType: 1 })).status).toBe(400);
  expect((await http.get('/v1/policy')).status).toBe(401);
  expect(events).toStrictEqual(['denied', 'invalid_request', 'unauthenticated']);
});
