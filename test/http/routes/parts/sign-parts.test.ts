import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SignedParts } from '../../../../src/grants/multipart/parts-response.ts';
import type { LimitedUpload } from '../../../../src/grants/ports/limiter.ts';
import { type GrantedUpload, sealUploadId } from '../../../../src/grants/upload-id.ts';
import type { AppDependencies } from '../../../../src/http/app.ts';
import { APP_SERVER, confirmRule, createCompletionApp } from '../../../support/completion-app.ts';
import { fixedClock, now } from '../../../support/fixed-clock.ts';
import { GRANT_ID, grantedMultipart, grantedUpload } from '../../../support/granted-upload.ts';
import { medianTurnMs } from '../../../support/longest-turn.ts';
import { mediaTarget, ownFilesRule } from '../../../support/policies.ts';
import { serviceKeysOf } from '../../../support/service-keys.ts';
import { createRecordingClient } from '../../../support/storage-client.ts';
import { readXml, startTestEmulator } from '../../../support/test-emulator.ts';

type Fields = Readonly<Record<string, unknown>>;

const OSS_UPLOAD_ID = '0004B9894A22E5B1888A1E29F8236E2D';
const MD5 = '1B2M2Y8AsgTpgAmY7PhCfg==';
const multipartRule = (fields: Fields = {}) => ownFilesRule({ transfers: ['put', 'multipart'], ...fields });

/** The app, and an id of a multipart upload with three parts: 100, 100 and 50 bytes. */
async function setUp({
  rules = [multipartRule(), confirmRule()],
  ...options
}: Parameters<typeof createCompletionApp>[0] = {}) {
  const app = await createCompletionApp({ rules, ...options });
  const audits = () => app.log.map((line) => JSON.parse(line).audit).filter((one) => one !== undefined);
  return { ...app, audits, id: (fields?: Partial<GrantedUpload>) => app.idOf(grantedMultipart(fields)) };
}

