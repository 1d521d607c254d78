import { describe, expect, it } from 'vitest';
import { createDenialLimiter } from '../../../src/limits/denial-limiter.ts';
import { createMemoryLimiter } from '../../../src/limits/memory-limiter.ts';
import { downloadRule } from '../../support/downloads.ts';
import { now } from '../../support/fixed-clock.ts';
import { type Fields, mediaTarget, policyWith } from '../../support/policies.ts';
import { createTestApp, testCredentials } from '../../support/test-app.ts';

const SHARED = downloadRule({ name: 'shared', prefix: 'shared/', inline: true, expiresIn: '2m' });

async function downloadApp({
  rules = [downloadRule(), SHARED],
  ...overrides
}: Parameters<typeof createTestApp>[0] & {
  readonly rules?: readonly Fields[];
} = {}) {
  const targets = { media: mediaTarget(), archive: { bucket: 'acme-archive', region: 'cn-shanghai' } };
  const policyYaml = policyWith({ targets, rules });
  const testApp = await createTestApp({ policyYaml, ...overrides });
  return {
    ...testApp,
    post: async (body: unknown, claims?: Readonly<Record<string, unknown>>) =>
      testApp.http
        .post('/v1/downloads')
        .set('authorization', `Bearer ${await testApp.issuer.sign(claims)}`)
        .set('content-type', 'application/json')
        .send(typeof body === 'string' ? body : JSON.stringify(body)),
    audits: () => testApp.log.map((line) => JSON.parse(line)).filter(({ audit }) => audit),
  };
}

const dispositionOf = (url: string) => new URL(url).searchParams.get('response-content-disposition');

describe('one key', () => {
  it('returns its URL', async () => {
    const { post, audits } = await downloadApp();
    const { status, headers, body } = await post({ key: 'users/alice/photo 1.png' });
    expect([status, headers['cache-control']]).toStrictEqual([200, 'no-store']);
    expect(body).toStrictEqual({
      key: 'users/alice/photo 1.png',
      target: 'media',
      method: 'GET',
      url: expect.stringMatching(
        /^https:\/\/acme-media\.oss-cn-hangzhou\.aliyuncs\.com\/users\/alice\/photo%201\.png\?response-content-disposition=attachment&x-oss-credential=.*&x-oss-expires=600&.*&x-oss-signature=[0-9a-f]{64}$/,
      ),
      expires: 600,
      expiresAt: '2026-11-23T10:10:00Z',
      expiresLimitedBy: 'rule',
      serverTime: '2026-11-23T10:00:00Z',
    });
    expect(audits()).toHaveLength(1);
    expect(audits()[0]).toMatchObject({ msg: 'download granted', status: 200 });
    expect(audits()[0].audit).toStrictEqual({
      operation: 'download',
      outcome: 'granted',
      reasons: [],
      issuer: 'https://login.test/',
      subject: 'alice',
      keyCount: 1,
      disposition: 'attachment',
      grants: [
        { rule: 'own-downloads', target: 'media', bucket: 'acme-media', keys: ['users/alice/photo 1.png'] },
      ],
      expiresAt: '2026-11-23T10:10:00Z',
    });
  });

  it('is denied with what to change', async () => {
    const { post, audits } = await downloadApp();
    const { status, body, headers } = await post({ key: 'users/bob/a', disposition: 'inline' });
    expect([status, headers['content-type']]).toStrictEqual([403, 'application/problem+json; charset=utf-8']);
    expect(body.errors).toStrictEqual([
      { pointer: '/key', code: 'key_outside_prefix', detail: 'The key must begin with "users/alice/".' },
      {
        pointer: '/disposition',
        code: 'header_not_allowed',
        detail: 'This rule does not let an object be shown in the browser; leave "disposition" out.',
      },
    ]);
    expect(audits()[0]).toMatchObject({ msg: 'download denied', status: 403 });
    expect(audits()[0].audit).toStrictEqual({
      operation: 'download',
      outcome: 'denied',
      reasons: ['key_outside_prefix', 'header_not_allowed'],
      issuer: 'https://login.test/',
      subject: 'alice',
      keyCount: 1,
      disposition: 'inline',
      grants: [],
      denied: { keyCount: 1, codes: { key_outside_prefix: 1, header_not_allowed: 1 }, keys: ['users/bob/a'] },
      expiresAt: null,
      denials: [
        {
          rule: 'own-downloads',
          reasons: [
            'The key must begin with "users/alice/".',
            'This rule does not let an object be shown in the browser; leave "disposition" out.',
          ],
        },
        { rule: 'shared', reasons: ['The key must begin with "shared/".'] },
      ],
      otherRules: 0,
    });
  });

  it.each<[object, string, number, string]>([
    [{ key: 'shared/a', disposition: 'inline' }, 'inline', 120, 'rule'],
    [{ key: 'shared/a', disposition: 'attachment', expiresIn: 30 }, 'attachment', 30, 'request'],
    [
      { key: 'shared/a', disposition: 'inline', filename: '报告.pdf' },
      'inline; filename="??.pdf"; filename*=UTF-8\'\'%E6%8A%A5%E5%91%8A.pdf',
      120,
      'rule',
    ],
    [{ key: 'users/alice/a', filename: 'a b.pdf' }, 'attachment; filename="a b.pdf"', 600, 'rule'],
  ])('%j is offered as %s', async (request, disposition, expires, expiresLimitedBy) => {
    const { post } = await downloadApp();
    const { body } = await post(request);
    expect([dispositionOf(body.url), body.expires, body.expiresLimitedBy]).toStrictEqual([
      disposition,
      expires,
      expiresLimitedBy,
    ]);
    expect(
      [...new URL(body.url).searchParams.keys()].filter((name) => name.startsWith('response-')),
    ).toStrictEqual(['response-content-disposition']);
  });
});

