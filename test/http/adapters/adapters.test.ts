import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { createTestApp, GRANT_ID } from '../../support/test-app.ts';

const RAILS = '/v1/adapters/activestorage/direct_uploads';
const VAPOR = '/v1/adapters/vapor/signed-storage-url';
const MD5 = createHash('md5').update('Hello, bucket\n').digest('base64');

const BLOB = { filename: 'photo.png', content_type: 'image/png', byte_size: 14, checksum: MD5 };
/** The body of laravel-vapor 0.7.1, with `data: { filename, size }`. */
const VAPOR_BODY = {
  bucket: '',
  content_type: 'image/png',
  expires: '',
  visibility: '',
  filename: 'photo.png',
  size: 14,
};

/** The app with both adapters, and a function that posts to one of their routes as `alice`. */
async function createAdaptersApp(
  rules: readonly Readonly<Record<string, unknown>>[] = [{}],
  dependencies = {},
) {
  const testApp = await createTestApp({
    policyYaml: policyWith({ rules: rules.map((fields) => ownFilesRule(fields)) }),
    adapters: ['activestorage', 'vapor'],
    ...dependencies,
  });
  const token = await testApp.issuer.sign();
  const ask = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    testApp.http
      .post(path)
      .set({ authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers })
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  const audits = () => testApp.log.map((line) => JSON.parse(line).audit).filter(Boolean);
  return { ...testApp, ask, audits };
}

const faultsOf = ({ body }: { body: { errors?: readonly { pointer: string; code: string }[] } }) =>
  body.errors?.map(({ pointer, code }) => [pointer, code]);

