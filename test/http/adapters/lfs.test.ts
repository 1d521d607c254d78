import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { lfsKey } from '../../../src/grants/git-lfs/lfs-object.ts';
import type { Observer } from '../../../src/grants/ports/observer.ts';
import { ROUTES } from '../../../src/http/routes/routes.ts';
import type { StoredObject } from '../../../src/storage/object-storage.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { bucketClientWith } from '../../support/bucket-client.ts';
import { fixedClock } from '../../support/fixed-clock.ts';
import { storedObject } from '../../support/granted-upload.ts';
import { hookSecret } from '../../support/notifications.ts';
import { type Fields, mediaTarget, ownFilesRule, policyWith } from '../../support/policies.ts';
import { createTestApp, GRANT_ID } from '../../support/test-app.ts';

const BATCH = '/v1/adapters/lfs/media/objects/batch';
const VERIFY = '/v1/adapters/lfs/media/objects/verify';
const TYPE = 'application/vnd.git-lfs+json';
const TYPE_SENT = `${TYPE}; charset=utf-8`;

/** Objects with different oids, of 10 bytes each. */
const objectsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    oid: createHash('sha256').update(String(index)).digest('hex'),
    size: 10,
  }));
const [OBJECT, OTHER] = objectsOf(2) as [LfsObject, LfsObject];
type LfsObject = { readonly oid: string; readonly size: number };

/** The rule of a team whose prefix all members share. */
const teamRule = (fields: Fields = {}): Fields =>
  ownFilesRule({
    name: 'team',
    prefix: 'team/',
    contentTypes: ['application/octet-stream'],
    actions: ['upload', 'download'],
    ...fields,
  });

/** The object that an upload of the adapter leaves, with the id of its grant. */
const uploaded = (contentLength: number, fields: Partial<StoredObject> = {}): StoredObject => ({
  ...storedObject(),
  metadata: { 'upload-id': GRANT_ID },
  cacheControl: undefined,
  contentType: 'application/octet-stream',
  contentLength,
  ...fields,
});

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** The app with the adapter, on a bucket with these objects. */
async function createLfsApp({
  rules = [teamRule()],
  stored = {},
  head = async (key) => stored[key],
  ...overrides
}: {
  readonly rules?: readonly Fields[];
  readonly stored?: Readonly<Record<string, StoredObject>>;
  readonly head?: (key: string) => Promise<StoredObject | undefined>;
} & Parameters<typeof createTestApp>[0] = {}) {
  const heads: string[] = [];
  const decided: Parameters<Observer['decided']>[0][] = [];
  const testApp = await createTestApp({
    policyYaml: policyWith({ rules, targets: { media: mediaTarget(), other: mediaTarget() } }),
    adapters: ['lfs'],
    createClient: () =>
      bucketClientWith({
        headObject(key) {
          heads.push(key);
          return head(key);
        },
      }),
    observer: {
      responded: () => {},
      decided: (decision) => decided.push(decision),
      decidedKeys: () => {},
      completed: () => {},
      rejected: () => {},
    },
    ...overrides,
  });
  const token = await testApp.issuer.sign();
  const ask = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    testApp.http
      .post(path)
      .set({ authorization: basic('_jwt', token), 'content-type': TYPE, accept: TYPE, ...headers })
      .buffer(true)
      .parse((response, done) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => done(null, text.startsWith('{') ? JSON.parse(text) : text));
      })
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  const batch = (operation: string, objects: readonly unknown[] = [OBJECT], fields: Fields = {}) =>
    ask(BATCH, { operation, transfers: ['basic'], objects, ref: { name: 'refs/heads/main' }, ...fields });
  const audits = () => testApp.log.map((line) => JSON.parse(line).audit).filter(Boolean);
  return { ...testApp, token, ask, batch, audits, heads, decided };
}

const keyOf = ({ oid }: LfsObject, prefix = 'team/') => lfsKey(prefix, oid);