describe('a list of keys', () => {
  it('has an item for each key in order, also for repeated ones, and one expiry for all', async () => {
    const { post, audits } = await downloadApp();
    const keys = ['users/alice/a', 'shared/b', 'users/bob/c', 'users/alice/a'];
    const { status, headers, body } = await post({ keys });
    expect([status, headers['cache-control'], headers['content-type']]).toStrictEqual([
      200,
      'no-store',
      'application/json; charset=utf-8',
    ]);
    const granted = (key: string) => ({
      key,
      status: 200,
      target: 'media',
      method: 'GET',
      url: expect.any(String),
    });
    expect(body).toStrictEqual({
      items: [
        granted('users/alice/a'),
        granted('shared/b'),
        {
          key: 'users/bob/c',
          type: 'urn:oss-presign:problem:policy_denied',
          title: 'The policy does not allow this request',
          status: 403,
          code: 'policy_denied',
          detail: 'The key must begin with "users/alice/".',
          requestId: 'request-1',
          errors: [
            {
              pointer: '/keys/2',
              code: 'key_outside_prefix',
              detail: 'The key must begin with "users/alice/".',
            },
          ],
        },
        granted('users/alice/a'),
      ],
      expires: 120,
      expiresAt: '2026-11-23T10:02:00Z',
      expiresLimitedBy: 'rule',
      serverTime: '2026-11-23T10:00:00Z',
    });
    for (const { url } of body.items) if (url) expect(url).toContain('&x-oss-expires=120&');
    expect(body.items[3].url).toBe(body.items[0].url);
    expect(audits()[0].audit).toMatchObject({
      outcome: 'granted',
      reasons: ['key_outside_prefix'],
      keyCount: 4,
      grants: [
        { rule: 'own-downloads', keys: ['users/alice/a', 'users/alice/a'] },
        { rule: 'shared', keys: ['shared/b'] },
      ],
      denied: { keyCount: 1, codes: { key_outside_prefix: 1 }, keys: ['users/bob/c'] },
    });
  });

  it('of which none is granted is a 200 without an expiry, and counts as one denied request', async () => {
    const denials = createDenialLimiter({ nowMs: () => 0, denialsPerMinute: 2 });
    const { post } = await downloadApp({ denials });
    const responses = [];
    for (const _ of [1, 2, 3]) responses.push(await post({ keys: ['users/bob/a', 'users/bob/b'] }));
    expect(responses.map(({ status }) => status)).toStrictEqual([200, 200, 429]);
    const { items, ...others } = responses[0]?.body ?? {};
    expect(items.map(({ status }: { status: number }) => status)).toStrictEqual([403, 403]);
    expect(others).toStrictEqual({
      expires: null,
      expiresAt: null,
      expiresLimitedBy: null,
      serverTime: '2026-11-23T10:00:00Z',
    });
  });

  it('of 1,000 keys has 1,000 different URLs, and one line in the log with every key', async () => {
    const { post, audits } = await downloadApp();
    const keys = Array.from({ length: 1000 }, (_, index) => `users/alice/thumbnails/${index}.webp`);
    const { body } = await post({ keys });
    expect(body.items.map(({ key }: { key: string }) => key)).toStrictEqual(keys);
    expect(new Set(body.items.map(({ url }: { url: string }) => url)).size).toBe(1000);
    expect(audits()).toHaveLength(1);
    expect(audits()[0].audit.grants[0].keys).toStrictEqual(keys);
  });

  it('lets other requests run in between', async () => {
    let turns = 0;
    const yieldToEventLoop = async () => void turns++;
    const { post } = await downloadApp({ yieldToEventLoop });
    await post({ keys: Array.from({ length: 1000 }, (_, index) => `users/alice/${index}`) });
    expect(turns).toBeGreaterThan(20);
  });
});

