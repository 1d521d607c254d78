import { gzipSync } from 'node:zlib';
import type { LightMyRequestResponse } from 'fastify';
import { expect, it } from 'vitest';
import { createDenialLimiter } from '../../../src/limits/denial-limiter.ts';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { PHOTO } from '../../support/requests.ts';
import { createTestApp } from '../../support/test-app.ts';

const FOREIGN = { ...PHOTO, key: 'users/bob/a.png' };

type Sent = { readonly body: unknown; readonly headers?: Readonly<Record<string, string>> };

/** One request for each kind of rejection that counts. */
const REJECTED: readonly (Sent & { readonly name: string; readonly status: number })[] = [
  { name: 'a denial', status: 403, body: FOREIGN },
  { name: 'an unknown field', status: 400, body: { ...PHOTO, surprise: 1 } },
  { name: 'an empty object', status: 400, body: {} },
  { name: 'no JSON', status: 400, body: '{' },
  { name: 'no UTF-8', status: 400, body: Buffer.from([0xff]) },
  { name: 'an empty body', status: 400, body: '' },
  { name: 'a body that is too large', status: 413, body: 'x'.repeat(70_000) },
  { name: 'another type', status: 415, body: 'a=b', headers: { 'content-type': 'text/plain' } },
  { name: 'a compressed body', status: 415, body: gzipSync('{}'), headers: { 'content-encoding': 'gzip' } },
  {
    name: 'another charset',
    status: 415,
    body: '{}',
    headers: { 'content-type': 'application/json; charset=gbk' },
  },
];

async function createUnderTest(denialsPerMinute: number, policyYaml = policyWith()) {
  let nowMs = 0;
  const rejected: string[] = [];
  const app = await createTestApp({
    policyYaml,
    denials: createDenialLimiter({ nowMs: () => nowMs, denialsPerMinute }),
    observer: {
      responded: () => {},
      decided: () => {},
      completed: () => {},
      decidedKeys: () => {},
      rejected: (code) => void rejected.push(code),
    },
  });
  const authorization = new Map<string, string>();
  for (const subject of ['alice', 'bob']) {
    authorization.set(subject, `Bearer ${await app.issuer.sign({ sub: subject })}`);
  }
  const send = ({ body, headers }: Sent, subject = 'alice'): Promise<LightMyRequestResponse> =>
    app.app.inject({
      method: 'POST',
      url: '/v1/uploads',
      headers: {
        authorization: authorization.get(subject) ?? '',
        'content-type': 'application/json',
        ...headers,
      },
      payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { ...app, send, pass, rejected, authorization };
}

it.each(REJECTED)('counts $name, and then rejects the caller before looking at the body', async (request) => {
  const { send, pass, log, rejected } = await createUnderTest(2);
  const before = [await send(request), await send(request)];
  expect(before.map(({ statusCode }) => statusCode)).toStrictEqual([request.status, request.status]);
  pass(19_500);
  rejected.length = 0;
  for (const sent of [...REJECTED, { body: PHOTO }]) {
    const response = await send(sent);
    expect(response.statusCode).toBe(429);
    expect(response.headers).toMatchObject({
      'retry-after': '41',
      'ratelimit-limit': '2',
      'ratelimit-remaining': '0',
      'ratelimit-reset': '41',
      'content-type': 'application/problem+json; charset=utf-8',
    });
    expect(response.json()).toMatchObject({
      title: 'A limit is reached',
      code: 'rate_limited',
      retryAfter: 41,
      detail:
        '2 requests of this caller were denied or invalid within a minute; correct them, and try again in 41 seconds.',
    });
  }
  expect(rejected).toStrictEqual(Array(REJECTED.length + 1).fill('rate_limited'));
  const warnings = log.filter((line) => line.includes('"level":"warn"'));
  expect(warnings).toHaveLength(1);
  expect(JSON.parse(warnings[0] ?? '')).toMatchObject({
    issuer: 'https://login.test/',
    subject: 'alice',
    limit: 2,
    resetInSeconds: 60,
    msg: 'a caller has reached the limit of denied and invalid requests',
  });
  expect((await send({ body: PHOTO }, 'bob')).statusCode, 'another caller').toBe(403);
  pass(41_000);
  expect((await send({ body: PHOTO })).statusCode, 'a minute later').toBe(201);
});

it('counts no grant, no rejection by a limit of a rule, and no wrong path, method or token', async () => {
  const limits = policyWith({ rules: [ownFilesRule({ limits: { requestsPerMinute: 2 } })] });
  const { app, send, authorization } = await createUnderTest(1, limits);
  const statuses: number[] = [];
  for (let request = 0; request < 4; request += 1) statuses.push((await send({ body: PHOTO })).statusCode);
  const headers = { authorization: authorization.get('alice') ?? '' };
  for (const [method, url] of [
    ['GET', '/v1/policy'],
    ['GET', '/v1/uploads'],
    ['POST', '/nope'],
    ['GET', '/docs/nope'],
  ] as const) {
    statuses.push((await app.inject({ method, url, headers })).statusCode);
  }
  statuses.push((await app.inject({ method: 'POST', url: '/v1/uploads', payload: '{' })).statusCode);
  expect(statuses).toStrictEqual([201, 201, 429, 429, 200, 405, 404, 404, 401]);
  expect((await send({ body: FOREIGN })).statusCode).toBe(403);
  expect((await send({ body: FOREIGN })).statusCode).toBe(429);
});

it('returns a reason to exactly as many concurrent requests as the limit allows', async () => {
  const { send } = await createUnderTest(20);
  const responses = await Promise.all(
    Array.from({ length: 60 }, (_, index) => send(REJECTED[index % 6] ?? { body: {} })),
  );
  const statuses = responses.map(({ statusCode }) => statusCode);
  expect(statuses.filter((status) => status === 429)).toHaveLength(40);
  expect(statuses.filter((status) => status === 403 || status === 400)).toHaveLength(20);
});

it('grants any number of concurrent requests to a caller with one denial less than the limit', async () => {
  const { send } = await createUnderTest(20);
  const responses = await Promise.all(
    Array.from({ length: 119 }, (_, index) =>
      send({ body: index % 6 === 0 && index < 114 ? FOREIGN : PHOTO }),
    ),
  );
  const statuses = responses.map(({ statusCode }) => statusCode);
  expect(statuses.filter((status) => status === 403)).toHaveLength(19);
  expect(statuses.filter((status) => status === 201)).toHaveLength(100);
});