describe('authentication of git-lfs', () => {
  it.each([
    ['none', () => ({}), undefined],
    ['another user', (token: string) => ({ authorization: basic('alice', token) }), 'must be _jwt'],
    ['no user', (token: string) => ({ authorization: basic('', token) }), 'must be _jwt'],
    ['no colon', (token: string) => ({ authorization: `Basic ${btoa(token)}` }), 'must be _jwt'],
    ['no password', () => ({ authorization: basic('_jwt', '') }), 'password is empty'],
    ['a wrong token', () => ({ authorization: basic('_jwt', 'x.y.z') }), 'token'],
    ['a wrong Bearer token', () => ({ authorization: 'Bearer x.y.z' }), 'token'],
    ['no base64', () => ({ authorization: 'Basic _jwt:x' }), 'no base64'],
    ['nothing after Basic', () => ({ authorization: 'Basic' }), 'no base64'],
    ['two values', () => ({ authorization: 'Basic YQ== YQ==' }), 'no base64'],
    ['another scheme', () => ({ authorization: 'Digest YQ==' }), 'scheme Bearer'],
  ])('asks git for a user and a password: %s', async (_name, credentials, message) => {
    const { http, token } = await createLfsApp();
    for (const path of [BATCH, VERIFY]) {
      const response = await http.post(path).set(credentials(token)).set('content-type', TYPE).send('{}');
      expect(response.status).toBe(401);
      expect(response.headers).toMatchObject({
        'lfs-authenticate': 'Basic realm="oss-presign"',
        'www-authenticate': expect.stringMatching(/^Bearer realm="oss-presign"/),
        'content-type': TYPE_SENT,
      });
      const problem = JSON.parse(response.text ?? response.body.toString());
      expect(problem).toMatchObject({ code: 'unauthenticated', request_id: problem.requestId });
      expect(problem.message).toBe(problem.detail);
      if (message) expect(problem.message).toContain(message);
    }
  });

  it('takes the token as a password, or as a Bearer token', async () => {
    const { ask, token } = await createLfsApp();
    for (const authorization of [
      basic('_jwt', token),
      `basic  ${basic('_jwt', token).slice(6)}`,
      `Bearer ${token}`,
    ]) {
      const { status } = await ask(BATCH, { operation: 'upload', objects: [OBJECT] }, { authorization });
      expect(status, authorization.slice(0, 8)).toBe(200);
    }
  });

  it('takes no password on any other route', async () => {
    const { http, token } = await createLfsApp();
    for (const { path, method, isPublic } of ROUTES) {
      if (isPublic) continue;
      const request = method === 'GET' ? http.get(path) : http.post(path);
      const response = await request.set('authorization', basic('_jwt', token));
      expect([path, response.status]).toStrictEqual([path, 401]);
      expect(response.headers).not.toHaveProperty('lfs-authenticate');
    }
  });
});

describe('the media type of git-lfs', () => {
  it.each([TYPE, `${TYPE}; charset=utf-8`, `${TYPE};charset="UTF-8"`, 'application/json'])(
    'accepts %s',
    async (type) => {
      const { ask } = await createLfsApp();
      const body = { operation: 'upload', objects: [OBJECT] };
      const response = await ask(BATCH, body, { 'content-type': type });
      expect([response.status, response.headers['content-type']]).toStrictEqual([200, TYPE_SENT]);
    },
  );

  it.each([
    [`${TYPE}; charset=latin1`, {}],
    ['text/plain', {}],
    ['application/vnd.git-lfs', {}],
    [TYPE, { 'content-encoding': 'gzip' }],
  ])('rejects %s %j', async (type, headers) => {
    const { ask } = await createLfsApp();
    const response = await ask(BATCH, '{}', { 'content-type': type, ...headers });
    expect([response.status, response.headers['content-type']]).toStrictEqual([415, TYPE_SENT]);
    expect(response.body).toMatchObject({ code: 'unsupported_media_type' });
  });

  it('is rejected on every other route', async () => {
    const { ask, token } = await createLfsApp();
    const authorization = `Bearer ${token}`;
    for (const { path, method } of ROUTES) {
      if (method !== 'POST') continue;
      const response = await ask(path, '{}', { authorization });
      expect([path, response.status, response.headers['content-type']]).toStrictEqual([
        path,
        415,
        'application/problem+json; charset=utf-8',
      ]);
    }
  });
});