describe('limits', () => {
  const rules = [
    downloadRule({ limits: { requestsPerMinute: 2 } }),
    downloadRule({ name: 'shared', prefix: 'shared/', limits: { requestsPerMinute: 5 } }),
  ];
  const own = ['users/alice/a', 'users/alice/b', 'users/alice/c'];

  it('count one request for each rule that grants a key, however many keys', async () => {
    const { post } = await downloadApp({ rules });
    const [first, second] = [await post({ keys: own }), await post({ keys: [...own, 'shared/a'] })];
    expect([first.status, first.headers['ratelimit-remaining']]).toStrictEqual([200, '1']);
    expect([
      second.status,
      second.headers['ratelimit-remaining'],
      second.headers['ratelimit-limit'],
    ]).toStrictEqual([200, '0', '2']);
    expect((await post({ keys: ['shared/a'] })).headers['ratelimit-remaining']).toBe('3');
  });

  it('reject the whole request if the limit of one rule is reached', async () => {
    const { post, audits } = await downloadApp({ rules });
    for (const _ of [1, 2]) await post({ key: 'users/alice/a' });
    for (const request of [{ key: 'users/alice/a' }, { keys: ['shared/a', 'users/alice/a', 'x'] }]) {
      const { status, body, headers, text } = await post(request);
      expect([status, body.code, headers['retry-after']]).toStrictEqual([429, 'rate_limited', '60']);
      expect(text).not.toContain('x-oss-signature');
    }
    expect(audits().at(-1)).toMatchObject({
      msg: 'download limited',
      status: 429,
      audit: {
        reasons: ['requestsPerMinute'],
        limitedRule: 'own-downloads',
        keyCount: 3,
        grants: [],
        denied: { keyCount: 1 },
        expiresAt: null,
      },
    });
    expect((await post({ key: 'shared/a' })).status).toBe(200);
  });

  it('do not count bytes, nor requests that the policy denies', async () => {
    const consumed: unknown[] = [];
    const limiter = createMemoryLimiter({ nowMs: () => 0 });
    const { post } = await downloadApp({
      rules,
      limiter: {
        consume(upload) {
          consumed.push(upload);
          return limiter.consume(upload);
        },
      },
    });
    await post({ keys: ['users/bob/a'] });
    await post({ key: 'users/alice/a' });
    expect(consumed).toStrictEqual([
      {
        ...{ rule: 'own-downloads', issuer: 'https://login.test/', subject: 'alice', bytes: 0 },
        limits: { requestsPerMinute: 2 },
      },
    ]);
  });
});

it('a URL never outlives the credentials', async () => {
  const credentials = {
    ...testCredentials,
    securityToken: 'token',
    expiresAt: new Date(now.getTime() + 45_500),
  };
  const { post } = await downloadApp({ credentials: { get: async () => credentials } as never });
  const { body } = await post({ keys: ['users/alice/a'] });
  expect([body.expires, body.expiresLimitedBy]).toStrictEqual([45, 'credentials']);
  expect(body.items[0].url).toContain('&x-oss-expires=45&x-oss-security-token=token&');
});

it('while audit lines cannot be written, responds 503 and grants nothing', async () => {
  const closed = await downloadApp({
    auditGate: { isOpen: () => false, written: () => Promise.resolve(false) },
  });
  const lost = await downloadApp({
    auditGate: { isOpen: () => true, written: () => Promise.resolve(false) },
  });
  for (const { post } of [closed, lost]) {
    for (const request of [{ key: 'users/alice/a' }, { keys: ['users/alice/a'] }]) {
      const { status, text } = await post(request);
      expect(status).toBe(503);
      expect(text).not.toContain('x-oss-signature');
    }
    expect((await post({ key: 'users/bob/a' })).status).toBe(403);
  }
});

it('counts keys by rule and outcome', async () => {
  const counted: unknown[] = [];
  const { post } = await downloadApp({
    rules: [downloadRule({ limits: { requestsPerMinute: 1 } })],
    observer: {
      responded: () => {},
      decided: () => {},
      completed: () => {},
      decidedKeys: (keys) => counted.push(...keys),
      rejected: () => {},
    },
  });
  await post({ keys: ['users/alice/a', 'users/bob/a', 'users/alice/b'] });
  await post({ keys: ['users/alice/a', 'users/bob/a'] });
  await post({ key: 'users/alice/a' }, { scope: 'other' });
  expect(counted).toStrictEqual([
    { outcome: 'granted', rule: 'own-downloads', count: 2 },
    { outcome: 'denied', rule: 'own-downloads', count: 1 },
    { outcome: 'limited', rule: 'own-downloads', count: 1 },
    { outcome: 'denied', rule: 'own-downloads', count: 1 },
    { outcome: 'denied', rule: undefined, count: 1 },
  ]);
});