describe('signed parts', () => {
  it('have everything that a client sends, in the order of the request', async () => {
    const { call, id, audits, heads, log } = await setUp();
    const response = await call('parts', { id: id(), partNumbers: [3, 1], contentMd5: { 1: MD5 } });
    expect([response.status, response.headers['cache-control']]).toStrictEqual([200, 'no-store']);
    const url = (number: number) =>
      expect.stringMatching(
        `^https://acme-media\\.oss-cn-hangzhou\\.aliyuncs\\.com/users/alice/photo\\.png\\?partNumber=${number}&uploadId=${OSS_UPLOAD_ID}&x-oss-additional-headers=content-length&.*&x-oss-expires=3600&`,
      );
    expect(response.body).toStrictEqual({
      parts: [
        { partNumber: 3, offset: 200, contentLength: 50, method: 'PUT', url: url(3), headers: {} },
        {
          partNumber: 1,
          offset: 0,
          contentLength: 100,
          method: 'PUT',
          url: url(1),
          headers: { 'Content-MD5': MD5 },
        },
      ],
      expires: 3600,
      expiresAt: '2026-11-23T11:00:00Z',
      expiresLimitedBy: 'rule',
      serverTime: '2026-11-23T10:00:00Z',
    });
    // The storage is not asked.
    expect(heads).toStrictEqual([]);
    expect(audits()).toStrictEqual([
      {
        operation: 'parts',
        outcome: 'granted',
        reasons: [],
        issuer: 'https://login.test/',
        subject: 'alice',
        grantId: GRANT_ID,
        rule: 'own-files',
        target: 'media',
        bucket: 'acme-media',
        key: 'users/alice/photo.png',
        partCount: 2,
        expiresAt: '2026-11-23T11:00:00Z',
      },
    ]);
    for (const secret of [OSS_UPLOAD_ID, id(), 'x-oss-signature']) expect(log.join('')).not.toContain(secret);
  });

  it.each<[string, Fields, Partial<AppDependencies>, Partial<GrantedUpload>, number, string]>([
    ['as long as the rule allows', { expiresIn: { default: '1m', max: '2h' } }, {}, {}, 7200, 'rule'],
    ['not longer than the id', {}, {}, { expiresAt: now.getTime() / 1000 + 90 }, 90, 'rule'],
    ['one second before the id ends', {}, {}, { expiresAt: now.getTime() / 1000 + 1 }, 1, 'rule'],
    [
      'not longer than the credentials',
      {},
      {
        credentials: {
          get: async () => ({
            accessKeyId: 'STS.key',
            accessKeySecret: 'secret',
            securityToken: 'token',
            expiresAt: new Date(now.getTime() + 45_900),
          }),
        },
      },
      {},
      45,
      'credentials',
    ],
  ])('live %s', async (_title, fields, dependencies, granted, seconds, limitedBy) => {
    const { call, id } = await setUp({ rules: [multipartRule(fields)], ...dependencies });
    const { body } = await call('parts', { id: id(granted), partNumbers: [1] });
    expect(body).toMatchObject({ expires: seconds, expiresLimitedBy: limitedBy });
    expect(body.parts[0].url).toContain(`x-oss-expires=${seconds}&`);
  });

  it('stay signed where limits were lowered after the grant', async () => {
    const { call, id } = await setUp({
      rules: [multipartRule({ maxSize: 1, contentTypes: ['text/css'], partSize: '1GiB', naming: 'server' })],
    });
    const { status, body } = await call('parts', { id: id(), partNumbers: [2] });
    expect([status, body.parts[0].contentLength]).toStrictEqual([200, 100]);
  });

  it('carry the traffic limit of the rule in their URLs, so that the client sends no header', async () => {
    const { call, id } = await setUp({
      rules: [multipartRule({ headers: { 'x-oss-traffic-limit': '819200', 'x-oss-object-acl': 'private' } })],
    });
    const { body } = await call('parts', { id: id(), partNumbers: [1] });
    expect(body.parts[0].headers).toStrictEqual({});
    expect(body.parts[0].url).toContain('x-oss-traffic-limit=819200');
    expect(body.parts[0].url).not.toContain('acl');
  });

  it('are 10,000 at most, of 48.8 TiB', async () => {
    const { call, id } = await setUp();
    const partSize = 5 * 1024 ** 3;
    const upload = {
      contentLength: { min: 10_000 * partSize, max: 10_000 * partSize },
      multipart: { uploadId: OSS_UPLOAD_ID, partSize, overwrite: false },
    };
    const { body } = await call('parts', { id: id(upload), partNumbers: [10_000, 1] });
    expect(body.parts).toMatchObject([
      { partNumber: 10_000, offset: 9999 * partSize, contentLength: partSize },
      { partNumber: 1, offset: 0, contentLength: partSize },
    ]);
  });

  it('are counted as calls about uploads', async () => {
    const counted: LimitedUpload[] = [];
    const { call, id } = await setUp({
      limiter: {
        consume: async (upload) => {
          counted.push(upload);
          return { allowed: false, limitedBy: 'callsPerMinute', limit: 600, remaining: 0, resetInSeconds: 7 };
        },
      },
    });
    const { status, headers } = await call('parts', { id: id(), partNumbers: [1, 2, 3] });
    expect([status, headers['retry-after']]).toStrictEqual([429, '7']);
    expect(counted).toMatchObject([{ rule: 'own-files', subject: 'alice', bytes: 0 }]);
  });

  it('need an audit line that can be written, and that was written', async () => {
    for (const auditGate of [
      { isOpen: () => false, written: async () => true },
      { isOpen: () => true, written: async () => false },
    ]) {
      const { call, id } = await setUp({ auditGate });
      const { status, text } = await call('parts', { id: id(), partNumbers: [1] });
      expect(status).toBe(503);
      expect(text).not.toContain('x-oss-signature');
    }
  });

  it('need credentials', async () => {
    const credentials = { get: () => Promise.reject(new Error('there are none')) };
    const { call, id } = await setUp({ credentials });
    const { status, body } = await call('parts', { id: id(), partNumbers: [1] });
    expect([status, body.code]).toStrictEqual([503, 'unavailable']);
  });

  it('are not signed after the id has ended while the call was counted', async () => {
    let seconds = 0;
    const { call, id, audits } = await setUp({
      clock: () => new Date(fixedClock().getTime() + seconds * 1000),
      limiter: {
        consume: async () => {
          seconds = 90;
          return undefined;
        },
      },
    });
    const ending = id({ expiresAt: now.getTime() / 1000 + 90 });
    const { status, body } = await call('parts', { id: ending, partNumbers: [1] });
    expect([status, body.code]).toStrictEqual([410, 'upload_id_expired']);
    expect(audits()).toMatchObject([{ operation: 'parts', outcome: 'expired' }]);
  });

  it('do not hold the event loop, 100 with the longest key and MD5s', async () => {
    const { call, id } = await setUp();
    const key = `users/alice/${'é'.repeat(500)}`;
    const upload = {
      key,
      contentLength: { min: 10_000, max: 10_000 },
      multipart: { uploadId: OSS_UPLOAD_ID, partSize: 100, overwrite: false },
    };
    const partNumbers = Array.from({ length: 100 }, (_, index) => index + 1);
    const contentMd5 = Object.fromEntries(partNumbers.map((number) => [number, MD5]));
    const sent = { id: id(upload), partNumbers, contentMd5 };
    const medianMs = await medianTurnMs(50, async () => {
      const { status, body } = await call('parts', sent);
      expect([status, body.parts.length]).toStrictEqual([200, 100]);
    });
    expect(medianMs).toBeLessThan(50);
  });
});