describe('an upload by git-lfs', () => {
  it('signs a PUT of each object that is not stored, and asks for its confirmation', async () => {
    const { batch, heads, audits, decided, token } = await createLfsApp();
    const { status, headers, body } = await batch('upload', [OBJECT]);
    expect([status, headers['cache-control'], headers['content-type']]).toStrictEqual([
      200,
      'no-store',
      TYPE_SENT,
    ]);
    expect(body).toStrictEqual({
      transfer: 'basic',
      hash_algo: 'sha256',
      objects: [
        {
          ...OBJECT,
          authenticated: true,
          actions: {
            upload: {
              href: expect.stringMatching(
                new RegExp(`/team/lfs/${OBJECT.oid.slice(0, 2)}/${OBJECT.oid}\\?.*x-oss-signature=`),
              ),
              header: {
                'Content-Type': 'application/octet-stream',
                'Content-Disposition': 'attachment',
                'x-oss-forbid-overwrite': 'true',
                'x-oss-meta-upload-id': GRANT_ID,
              },
              expires_in: 600,
            },
            verify: {
              href: `https://presign.test${VERIFY}`,
              header: {
                'upload-id': expect.stringMatching(/^[\w-]+\.[\w-]{43}$/),
                authorization: basic('_jwt', token),
              },
            },
          },
        },
      ],
    });
    expect(heads).toStrictEqual([keyOf(OBJECT)]);
    expect(audits()).toMatchObject([
      {
        operation: 'upload',
        outcome: 'granted',
        item: 0,
        rule: 'team',
        key: keyOf(OBJECT),
        contentLength: 10,
      },
    ]);
    expect(decided).toStrictEqual([{ outcome: 'granted', rule: 'team', reasons: [] }]);
  });

  it('asks for no confirmation if the rule has no receipts', async () => {
    const { batch } = await createLfsApp({ rules: [teamRule({ receipts: false })] });
    const { body } = await batch('upload');
    expect(Object.keys(body.objects[0].actions)).toStrictEqual(['upload']);
  });

  it('has no actions for an object that is stored with its length, and an error for another one', async () => {
    const [stored, longer, fresh] = objectsOf(3) as [LfsObject, LfsObject, LfsObject];
    const { batch, audits, decided } = await createLfsApp({
      // The bytes of the first one arrived by another way, with other attributes.
      stored: { [keyOf(stored)]: storedObject({ contentLength: 10 }), [keyOf(longer)]: uploaded(11) },
    });
    const { status, body } = await batch('upload', [stored, longer, fresh]);
    expect(status).toBe(200);
    expect(body.objects).toMatchObject([
      stored,
      { ...longer, error: { code: 422, message: expect.stringContaining('another length') } },
      { ...fresh, actions: {} },
    ]);
    expect(body.objects[0]).toStrictEqual(stored);
    expect(audits()).toMatchObject([
      { item: 0, outcome: 'exists', reasons: [], key: keyOf(stored), contentLength: 10 },
      { item: 1, outcome: 'exists', reasons: ['object_exists'], key: keyOf(longer) },
      { item: 2, outcome: 'granted', key: keyOf(fresh) },
    ]);
    expect(audits().map(({ grantId }) => grantId)).toStrictEqual([undefined, undefined, GRANT_ID]);
    expect(decided.map(({ outcome }) => outcome)).toStrictEqual(['exists', 'exists', 'granted']);
  });

  it('never replaces an object, even if the rule allows it', async () => {
    const { batch } = await createLfsApp({ rules: [teamRule({ overwrite: true })] });
    const { body } = await batch('upload');
    expect(body.objects[0].actions.upload.header['x-oss-forbid-overwrite']).toBe('true');
  });

  it.each([
    ['too large', { ...OBJECT, size: 1024 ** 2 + 1 }, {}, 'at most'],
    ['a type that the rule does not allow', OBJECT, { contentTypes: ['image/*'] }, 'type'],
    ['keys that the service makes', OBJECT, { naming: 'server' }, 'key'],
    ['another transfer', OBJECT, { transfers: ['form'] }, 'transfer'],
    ['another caller', OBJECT, { who: { scope: 'admin' } }, 'rule'],
    ['a rule for downloads only', OBJECT, { actions: ['download'], ...NO_UPLOAD }, 'rule'],
  ])('states why an object is denied, without asking the storage: %s', async (_name, object, rule, text) => {
    const { batch, heads, audits } = await createLfsApp({ rules: [teamRule(rule)] });
    const { status, body } = await batch('upload', [object]);
    expect(status).toBe(200);
    expect(body.objects).toStrictEqual([
      { ...object, error: { code: 422, message: expect.stringContaining(text) } },
    ]);
    expect(heads).toStrictEqual([]);
    expect(audits()).toMatchObject([{ outcome: 'denied', item: 0 }]);
  });

  it('denies a target that the caller has no rule for, whatever it is called', async () => {
    const { ask, heads } = await createLfsApp();
    for (const target of ['other', 'nothing', '..', '__proto__', '%2e%2e', 'a%2Fb', '%F0%9F%98%80']) {
      const path = `/v1/adapters/lfs/${target}/objects/batch`;
      const { status, body } = await ask(path, { operation: 'upload', objects: [OBJECT] });
      if (status === 404) continue;
      expect([target, status, body.objects?.[0].error?.code]).toStrictEqual([target, 200, 422]);
    }
    expect(heads).toStrictEqual([]);
  });

  it('takes the first prefix that allows the object', async () => {
    const rules = [
      teamRule({ name: 'small', prefix: 'small/', maxSize: '5B' }),
      teamRule({ name: 'own', prefix: 'users/{sub}/' }),
      teamRule(),
    ];
    const { batch, heads } = await createLfsApp({ rules });
    const { body } = await batch('upload', [OBJECT, { ...OTHER, size: 5 }]);
    expect(body.objects.map(({ error }: { error?: unknown }) => error)).toStrictEqual([undefined, undefined]);
    expect(heads).toStrictEqual([keyOf(OBJECT, 'users/alice/'), keyOf(OTHER, 'small/')]);
  });

  it('asks the storage for 8 objects at a time, and responds in their order', async () => {
    let [open, most] = [0, 0];
    const { batch, heads } = await createLfsApp({
      head: async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
        return undefined;
      },
    });
    const objects = objectsOf(100);
    const { body } = await batch('upload', objects);
    expect(most).toBe(8);
    expect(heads).toHaveLength(100);
    expect(body.objects.map(({ oid }: LfsObject) => oid)).toStrictEqual(objects.map(({ oid }) => oid));
  });

  it.each([
    ['busy', 503, 'unavailable'],
    ['unreachable', 503, 'unavailable'],
    ['denied', 502, 'storage_error'],
  ] as const)(
    'rejects the whole request if the storage is %s, and asks no further',
    async (kind, status, code) => {
      const { batch, heads, audits } = await createLfsApp({
        head: async () => {
          throw new StorageError(kind, `the storage is ${kind}`);
        },
      });
      const response = await batch('upload', objectsOf(50));
      expect([response.status, response.body.code]).toStrictEqual([status, code]);
      expect(response.body.message).toBe(response.body.detail);
      expect(response.headers['content-type']).toBe(TYPE_SENT);
      expect('retry-after' in response.headers).toBe(status === 503);
      expect(heads.length).toBeLessThanOrEqual(8);
      expect(audits().map(({ item, outcome }) => [item, outcome])).toStrictEqual(
        objectsOf(50).map((_, index) => [index, 'error']),
      );
    },
  );

  it('gives the storage 20 s for all objects', async () => {
    const deadlines: (Date | undefined)[] = [];
    const { batch } = await createLfsApp({
      createClient: () =>
        bucketClientWith({
          headObject: async (_key, deadline) => {
            deadlines.push(deadline);
            return undefined;
          },
        }),
    });
    await batch('upload', objectsOf(9));
    expect(new Set(deadlines.map((deadline) => deadline?.getTime()))).toStrictEqual(
      new Set([fixedClock().getTime() + 20_000]),
    );
  });
});