describe('a body', () => {
  it('may have 1 MiB, and not a byte more', async () => {
    const { post } = await downloadApp();
    const body = (bytes: number) => `{"key":"${'x'.repeat(bytes - 10)}"}`;
    expect((await post(body(1_048_576))).status).toBe(403);
    const { status, body: problem } = await post(body(1_048_577));
    expect([status, problem.detail]).toStrictEqual([413, 'The body may have at most 1048576 bytes.']);
  });

  it.each<[string, unknown, readonly string[]]>([
    ['nothing', {}, ['/key required Send key or keys.']],
    ['both', { key: 'a', keys: ['b'] }, ['/keys conflict Send either key or keys, not both.']],
    ['no keys', { keys: [] }, ['/keys invalid_value keys must have at least one key.']],
    ['a key that is null', { key: null }, ['/key invalid_type key must be a string.']],
    ['a list that is a text', { keys: 'a' }, ['/keys invalid_type keys must be a list.']],
    ['a key that is a number', { keys: ['a', 1] }, ['/keys/1 invalid_type keys[1] must be a string.']],
    [
      'a name for many',
      { keys: ['a'], filename: 'a.png' },
      ['/filename conflict Send filename with key only: it is the name of one object.'],
    ],
    ['an empty name', { key: 'a', filename: '' }, ['/filename invalid_value filename must not be empty.']],
    [
      'an unknown disposition',
      { key: 'a', disposition: 'Inline' },
      ['/disposition invalid_value disposition must be attachment or inline.'],
    ],
    [
      'an expiry of nothing',
      { key: 'a', expiresIn: 0 },
      ['/expiresIn invalid_value expiresIn must be at least 1.'],
    ],
    [
      'an expiry that is a text',
      { key: 'a', expiresIn: '60' },
      ['/expiresIn invalid_type expiresIn must be a whole number, not a string.'],
    ],
    [
      'a close field',
      { key: 'a', fileName: 'b' },
      ['/fileName unknown_field Unknown field "fileName". Did you mean "filename"?'],
    ],
    [
      'a content type',
      { key: 'a', responseContentType: 'text/html' },
      ['/responseContentType unknown_field Unknown field "responseContentType"; leave it out.'],
    ],
  ])('with %s is rejected', async (_name, request, expected) => {
    const { post } = await downloadApp();
    const { status, body } = await post(request);
    expect(status).toBe(400);
    const errors: readonly { pointer: string; code: string; detail: string }[] = body.errors;
    expect(errors.map(({ pointer, code, detail }) => `${pointer} ${code} ${detail}`)).toStrictEqual(expected);
  });

  it('with 1,001 keys is rejected by their number alone, and at most 20 faults are listed', async () => {
    const { post } = await downloadApp();
    const many = await post({ keys: Array.from({ length: 1001 }, () => 1) });
    expect([many.status, many.body.errors]).toStrictEqual([
      400,
      [
        {
          pointer: '/keys',
          code: 'invalid_value',
          detail: 'keys has 1001 keys; at most 1000 are allowed in one request.',
        },
      ],
    ]);
    const wrong = await post({ keys: Array.from({ length: 1000 }, () => 1) });
    expect([wrong.status, wrong.body.errors.length]).toStrictEqual([400, 20]);
    expect(wrong.body.detail).toContain('And 999 more');
  });

  it.each(['[]', '"users/alice/a"', '7', 'null'])('that is %s is rejected', async (body) => {
    const { post } = await downloadApp();
    expect((await post(body)).status).toBe(400);
  });
});

it('lets pages of the allowed origins call it', async () => {
  const { http, post } = await downloadApp({ corsOrigins: ['https://app.test'] });
  const preflight = await http
    .options('/v1/downloads')
    .set({ origin: 'https://app.test', 'access-control-request-method': 'POST' })
    .set({ 'access-control-request-headers': 'authorization,content-type' });
  expect([preflight.status, preflight.headers['access-control-allow-origin']]).toStrictEqual([
    204,
    'https://app.test',
  ]);
  expect((await post({ key: 'users/alice/a' })).status).toBe(200);
});

it('rejects a caller without a token, and other methods', async () => {
  const { http } = await downloadApp();
  expect((await http.post('/v1/downloads').send({ key: 'users/alice/a' })).status).toBe(401);
  expect((await http.get('/v1/downloads')).status).toBe(405);
});