describe('an adapter', () => {
  it.each([RAILS, VAPOR])('is off by default: %s', async (path) => {
    const { http, issuer } = await createTestApp();
    const response = await http
      .post(path)
      .set('authorization', `Bearer ${await issuer.sign()}`)
      .send({ blob: BLOB, ...VAPOR_BODY });
    expect([response.status, response.body.code]).toStrictEqual([404, 'not_found']);
    expect((await http.get('/openapi.yaml')).text).not.toContain('adapters');
  });

  it('is in the OpenAPI document only when it is on', async () => {
    const { http } = await createTestApp({ adapters: ['vapor'] });
    const { paths } = parse((await http.get('/openapi.yaml')).text);
    expect(Object.keys(paths).filter((path) => path.includes('adapters'))).toStrictEqual([VAPOR]);
  });

  it.each([
    [{ transfers: ['form'] }, '', 'transfer_not_allowed', '"transfers"'],
    [{ naming: 'client' }, 'filename', 'key_not_allowed', '"naming"'],
    [{ metadata: { allowed: ['album'], required: ['album'] } }, '', 'metadata_missing', '"metadata"'],
  ])(
    'names the field of the policy if no request of the client can meet %j',
    async (rule, field, code, named) => {
      for (const [path, body, parent] of [
        [RAILS, { blob: BLOB }, '/blob/'],
        [VAPOR, VAPOR_BODY, '/'],
      ] as const) {
        const { ask } = await createAdaptersApp([rule]);
        const response = await ask(path, body);
        expect([response.status, faultsOf(response)]).toStrictEqual([403, [[field && parent + field, code]]]);
        expect(response.body.detail).toContain(`the operator has to`);
        expect(response.body.detail).toContain(`${named} of the rule`);
      }
    },
  );

  it.each([
    [RAILS, (size: number) => ({ blob: { ...BLOB, byte_size: size } })],
    [VAPOR, (size: number) => ({ ...VAPOR_BODY, size })],
  ])('does not ask for parts, which the client cannot send: %s', async (path, bodyOf) => {
    const { ask } = await createAdaptersApp([{ transfers: ['put', 'multipart'], maxSize: '10GiB' }]);
    const size = 6 * 1024 ** 3;
    const response = await ask(path, bodyOf(size));
    expect([response.status, response.body.detail]).toStrictEqual([
      403,
      `The file has ${size} bytes; at most 5368709120 fit into one request, and this client cannot send parts.`,
    ]);
  });

  it.each([
    [RAILS, { blob: BLOB }],
    [VAPOR, VAPOR_BODY],
  ])('needs a token: %s', async (path, body) => {
    const { http } = await createAdaptersApp();
    expect((await http.post(path).send(body)).status).toBe(401);
  });

  it.each([
    [RAILS, { blob: BLOB }],
    [VAPOR, VAPOR_BODY],
  ])('counts and audits a grant like POST /v1/uploads: %s', async (path, body) => {
    const decided: unknown[] = [];
    const observer = {
      responded: () => {},
      decided: (outcome: unknown) => decided.push(outcome),
      decidedKeys: () => {},
      completed: () => {},
      rejected: () => {},
    };
    const { ask, audits } = await createAdaptersApp([{ limits: { requestsPerMinute: 1 } }], { observer });
    const granted = await ask(path, body);
    expect([
      granted.status,
      granted.headers['cache-control'],
      granted.headers['ratelimit-remaining'],
    ]).toStrictEqual([201, 'no-store', '0']);
    const limited = await ask(path, body);
    expect([limited.status, limited.body.code]).toStrictEqual([429, 'rate_limited']);
    expect(audits()).toStrictEqual([
      expect.objectContaining({
        operation: 'upload',
        outcome: 'granted',
        grantId: GRANT_ID,
        contentLength: 14,
      }),
      expect.objectContaining({ operation: 'upload', outcome: 'limited', reasons: ['requestsPerMinute'] }),
    ]);
    expect(decided).toHaveLength(2);
  });

  it.each([
    [RAILS, { blob: BLOB }],
    [VAPOR, VAPOR_BODY],
  ])('sends no grant whose audit line is not written: %s', async (path, body) => {
    for (const auditGate of [
      { isOpen: () => false, written: async () => true },
      { isOpen: () => true, written: async () => false },
    ]) {
      const { ask } = await createAdaptersApp([{}], { auditGate });
      const response = await ask(path, body);
      expect(response.status).toBe(503);
      expect(response.text).not.toContain('x-oss-signature');
    }
  });

  it.each([
    [RAILS, { blob: BLOB }],
    [VAPOR, VAPOR_BODY],
  ])('denies a rule without PUT: %s', async (path, body) => {
    const { ask } = await createAdaptersApp([{ transfers: ['form'] }]);
    const response = await ask(path, body);
    expect([response.status, faultsOf(response)]).toStrictEqual([403, [['', 'transfer_not_allowed']]]);
  });

  it.each([
    [RAILS, { blob: BLOB }],
    [VAPOR, VAPOR_BODY],
  ])('rejects bodies of every other shape: %s', async (path, body) => {
    const { ask } = await createAdaptersApp();
    const bad = [
      '[]',
      '"x"',
      '1',
      'null',
      '{',
      '{}',
      '{"__proto__":{"a":1}}',
      '{"blob":null}',
      '{"blob":[]}',
    ];
    for (const text of bad) expect((await ask(path, text)).status, text).toBe(400);
    expect((await ask(path, { ...body, pad: 'x'.repeat(70_000) })).status).toBe(413);
  });

  it('allows the headers of both clients in a preflight', async () => {
    const { http } = await createAdaptersApp([{}], { corsOrigins: ['https://app.example.com'] });
    const response = await http.options(RAILS).set({
      origin: 'https://app.example.com',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-csrf-token,x-requested-with',
    });
    expect(response.status).toBe(204);
    expect(response.headers['access-control-allow-headers']).toMatch(/X-Requested-With.*X-CSRF-Token/);
  });
});