describe('the limits of git-lfs', () => {
  it('rejects the whole request if nothing can be granted, so that git-lfs waits', async () => {
    const { batch, audits, heads } = await createLfsApp({
      rules: [teamRule({ limits: { requestsPerMinute: 1 } })],
    });
    expect((await batch('upload', [OBJECT])).status).toBe(200);
    const limited = await batch('upload', [OTHER]);
    expect([limited.status, limited.body.code, limited.headers['content-type']]).toStrictEqual([
      429,
      'rate_limited',
      TYPE_SENT,
    ]);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect(audits().at(-1)).toMatchObject({ outcome: 'limited', reasons: ['requestsPerMinute'], item: 0 });
    expect(heads).toHaveLength(2);
  });

  it('grants what the limit allows, so that the next push gets further', async () => {
    const stored: Record<string, StoredObject> = {};
    const { batch, heads } = await createLfsApp({
      rules: [teamRule({ limits: { requestsPerMinute: 20 } })],
      stored,
    });
    const objects = objectsOf(100);
    const { status, body } = await batch('upload', objects);
    const codes = body.objects.map(({ error }: { error?: { code: number } }) => error?.code ?? 200);
    expect(status).toBe(200);
    expect(codes.filter((code: number) => code === 200)).toHaveLength(20);
    expect(codes.filter((code: number) => code === 429)).toHaveLength(80);
    // Objects beyond the limit are not asked for, except those that were asked for at the same time.
    expect(heads.length).toBeLessThanOrEqual(28);
  });

  it('counts a call for each request and for each stored object, and no request', async () => {
    const objects = objectsOf(4);
    const { batch, heads } = await createLfsApp({
      rules: [teamRule({ limits: { requestsPerMinute: 1 } })],
      stored: Object.fromEntries(objects.map((object) => [keyOf(object), uploaded(10)])),
    });
    // 10 calls a minute: 5 for each of these requests.
    for (const _push of [1, 2]) {
      const { status, body } = await batch('upload', objects);
      expect([status, body.objects]).toStrictEqual([200, objects]);
    }
    const limited = await batch('upload', objects);
    expect([limited.status, limited.body.message]).toStrictEqual([
      429,
      expect.stringContaining('calls about uploads per minute'),
    ]);
    expect(heads).toHaveLength(8);
  });

  it.each(['upload', 'download'])(
    'counts an %s with denied objects as one denied request',
    async (operation) => {
      let denials = 0;
      const verdict = (allowed: boolean) =>
        ({ allowed, limitedBy: 'requestsPerMinute', limit: 2, remaining: 1, resetInSeconds: 9 }) as const;
      const { batch } = await createLfsApp({
        rules: [teamRule({ actions: ['upload'], maxSize: '5B' })],
        denials: { check: () => undefined, count: () => verdict(++denials <= 2) },
      });
      for (const expected of [200, 200, 429]) {
        const response = await batch(operation, objectsOf(100));
        expect(response.status).toBe(expected);
      }
      expect(denials).toBe(3);
      expect((await batch('upload', [{ ...OBJECT, size: 5 }])).status).toBe(200);
    },
  );

  it('sends nothing whose audit line is not written', async () => {
    for (const auditGate of [
      { isOpen: () => false, written: async () => true },
      { isOpen: () => true, written: async () => false },
    ])
      for (const operation of ['upload', 'download']) {
        const { batch } = await createLfsApp({ auditGate, stored: { [keyOf(OTHER)]: uploaded(10) } });
        const response = await batch(operation, [OBJECT, OTHER]);
        expect([operation, response.status]).toStrictEqual([operation, 503]);
        expect(JSON.stringify(response.body)).not.toContain('x-oss-signature');
      }
  });
});