describe('rejects an id', () => {
  it.each<
    [
      string,
      {
        readonly claims?: Fields;
        readonly granted?: Partial<GrantedUpload>;
        readonly rules?: readonly Fields[];
        readonly targets?: Readonly<Record<string, Fields>>;
        readonly forge?: (id: string) => string;
      },
    ]
  >([
    ['that no service made', { forge: () => 'x' }],
    ['that was changed', { forge: (id) => id.replace(/.\./, '.') }],
    [
      'of other service keys',
      { forge: () => sealUploadId(serviceKeysOf('test-key').signing, grantedMultipart()) },
    ],
    ['of another caller', { claims: { sub: 'bob' } }],
    [
      'of another caller below the own prefix',
      { granted: { caller: { issuer: 'https://login.test/', subject: 'bob' } } },
    ],
    ['of another issuer', { granted: { caller: { issuer: 'https://a.test/', subject: 'alice' } } }],
    ['without the scope of its rule', { claims: { scope: 'other' } }],
    ['whose rule is gone', { granted: { rule: 'removed' } }],
    ['whose rule no longer allows parts', { rules: [ownFilesRule()] }],
    ['whose rule has another prefix', { rules: [multipartRule({ prefix: 'people/{sub}/' })] }],
    [
      'whose caller has another claim in the prefix',
      { rules: [multipartRule({ prefix: 'users/{team}/' })], claims: { team: 'bob' } },
    ],
    ['whose target has another bucket', { targets: { media: mediaTarget({ bucket: 'acme-other' }) } }],
    ['whose target has another region', { targets: { media: mediaTarget({ region: 'cn-beijing' }) } }],
    ['of a caller that may only confirm', { claims: APP_SERVER }],
    [
      'that has expired, of another caller',
      { claims: { sub: 'bob' }, granted: { issuedAt: 1, expiresAt: 2 } },
    ],
    [
      'of a PUT, of another caller',
      { claims: { sub: 'bob' }, granted: { ...grantedUpload(), multipart: undefined } },
    ],
  ])('%s, with one text', async (_title, { claims, granted, rules, targets, forge = (id) => id }) => {
    const { call, id, audits } = await setUp({ ...(rules && { rules }), ...(targets && { targets }) });
    const { status, body } = await call('parts', { id: forge(id(granted)), partNumbers: [1] }, claims);
    expect([status, body.code, body.errors]).toStrictEqual([403, 'upload_id_invalid', undefined]);
    expect(audits()).toMatchObject([{ operation: 'parts', outcome: 'invalid' }]);
  });

  it('that has expired', async () => {
    const { call, id, audits } = await setUp();
    const expired = id({ issuedAt: 1, expiresAt: now.getTime() / 1000 });
    const { status, body } = await call('parts', { id: expired, partNumbers: [1] });
    expect([status, body.code]).toStrictEqual([410, 'upload_id_expired']);
    expect(audits()).toMatchObject([{ operation: 'parts', outcome: 'expired' }]);
  });

  it.each(['put', 'form'] as const)('of a %s, because it has no parts', async (transfer) => {
    const { call, idOf } = await setUp({
      rules: [multipartRule({ transfers: ['put', 'form', 'multipart'] })],
    });
    const { status, body } = await call('parts', { id: idOf({ transfer }), partNumbers: [1] });
    expect([status, body.errors]).toMatchObject([400, [{ pointer: '/id', code: 'conflict' }]]);
  });

  it('where another replica could not open it', async () => {
    const { call, id } = await setUp({ canContinueUploads: false });
    expect((await call('parts', { id: id(), partNumbers: [1] })).status).toBe(503);
  });
});

