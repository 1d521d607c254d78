import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator, TEMPORARY } from '../support/test-emulator.ts';
import { startWire } from '../support/wire.ts';
import { SDKS } from './build-programs.ts';
import { useSdkProgram } from './sdk-program.ts';

const KEY = 'dir/报告 1+1=2 (100%25) %.txt';
const BODY = Buffer.from('hello from an official SDK 世界\r\n\0');
const ETAG = `"${createHash('md5').update(BODY).digest('hex').toUpperCase()}"`;
const TYPE = 'text/plain; charset=utf-8';
const METADATA = { album: '42', 'taken-by': 'A B' };

describe.each(SDKS)('%s', (sdk) => {
  const program = useSdkProgram(sdk);

  it.each([
    ['long-lived', LONG_LIVED],
    ['temporary', TEMPORARY],
  ])('puts, heads, gets and deletes with %s credentials', async (_name, credentials) => {
    const emulator = await startTestEmulator({ clock: systemClock });
    const wire = await startWire(emulator.url);
    onTestFinished(() => wire.close());
    const place = { endpoint: wire.url, region: REGION, credentials, bucket: BUCKET, key: KEY, attempts: 1 };
    const read = () => fetch(emulator.presign({ method: 'GET', key: KEY, signedAt: systemClock() }));
    const content = { etag: ETAG, contentType: TYPE, metadata: METADATA };

    const put = await program.perform({
      ...place,
      job: 'put',
      body: BODY.toString('base64'),
      contentType: TYPE,
      metadata: METADATA,
    });
    expect(put).toStrictEqual({ status: 200, etag: ETAG, contentType: null, metadata: null, body: null });

    const stored = await read();
    expect(Buffer.from(await stored.arrayBuffer())).toStrictEqual(BODY);
    expect(Object.fromEntries(stored.headers)).toMatchObject({
      etag: ETAG,
      'content-type': TYPE,
      'x-oss-meta-album': '42',
      'x-oss-meta-taken-by': 'A B',
    });

    const head = await program.perform({ ...place, job: 'head' });
    expect(head).toStrictEqual({ status: 200, ...content, body: null });
    const get = await program.perform({ ...place, job: 'get' });
    expect(get).toStrictEqual({ status: 200, ...content, body: BODY.toString('base64') });

    const deleted = await program.perform({ ...place, job: 'delete' });
    expect(deleted).toStrictEqual({ status: 204, etag: null, contentType: null, metadata: null, body: null });
    expect((await read()).status).toBe(404);
    const gone = await program.perform({ ...place, job: 'get' });
    expect(gone).toStrictEqual({ error: { status: 404, code: 'NoSuchKey', ec: '0026-00000001' } });

    // Each by one request of its own, signed in the header and addressed by path.
    expect(wire.exchanges.map(({ method, status }) => [method, status])).toStrictEqual([
      ['PUT', 200],
      ['HEAD', 200],
      ['GET', 200],
      ['DELETE', 204],
      ['GET', 404],
    ]);
    for (const { target, headers } of wire.exchanges) {
      expect(decodeURIComponent(target)).toBe(`/${BUCKET}/${KEY}`);
      const at = headers.findIndex((name) => name.toLowerCase() === 'authorization');
      expect(headers[at + 1]).toMatch(/^OSS4-HMAC-SHA256 Credential=/);
    }
  });

  it('puts and gets an object of no bytes', async () => {
    const emulator = await startTestEmulator({ clock: systemClock });
    const place = { endpoint: emulator.url, region: REGION, credentials: LONG_LIVED, bucket: BUCKET };
    const object = { ...place, key: 'empty.bin', attempts: 1 };
    const put = await program.perform({ ...object, job: 'put', body: '', contentType: TYPE, metadata: {} });
    const get = await program.perform({ ...object, job: 'get' });
    expect([put, get]).toMatchObject([{ status: 200 }, { status: 200, contentType: TYPE, body: '' }]);
  });

  it('finds out whether an object exists', async () => {
    const emulator = await startTestEmulator({ clock: systemClock });
    await emulator.put(KEY, 'hello', { signedAt: systemClock() });
    const place = {
      endpoint: emulator.url,
      region: REGION,
      credentials: TEMPORARY,
      bucket: BUCKET,
      attempts: 1,
    };
    const check = (key: string) => program.perform({ ...place, key, job: 'exists' });
    expect([await check(KEY), await check('other')]).toStrictEqual([{ exists: true }, { exists: false }]);
    const wrong = { ...place, credentials: { ...LONG_LIVED, accessKeySecret: 'wrong' } };
    const rejected = await program.perform({ ...wrong, key: KEY, job: 'exists' });
    expect(rejected).toMatchObject({ error: { status: 403, code: 'SignatureDoesNotMatch' } });
  });

  it.each([1, 2] as const)('lists a bucket page by page, version %i', async (version) => {
    const emulator = await startTestEmulator({ clock: systemClock });
    const keys = ['a+b c&d.txt', 'dir/1', 'dir/2', 'dir/报告 100%.txt', 'ｚ', '😀'];
    for (const key of keys) await emulator.put(key, key, { signedAt: systemClock() });
    const place = { endpoint: emulator.url, region: REGION, credentials: LONG_LIVED, bucket: BUCKET };
    const job = {
      ...place,
      attempts: 1,
      job: 'list',
      version,
      prefix: '',
      delimiter: '',
      pageSize: 2,
    } as const;
    const describeObject = (key: string) => ({
      key,
      size: Buffer.byteLength(key),
      etag: `"${createHash('md5').update(key).digest('hex').toUpperCase()}"`,
      type: 'Normal',
      storageClass: 'Standard',
    });
    const listed = (found: readonly string[], prefixes: readonly string[]) => ({
      objects: found.map(describeObject),
      prefixes,
    });
    expect(await program.list(job)).toStrictEqual(listed(keys, []));
    expect(await program.list({ ...job, delimiter: '/' })).toStrictEqual(
      listed(['a+b c&d.txt', 'ｚ', '😀'], ['dir/']),
    );
    expect(await program.list({ ...job, prefix: 'dir/', delimiter: '/' })).toStrictEqual(
      listed(['dir/1', 'dir/2', 'dir/报告 100%.txt'], []),
    );
    expect(await program.list({ ...job, prefix: 'none' })).toStrictEqual(listed([], []));
  });
});