describe('a download by git-lfs', () => {
  it('signs a GET of each object that is stored', async () => {
    const [stored, longer, absent] = objectsOf(3) as [LfsObject, LfsObject, LfsObject];
    const { batch, audits } = await createLfsApp({
      stored: { [keyOf(stored)]: uploaded(10), [keyOf(longer)]: uploaded(11) },
    });
    const { status, body, headers } = await batch('download', [stored, longer, absent]);
    expect([status, headers['cache-control']]).toStrictEqual([200, 'no-store']);
    expect(body.objects).toStrictEqual([
      {
        ...stored,
        authenticated: true,
        actions: {
          download: { href: expect.stringContaining(`${keyOf(stored)}?`), expires_in: 600 },
        },
      },
      { ...longer, error: { code: 422, message: 'The stored object has another length.' } },
      { ...absent, error: { code: 404, message: 'The object is not stored.' } },
    ]);
    expect(audits()).toMatchObject([
      { operation: 'download', outcome: 'granted', grants: [{ rule: 'team', keys: [keyOf(stored)] }] },
    ]);
  });

  it('finds an object below the prefix that another rule uploads to', async () => {
    const rules = [
      teamRule({ actions: ['upload'], prefix: 'users/{sub}/', name: 'own' }),
      teamRule({ actions: ['download'], prefix: 'team/', receipts: undefined, ...NO_UPLOAD }),
    ];
    const { batch, heads } = await createLfsApp({ rules, stored: { [keyOf(OBJECT)]: uploaded(10) } });
    const { body } = await batch('download');
    expect(body.objects[0].actions.download.href).toContain(keyOf(OBJECT));
    // The caller may not read the other key, so the storage is not asked for it.
    expect(heads).toStrictEqual([keyOf(OBJECT)]);
  });

  it('denies what no rule lets the caller download, without asking the storage', async () => {
    const { batch, heads, audits } = await createLfsApp({ rules: [teamRule({ actions: ['upload'] })] });
    const { status, body } = await batch('download');
    expect(status).toBe(200);
    expect(body.objects).toStrictEqual([{ ...OBJECT, error: { code: 403, message: expect.any(String) } }]);
    expect(heads).toStrictEqual([]);
    expect(audits()).toMatchObject([{ operation: 'download', outcome: 'denied' }]);
  });

  it('rejects the whole request for a limit or a failure of the storage', async () => {
    const limited = await createLfsApp({ rules: [teamRule({ limits: { requestsPerMinute: 1 } })] });
    await limited.batch('download');
    expect((await limited.batch('download')).status).toBe(429);
    const failing = await createLfsApp({
      head: async () => {
        throw new StorageError('busy', 'busy');
      },
    });
    const { status, body } = await failing.batch('download', objectsOf(20));
    expect([status, body.code]).toStrictEqual([503, 'unavailable']);
    expect(failing.heads.length).toBeLessThanOrEqual(8);
    expect(failing.audits()).toMatchObject([{ operation: 'download', grants: [] }]);
  });
});