describe('rejects a request', () => {
  const numbers = (length: number) => Array.from({ length }, (_, index) => index + 1);

  it.each<[string, Fields, readonly (readonly [string, string, string])[]]>([
    ['without numbers', {}, [['/partNumbers', 'required', 'partNumbers is required.']]],
    [
      'with an empty list',
      { partNumbers: [] },
      [['/partNumbers', 'invalid_value', 'partNumbers must have at least one part number.']],
    ],
    [
      'with a number in place of the list',
      { partNumbers: 1 },
      [['/partNumbers', 'invalid_type', 'partNumbers must be a list.']],
    ],
    [
      'with a text in place of the list',
      { partNumbers: '1'.repeat(101) },
      [['/partNumbers', 'invalid_type', 'partNumbers must be a list.']],
    ],
    [
      'for part 0',
      { partNumbers: [0] },
      [['/partNumbers/0', 'invalid_value', 'partNumbers[0] must be at least 1.']],
    ],
    [
      'for part -1',
      { partNumbers: [1, -1] },
      [['/partNumbers/1', 'invalid_value', 'partNumbers[1] must be at least 1.']],
    ],
    [
      'for half a part',
      { partNumbers: [1.5] },
      [['/partNumbers/0', 'invalid_type', 'partNumbers[0] must be a whole number.']],
    ],
    [
      'for part 10,001',
      { partNumbers: [10_001] },
      [['/partNumbers/0', 'invalid_value', 'partNumbers[0] must be at most 10000.']],
    ],
    [
      'for part 1e9',
      { partNumbers: [1e9] },
      [['/partNumbers/0', 'invalid_value', 'partNumbers[0] must be at most 10000.']],
    ],
    [
      'for a part as text',
      { partNumbers: ['1'] },
      [['/partNumbers/0', 'invalid_type', 'partNumbers[0] must be a whole number, not a string.']],
    ],
    [
      'for a part twice',
      { partNumbers: [1, 2, 1] },
      [['/partNumbers/2', 'invalid_value', 'partNumbers[2] is 1, which is sent twice.']],
    ],
    [
      'for parts that the upload does not have',
      { partNumbers: [3, 4, 1, 10_000] },
      [
        ['/partNumbers/1', 'invalid_value', 'partNumbers[1] is 4, but the upload has 3 parts.'],
        ['/partNumbers/3', 'invalid_value', 'partNumbers[3] is 10000, but the upload has 3 parts.'],
      ],
    ],
    [
      'for 101 parts',
      { partNumbers: numbers(101) },
      [['/partNumbers', 'invalid_value', 'partNumbers has 101 entries; at most 100 are allowed.']],
    ],
    [
      'with 10,000 numbers',
      { partNumbers: numbers(10_000).fill(0) },
      [['/partNumbers', 'invalid_value', 'partNumbers has 10000 entries; at most 100 are allowed.']],
    ],
    [
      'with 101 MD5s',
      { partNumbers: [1], contentMd5: Object.fromEntries(numbers(101).map((number) => [number, MD5])) },
      [['/contentMd5', 'invalid_value', 'contentMd5 has 101 entries; at most 100 are allowed.']],
    ],
    [
      'with the MD5 of a part that it does not name',
      { partNumbers: [1], contentMd5: { 1: MD5, 2: MD5 } },
      [['/contentMd5/2', 'conflict', 'contentMd5 has part 2, which partNumbers does not have.']],
    ],
    [
      'with an MD5 in hex',
      { partNumbers: [1], contentMd5: { 1: 'd41d8cd98f00b204e9800998ecf8427e' } },
      [
        [
          '/contentMd5/1',
          'invalid_value',
          'contentMd5 entry "1" must be the base64 of the 16 bytes of an MD5 (RFC 1864).',
        ],
      ],
    ],
    [
      'with the MD5 of no part',
      { partNumbers: [1], contentMd5: { '01': MD5 } },
      [['/contentMd5/01', 'invalid_value', 'contentMd5 entry "01" as a name must be a part number.']],
    ],
    [
      'with constructor as a part',
      { partNumbers: [1], contentMd5: { constructor: MD5 } },
      [
        [
          '/contentMd5/constructor',
          'invalid_value',
          'contentMd5 entry "constructor" as a name must be a part number.',
        ],
      ],
    ],
    [
      'with an unknown field',
      { partNumbers: [1], partNumber: 1 },
      [['/partNumber', 'unknown_field', 'Unknown field "partNumber". Did you mean "partNumbers"?']],
    ],
  ])('%s', async (_title, fields, faults) => {
    const { call, id, audits } = await setUp();
    const { status, body } = await call('parts', { id: id(), ...fields });
    const errors = faults.map(([pointer, code, detail]) => ({ pointer, code, detail }));
    expect([status, body.errors, audits()]).toStrictEqual([400, errors, []]);
  });

  it('without an id, and with a body that is no object', async () => {
    const { call } = await setUp();
    expect((await call('parts', { partNumbers: [1] })).body.errors).toMatchObject([
      { pointer: '/id', code: 'required' },
    ]);
    for (const body of ['[]', 'null', '1', '{']) expect((await call('parts', body)).status, body).toBe(400);
  });

  it('with a body above 64 KiB', async () => {
    const { call, id } = await setUp();
    expect((await call('parts', { id: id(), partNumbers: Array(40_000).fill(1) })).status).toBe(413);
  });

  it('without a token', async () => {
    const { http, id } = await setUp();
    expect((await http.post('/v1/uploads/parts').send({ id: id(), partNumbers: [1] })).status).toBe(401);
  });

  it('and counts it neither against the limits nor as a call about an upload', async () => {
    let counted = 0;
    const { call, id } = await setUp({
      limiter: {
        consume: async () => {
          counted++;
          return undefined;
        },
      },
    });
    await call('parts', { id: id(), partNumbers: [4] });
    expect(counted).toBe(0);
  });
});