describe('POST /v1/adapters/activestorage/direct_uploads', () => {
  it('returns a blob whose signed_id is the upload id, with the MD5 bound', async () => {
    const { ask } = await createAdaptersApp();
    const { status, body } = await ask(RAILS, {
      blob: { ...BLOB, metadata: { custom: { a: [1] } }, later: 1 },
    });
    expect(status).toBe(201);
    expect(body).toStrictEqual({
      signed_id: expect.stringMatching(/^[\w-]+\.[\w-]{43}$/),
      key: `users/alice/${GRANT_ID}.png`,
      ...BLOB,
      bucket: 'acme-media',
      target: 'media',
      idExpiresAt: '2026-11-24T10:10:00Z',
      expiresAt: '2026-11-23T10:10:00Z',
      serverTime: '2026-11-23T10:00:00Z',
      direct_upload: {
        url: expect.stringContaining('x-oss-signature='),
        headers: expect.objectContaining({ 'Content-Type': 'image/png', 'Content-MD5': MD5 }),
      },
    });
    expect(Object.keys(body.direct_upload.headers).filter((name) => name.includes('meta'))).toStrictEqual([]);
  });

  it.each([
    ['no filename', { filename: undefined }, [['/blob/filename', 'required']]],
    ['an empty filename', { filename: '' }, [['/blob/filename', 'invalid_value']]],
    ['a long filename', { filename: 'x'.repeat(1025) }, [['/blob/filename', 'invalid_value']]],
    ['no type', { content_type: '' }, [['/blob/content_type', 'invalid_value']]],
    ['a long type', { content_type: 'a/'.repeat(10_000) }, [['/blob/content_type', 'invalid_value']]],
    ['a text as size', { byte_size: '14' }, [['/blob/byte_size', 'invalid_type']]],
    ['a negative size', { byte_size: -1 }, [['/blob/byte_size', 'invalid_value']]],
    ['no checksum', { checksum: undefined }, [['/blob/checksum', 'required']]],
    ['checksum null', { checksum: null }, [['/blob/checksum', 'invalid_type']]],
    ['a hexadecimal MD5', { checksum: 'a'.repeat(32) }, [['/blob/checksum', 'invalid_value']]],
    ['metadata of another type', { metadata: 'x' }, [['/blob/metadata', 'invalid_type']]],
    [
      'several faults',
      { filename: 1, byte_size: 1.5 },
      [
        ['/blob/filename', 'invalid_type'],
        ['/blob/byte_size', 'invalid_type'],
      ],
    ],
  ])('rejects %s', async (_name, change, expected) => {
    const { ask } = await createAdaptersApp();
    const response = await ask(RAILS, { blob: { ...BLOB, ...change } });
    expect([response.status, faultsOf(response)]).toStrictEqual([400, expected]);
  });

  it('names what to send if the checksum is missing', async () => {
    const { ask } = await createAdaptersApp();
    const { body } = await ask(RAILS, { blob: { ...BLOB, checksum: undefined } });
    expect(body.detail).toBe(
      'checksum is required: send the base64 of the MD5 of the file, as @rails/activestorage does.',
    );
  });

  it.each([
    [{ content_type: 'text/html' }, '/blob/content_type', 'content_type_not_allowed'],
    [{ byte_size: 1024 ** 2 + 1 }, '/blob/byte_size', 'too_large'],
  ])('denies %j at the field that was sent', async (change, pointer, code) => {
    const { ask, audits } = await createAdaptersApp();
    const response = await ask(RAILS, { blob: { ...BLOB, ...change } });
    expect([response.status, faultsOf(response)]).toStrictEqual([403, [[pointer, code]]]);
    expect(audits()).toMatchObject([{ operation: 'upload', outcome: 'denied', reasons: [code] }]);
  });

  it('names the cause if only a rule without receipts allows the upload, and counts nothing', async () => {
    const { ask, audits } = await createAdaptersApp([{ receipts: false, limits: { requestsPerMinute: 1 } }]);
    for (const _attempt of [1, 2]) {
      const { status, body } = await ask(RAILS, { blob: BLOB });
      expect([status, body.code, body.detail]).toStrictEqual([
        403,
        'policy_denied',
        expect.stringContaining('"receipts: false"'),
      ]);
    }
    expect(audits()).toMatchObject([{ outcome: 'denied' }, { outcome: 'denied' }]);
  });

  it('takes the first rule with receipts', async () => {
    const rules = [{ receipts: false }, { name: 'with-receipts', sharesPrefixWith: ['own-files'] }];
    const { ask, audits } = await createAdaptersApp(rules);
    expect((await ask(RAILS, { blob: BLOB })).status).toBe(201);
    expect(audits()).toMatchObject([{ outcome: 'granted', rule: 'with-receipts' }]);
  });
});