/** Fields that a rule for downloads only cannot have. */
const NO_UPLOAD = {
  contentTypes: undefined,
  maxSize: undefined,
  metadata: undefined,
  clientHeaders: undefined,
};

describe('the verification of git-lfs', () => {
  async function createVerifyApp(
    object: StoredObject | undefined = uploaded(10),
    rule: Fields = {},
    overrides: Parameters<typeof createLfsApp>[0] = {},
  ) {
    let isUploaded = false;
    const app = await createLfsApp({
      rules: [teamRule(rule)],
      head: async () => (isUploaded ? object : undefined),
      ...overrides,
    });
    const { body } = await app.batch('upload');
    isUploaded = true;
    const { header } = body.objects[0].actions.verify;
    const verify = (fields: Fields = {}, headers: Readonly<Record<string, string>> = {}, path = VERIFY) =>
      app.ask(path, { ...OBJECT, ...fields }, { ...header, ...headers });
    return { ...app, verify };
  }

  it('confirms the upload', async () => {
    const { verify, audits } = await createVerifyApp();
    const { status, body, headers } = await verify();
    expect([status, body, headers['content-type']]).toStrictEqual([200, {}, TYPE_SENT]);
    expect(audits().at(-1)).toMatchObject({ operation: 'complete', outcome: 'stored', key: keyOf(OBJECT) });
  });

  it.each([
    ['nothing is stored', undefined, 404, 'upload_absent'],
    ['the length differs', uploaded(11), 409, 'upload_mismatch'],
    ['it is another upload', uploaded(10, { metadata: {} }), 409, 'upload_mismatch'],
  ])('reports that %s', async (_name, object, status, code) => {
    const app = await createVerifyApp(object ?? uploaded(0));
    if (!object) app.heads.length = 0;
    const response = object
      ? await app.verify()
      : await (async () => {
          const { batch, ask } = await createLfsApp();
          const { body } = await batch('upload');
          return ask(VERIFY, OBJECT, body.objects[0].actions.verify.header);
        })();
    expect([response.status, response.body.code]).toStrictEqual([status, code]);
    expect(response.body.message).toBe(response.body.detail);
  });

  it.each([
    ['another object', { oid: OTHER.oid }, {}, VERIFY],
    ['another length', { size: 11 }, {}, VERIFY],
    ['another target', {}, {}, VERIFY.replace('media', 'other')],
    ['no id', {}, { 'upload-id': '' }, VERIFY],
    ['a long id', {}, { 'upload-id': 'x'.repeat(3_073) }, VERIFY],
    ['a part of the oid', { oid: OBJECT.oid.slice(1) }, {}, VERIFY],
  ])('rejects %s, without asking the storage', async (_name, fields, headers, path) => {
    const { verify, heads } = await createVerifyApp();
    heads.length = 0;
    const response = await verify(fields, headers, path);
    expect([response.status, response.body.code]).toStrictEqual([400, 'invalid_request']);
    expect(heads).toStrictEqual([]);
  });

  it('responds without a receipt if the receiver of the rule is not notified', async () => {
    const notify = { url: 'https://app.test/hooks', secretEnv: 'HOOK' };
    const { verify, audits } = await createVerifyApp(
      uploaded(10),
      { notify },
      { env: { HOOK: hookSecret() }, notifier: { notify: async () => 'failed' } },
    );
    const { status, body } = await verify();
    expect([status, body.code]).toStrictEqual([502, 'notification_failed']);
    expect(JSON.stringify(body)).not.toMatch(/eyJ|"upload"/);
    expect(audits().at(-1)).toMatchObject({ outcome: 'not_notified', reasons: ['failed'] });
  });

  it('rejects a forged id, and the id of another caller', async () => {
    const { verify, issuer } = await createVerifyApp();
    const forged = await verify({}, { 'upload-id': `x.${'a'.repeat(43)}` });
    expect([forged.status, forged.body.code]).toStrictEqual([403, 'upload_id_invalid']);
    const bob = basic('_jwt', await issuer.sign({ sub: 'bob' }));
    const foreign = await verify({}, { authorization: bob });
    expect([foreign.status, foreign.body.code]).toStrictEqual([403, 'upload_id_invalid']);
  });
});