describe('the URL of a part', () => {
  const BYTES = Buffer.alloc(250_000, 'abcdefgh');
  const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('base64');

  /** A multipart upload of 250,000 bytes in three parts that the emulator has begun. */
  async function beginUpload() {
    const emulator = await startTestEmulator();
    const app = await createCompletionApp({
      rules: [multipartRule({ partSize: '100KiB' })],
      targets: { media: mediaTarget({ endpoint: emulator.url }) },
      createClient: () => createRecordingClient(emulator.url),
    });
    const request = {
      ...{ key: 'users/alice/photo 1+é.png', contentType: 'image/png' },
      ...{ contentLength: BYTES.length, transfer: 'multipart' },
    };
    const { body: grant } = await app.post(request);
    expect(grant).toMatchObject({ partSize: 102_400, partCount: 3 });
    const sign = async (fields: Fields): Promise<SignedParts['parts']> =>
      (await app.call('parts', { id: grant.id, ...fields })).body.parts;
    return { ...app, emulator, grant, sign };
  }
  const bytesOf = ({ offset, contentLength }: SignedParts['parts'][number]) =>
    BYTES.subarray(offset, offset + contentLength);
  const put = (part: SignedParts['parts'][number], body: Buffer, headers: Record<string, string> = {}) =>
    fetch(part.url, { method: part.method, headers: { ...part.headers, ...headers }, body });

  it('accepts its bytes, as often as they are sent, and the upload becomes the object', async () => {
    const { sign, grant, call } = await beginUpload();
    const parts = await sign({ partNumbers: [2, 3, 1], contentMd5: { 3: md5(BYTES.subarray(204_800)) } });
    for (const part of [...parts, ...parts]) expect((await put(part, bytesOf(part))).status).toBe(200);
    const { status, body } = await call('complete', { id: grant.id });
    expect([status, body.contentLength]).toStrictEqual([200, BYTES.length]);
  });

  it('accepts no other length, MD5 or header', async () => {
    const { sign } = await beginUpload();
    const [last] = await sign({ partNumbers: [3], contentMd5: { 3: md5(BYTES.subarray(204_800)) } });
    const [first] = await sign({ partNumbers: [1] });
    if (!first || !last) throw new Error('no parts');
    const bytes = bytesOf(first);
    for (const wrong of [bytes.subarray(1), Buffer.concat([bytes, Buffer.from('x')]), Buffer.alloc(0), BYTES])
      expect((await put(first, wrong)).status, String(wrong.length)).toBe(403);
    expect((await put(first, bytes, { 'Content-Type': 'image/png' })).status).toBe(403);
    expect((await put(first, bytes, { 'Content-MD5': md5(bytes) })).status).toBe(403);
    const other = Buffer.alloc(last.contentLength, 'y');
    const response = await put(last, other);
    expect([response.status, readXml(await response.text()).Code]).toStrictEqual([400, 'InvalidDigest']);
    expect((await put(last, other, { 'Content-MD5': md5(other) })).status).toBe(403);
    expect((await put({ ...last, headers: {} }, bytesOf(last))).status).toBe(403);
    const moved = { ...first, url: first.url.replace('partNumber=1', 'partNumber=2') };
    expect((await put(moved, bytes)).status).toBe(403);
    expect((await put(first, bytes)).status).toBe(200);
  });

  it('ends with the upload', async () => {
    const { sign, grant, call } = await beginUpload();
    const [first] = await sign({ partNumbers: [1] });
    if (!first) throw new Error('no part');
    expect((await call('abort', { id: grant.id })).status).toBe(204);
    const response = await put(first, bytesOf(first));
    expect([response.status, readXml(await response.text()).Code]).toStrictEqual([404, 'NoSuchUpload']);
  });
});