describe('POST /v1/adapters/vapor/signed-storage-url', () => {
  it('returns what the client needs, and the upload id', async () => {
    const { ask } = await createAdaptersApp();
    const { status, body } = await ask(VAPOR, VAPOR_BODY);
    expect(status).toBe(201);
    expect(body).toStrictEqual({
      uuid: GRANT_ID,
      bucket: 'acme-media',
      key: `users/alice/${GRANT_ID}.png`,
      url: expect.stringContaining('x-oss-signature='),
      headers: expect.objectContaining({ 'Content-Type': 'image/png', 'x-oss-forbid-overwrite': 'true' }),
      id: expect.stringMatching(/^[\w-]+\.[\w-]{43}$/),
      idExpiresAt: '2026-11-24T10:10:00Z',
      target: 'media',
      expiresAt: '2026-11-23T10:10:00Z',
      serverTime: '2026-11-23T10:00:00Z',
    });
  });

  it('has no id if the rule has no receipts', async () => {
    const { ask } = await createAdaptersApp([{ receipts: false }]);
    const { status, body } = await ask(VAPOR, VAPOR_BODY);
    expect([status, body.id, body.idExpiresAt, typeof body.headers]).toStrictEqual([
      201,
      undefined,
      undefined,
      'object',
    ]);
  });

  it('takes empty texts, null and missing fields as not given, and ignores what it does not know', async () => {
    const { ask } = await createAdaptersApp([{ contentTypes: ['application/octet-stream'] }]);
    const sparse = { filename: 'a.bin', size: 0 };
    const empty = {
      content_type: '',
      bucket: null,
      visibility: null,
      expires: null,
      key: '',
      cache_control: '',
    };
    for (const body of [sparse, { ...sparse, ...empty, _token: 'csrf', album: { id: 7 } }]) {
      const { status, body: grant } = await ask(VAPOR, body);
      expect([status, grant.headers['Content-Type']]).toStrictEqual([201, 'application/octet-stream']);
    }
  });

  it.each([
    ['no filename', { filename: undefined }, [['/filename', 'required']]],
    ['no size', { size: undefined }, [['/size', 'required']]],
    ['a text as size', { size: '14' }, [['/size', 'invalid_type']]],
    ['a public object', { visibility: 'public-read' }, [['/visibility', 'invalid_value']]],
    ['a long visibility', { visibility: 'x'.repeat(60_000) }, [['/visibility', 'invalid_value']]],
    ['an expiry of the object', { expires: '2030-01-01' }, [['/expires', 'invalid_value']]],
    ['a key', { key: 'users/bob/a.png' }, [['/key', 'invalid_value']]],
    ['a number as bucket', { bucket: 7 }, [['/bucket', 'invalid_type']]],
    ['a list as type', { content_type: ['image/png'] }, [['/content_type', 'invalid_type']]],
  ])('rejects %s', async (_name, change, expected) => {
    const { ask } = await createAdaptersApp();
    const response = await ask(VAPOR, { ...VAPOR_BODY, ...change });
    expect([response.status, faultsOf(response)]).toStrictEqual([400, expected]);
  });

  it('shows the option that a page without name and size lacks', async () => {
    const { ask } = await createAdaptersApp();
    const { body } = await ask(VAPOR, { ...VAPOR_BODY, filename: undefined, size: undefined });
    expect(body.errors.map(({ detail }: { detail: string }) => detail)).toStrictEqual(
      ['filename', 'size'].map(
        (field) =>
          `${field} is required: pass it as in Vapor.store(file, { data: { filename: file.name, size: file.size } }).`,
      ),
    );
  });

  it.each([
    [{ content_type: 'text/html' }, '/content_type', 'content_type_not_allowed'],
    [{ size: 1024 ** 2 + 1 }, '/size', 'too_large'],
    [{ bucket: 'other' }, '/bucket', 'no_matching_rule'],
    [{ cache_control: 'no-cache' }, '/cache_control', 'header_not_allowed'],
  ])('denies %j at the field that was sent', async (change, pointer, code) => {
    const { ask } = await createAdaptersApp([{ clientHeaders: [] }]);
    const response = await ask(VAPOR, { ...VAPOR_BODY, ...change });
    expect([response.status, faultsOf(response)]).toStrictEqual([403, [[pointer, code]]]);
  });

  it('signs the Cache-Control that the rule allows', async () => {
    const { ask } = await createAdaptersApp();
    const { body } = await ask(VAPOR, { ...VAPOR_BODY, visibility: 'private', cache_control: 'no-cache' });
    expect(body.headers['Cache-Control']).toBe('no-cache');
  });
});