describe('the body of git-lfs', () => {
  const valid = { operation: 'upload', objects: [OBJECT] };
  it.each([
    ['no object', { operation: 'upload', objects: [] }, '/objects'],
    ['no list', { operation: 'upload', objects: OBJECT }, '/objects'],
    ['no operation', { objects: [OBJECT] }, '/operation'],
    ['another operation', { ...valid, operation: 'delete' }, '/operation'],
    ['another transfer only', { ...valid, transfers: ['tus'] }, '/transfers'],
    ['a long transfer', { ...valid, transfers: ['basic', 'x'.repeat(65)] }, '/transfers/1'],
    ['many transfers', { ...valid, transfers: Array(21).fill('basic') }, '/transfers'],
    ['another hash', { ...valid, hash_algo: 'sha1' }, '/hash_algo'],
    ['an oid in upper case', { ...valid, objects: [{ ...OBJECT, oid: 'A'.repeat(64) }] }, '/objects/0/oid'],
    ['a short oid', { ...valid, objects: [{ ...OBJECT, oid: 'a'.repeat(63) }] }, '/objects/0/oid'],
    ['a long oid', { ...valid, objects: [{ ...OBJECT, oid: 'a'.repeat(9_000) }] }, '/objects/0/oid'],
    ['a path as oid', { ...valid, objects: [{ ...OBJECT, oid: `${'../'.repeat(21)}a` }] }, '/objects/0/oid'],
    ['a line break', { ...valid, objects: [{ ...OBJECT, oid: `${'a'.repeat(63)}\n` }] }, '/objects/0/oid'],
    ['no size', { ...valid, objects: [{ oid: OBJECT.oid }] }, '/objects/0/size'],
    ['a negative size', { ...valid, objects: [{ ...OBJECT, size: -1 }] }, '/objects/0/size'],
    ['a fraction', { ...valid, objects: [{ ...OBJECT, size: 1.5 }] }, '/objects/0/size'],
    ['a text as size', { ...valid, objects: [{ ...OBJECT, size: '1' }] }, '/objects/0/size'],
    ['an unsafe size', { ...valid, objects: [{ ...OBJECT, size: 2 ** 53 }] }, '/objects/0/size'],
    ['null as object', { ...valid, objects: [null] }, '/objects/0'],
  ])('rejects %s', async (_name, body, pointer) => {
    const { ask, heads } = await createLfsApp();
    const response = await ask(BATCH, body);
    expect([response.status, response.body.errors?.[0]?.pointer]).toStrictEqual([400, pointer]);
    expect([response.body.message, heads]).toStrictEqual([response.body.detail, []]);
  });

  it.each(['[]', '"x"', 'null', '{', '', '{"__proto__":{}}'])('rejects the text %j', async (text) => {
    const { ask } = await createLfsApp();
    expect((await ask(BATCH, text)).status).toBe(400);
    expect((await ask(VERIFY, text)).status).toBe(400);
  });

  it('rejects more than 100 objects, and more than 1 MiB, with 413', async () => {
    const { batch } = await createLfsApp();
    const many = await batch('upload', objectsOf(101));
    expect([many.status, many.body.message]).toStrictEqual([413, expect.stringContaining('100 objects')]);
    expect((await batch('upload', [OBJECT], { pad: 'x'.repeat(1024 ** 2) })).status).toBe(413);
    expect((await batch('upload', [OBJECT], { pad: 'x'.repeat(100_000) })).status).toBe(200);
  });

  it('ignores what it does not know', async () => {
    const { ask } = await createLfsApp();
    const body = { ...valid, ref: null, transfers: null, hash_algo: null, later: [randomUUID()] };
    expect((await ask(BATCH, body)).status).toBe(200);
  });
});

it('git-lfs asks for locks, and learns that there are none', async () => {
  const { ask } = await createLfsApp();
  expect((await ask('/v1/adapters/lfs/media/locks/verify', '{}')).status).toBe(404);
});

it('writes neither tokens nor signed URLs nor ids to the log', async () => {
  const { batch, ask, log, token } = await createLfsApp({ stored: { [keyOf(OTHER)]: uploaded(10) } });
  const { body } = await batch('upload');
  const { header } = body.objects[0].actions.verify;
  await ask(VERIFY, OBJECT, header);
  await batch('download', [OTHER]);
  const text = log.join('');
  for (const secret of [token, basic('_jwt', token).slice(6), header['upload-id'], 'x-oss-signature'])
    expect(text).not.toContain(secret);
});

it('is in the OpenAPI document with its media type, its credentials and its errors', async () => {
  const { http } = await createLfsApp();
  const document = parse((await http.get('/openapi.yaml').buffer(true)).text);
  for (const operation of ['batch', 'verify']) {
    const { post } = document.paths[`/v1/adapters/lfs/{target}/objects/${operation}`];
    expect(post.security).toStrictEqual([{ bearer: [] }, { password: [] }]);
    expect(post.parameters[0]).toMatchObject({ name: 'target', in: 'path', required: true });
    expect(Object.keys(post.requestBody.content)).toStrictEqual([TYPE]);
    for (const [status, { content }] of Object.entries<{ content: object }>(post.responses))
      expect([status, Object.keys(content)]).toStrictEqual([status, [TYPE]]);
  }
  expect(document.components.securitySchemes.password).toMatchObject({ type: 'http', scheme: 'basic' });
  expect(document.components.schemas.GitLfsProblem.required).toContain('message');
  const { http: without } = await createTestApp({ adapters: ['vapor'] });
  const other = (await without.get('/openapi.yaml').buffer(true)).text;
  expect(other).not.toMatch(/git-lfs|password:/);
});
