import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { PutGrant } from '../../src/grants/upload/response.ts';
import { now } from '../support/fixed-clock.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';

// A granted URL in the hands of a client: what was granted works from any HTTP client, the bucket rejects everything else.

const OWN_FILES = ownFilesRule({
  contentTypes: ['text/plain', 'image/*'],
  overwrite: true,
  headers: { 'Content-Disposition': 'attachment', 'x-oss-object-acl': 'private' },
});

type Fields = Readonly<Record<string, unknown>>;

type Sent = {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Record<string, string | undefined>;
  readonly body?: string;
};

async function setUp(rule = OWN_FILES) {
  const clock = { now };
  const emulator = await startTestEmulator({ clock: () => clock.now });
  const service = await startTestService({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } },
      rules: [rule],
    }),
    env: { OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId, OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret },
  });
  return {
    clock,
    emulator,
    async grant(change: Record<string, unknown> = {}): Promise<PutGrant> {
      const response = await fetch(`${service.url}/v1/uploads`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await service.issuer.sign()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          key: 'users/alice/note.txt',
          contentType: 'text/plain',
          contentLength: 5,
          metadata: { album: '42' },
          cacheControl: 'no-cache',
          ...change,
        }),
      });
      expect(response.status).toBe(201);
      return response.json() as Promise<PutGrant>;
    },
  };
}

/** Sends what was granted, with changes; a header of undefined is left out. Nothing is added but Host and Content-Length. */
function send(grant: PutGrant, { method = 'PUT', url = grant.url, headers = {}, body = 'hello' }: Sent = {}) {
  const all = { ...grant.headers, 'Content-Length': String(Buffer.byteLength(body)), ...headers };
  const kept = Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return new Promise<{ status: number; code: string | undefined }>((resolve, reject) => {
    const request = httpRequest(url, { method, headers: kept, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, code: /<Code>(.*?)</.exec(text)?.[1] }),
      );
    });
    request.once('error', reject);
    request.end(body);
  });
}

const withParameter = (url: string, name: string, value: string) => {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed.href;
};

it('the bucket accepts exactly what was granted', async () => {
  const { grant, emulator } = await setUp();
  expect(await send(await grant())).toStrictEqual({ status: 200, code: undefined });
  expect(emulator.files()).toHaveLength(1);
});

it('the bucket accepts the types of browser recordings exactly as they were granted', async () => {
  const types = ['video/webm', 'video/mp4', 'video/x-matroska', 'audio/mp4', 'audio/webm'];
  const { grant, emulator } = await setUp({
    ...OWN_FILES,
    contentTypes: ['text/plain', 'image/*', ...types],
  });
  const recordings = [
    'video/webm;codecs=vp8,opus',
    'video/webm ; codecs=vp8,opus',
    'video/mp4;codecs=vp9,opus',
    'video/mp4;codecs=avc1.42E01E,mp4a.40.2',
    'video/x-matroska;codecs=avc1,opus',
    'audio/mp4;codecs=mp4a.40.2',
    'audio/webm;codecs="opus"',
    'text/plain; charset=UTF-8',
  ];
  for (const [index, contentType] of recordings.entries()) {
    const granted = await grant({ key: `users/alice/${index}`, contentType });
    expect(granted.headers['Content-Type']).toBe(contentType);
    expect(await send(granted)).toStrictEqual({ status: 200, code: undefined });
  }
  expect(emulator.files()).toHaveLength(recordings.length);
});

describe('rejects', () => {
  it.each<[string, Sent]>([
    ['another type', { headers: { 'Content-Type': 'text/html' } }],
    ['the type with a parameter', { headers: { 'Content-Type': 'text/plain; charset=utf-8' } }],
    ['no type', { headers: { 'Content-Type': undefined } }],
    ['other metadata', { headers: { 'x-oss-meta-album': '43' } }],
    ['no metadata', { headers: { 'x-oss-meta-album': undefined } }],
    ['more metadata', { headers: { 'x-oss-meta-more': '1' } }],
    ['permission to overwrite', { headers: { 'x-oss-forbid-overwrite': 'false' } }],
    ['silence about overwriting', { headers: { 'x-oss-forbid-overwrite': undefined } }],
    ['another ACL', { headers: { 'x-oss-object-acl': 'public-read' } }],
    ['another storage class', { headers: { 'x-oss-storage-class': 'Archive' } }],
    ['tags', { headers: { 'x-oss-tagging': 'a=b' } }],
    ['a callback', { headers: { 'x-oss-callback': 'e30=' } }],
    ['an MD5 that was not granted', { headers: { 'Content-MD5': 'XUFAKrxLKna5cZ2REBfFkg==' } }],
    ['another caching', { headers: { 'Cache-Control': 'public' } }],
    ['another disposition', { headers: { 'Content-Disposition': 'inline' } }],
    ['one byte more', { body: 'hello!' }],
    ['one byte less', { body: 'hell' }],
    ['an empty body', { body: '' }],
  ])('%s', async (_name, change) => {
    const { grant, emulator } = await setUp();
    expect(await send(await grant(), change)).toStrictEqual({ status: 403, code: 'SignatureDoesNotMatch' });
    expect(emulator.files()).toStrictEqual([]);
  });

  it.each<[string, Sent]>([
    ['no disposition', { headers: { 'Content-Disposition': undefined } }],
    [
      'a body of unknown length',
      { headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' } },
    ],
  ])('%s', async (_name, change) => {
    const { grant, emulator } = await setUp();
    const { status } = await send(await grant(), change);
    expect([400, 403]).toContain(status);
    expect(emulator.files()).toStrictEqual([]);
  });

  it.each(['GET', 'HEAD', 'DELETE', 'POST'])('%s in place of PUT', async (method) => {
    const { grant } = await setUp();
    expect((await send(await grant(), { method, body: '' })).status).toBeGreaterThanOrEqual(403);
  });

  it.each<[string, (url: string) => string]>([
    ['another key', (url) => url.replace('note.txt', 'nota.txt')],
    ['another caller’s key', (url) => url.replace('/alice/', '/bob/')],
    ['a longer life', (url) => withParameter(url, 'x-oss-expires', '3600')],
    ['a later beginning', (url) => withParameter(url, 'x-oss-date', '20261123T100001Z')],
    ['another additional header', (url) => withParameter(url, 'x-oss-additional-headers', 'host')],
    ['one more parameter', (url) => withParameter(url, 'x-oss-process', 'image/resize,w_100')],
    ['one more sub-resource', (url) => `${url}&acl`],
    ['a flipped digit of the signature', (url) => url.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))],
    ['no signature', (url) => url.replace(/&x-oss-signature=.*/, '')],
    ['an empty signature', (url) => url.replace(/(&x-oss-signature=).*/, '$1')],
    ['the signature twice', (url) => `${url}&x-oss-signature=${'0'.repeat(64)}`],
    ['another region', (url) => url.replace('cn-hangzhou', 'cn-shanghai')],
    ['another key id', (url) => url.replace(LONG_LIVED.accessKeyId, 'STS.NUTestKey')],
    ['a security token', (url) => `${url}&x-oss-security-token=x`],
  ])('%s in the URL', async (_name, change) => {
    const { grant, emulator } = await setUp();
    const granted = await grant();
    const changed = change(granted.url);
    expect(changed).not.toBe(granted.url);
    const { status } = await send(granted, { url: changed });
    expect([400, 403, 501]).toContain(status);
    expect(emulator.files()).toStrictEqual([]);
  });

  it('the URL after its stated expiry, but not just before', async () => {
    const { grant, clock } = await setUp();
    const [early, late] = [
      await grant({ key: 'users/alice/early' }),
      await grant({ key: 'users/alice/late' }),
    ];
    clock.now = new Date(early.expiresAt);
    expect((await send(early)).status).toBe(200);
    clock.now = new Date(new Date(late.expiresAt).getTime() + 1000);
    expect(await send(late)).toStrictEqual({ status: 403, code: 'AccessDenied' });
  });

  it('a second use of the URL, and a URL for an object that is there', async () => {
    const { grant } = await setUp();
    const first = await grant();
    expect((await send(first)).status).toBe(200);
    expect(await send(first)).toStrictEqual({ status: 409, code: 'FileAlreadyExists' });
    expect(await send(await grant())).toStrictEqual({ status: 409, code: 'FileAlreadyExists' });
    expect((await send(await grant({ overwrite: true }))).status).toBe(200);
  });

  it('bytes that are not those of the granted MD5', async () => {
    const { grant, emulator } = await setUp();
    const granted = await grant({ contentMd5: 'XUFAKrxLKna5cZ2REBfFkg==' });
    expect(await send(granted, { body: 'HELLO' })).toStrictEqual({ status: 400, code: 'InvalidDigest' });
    expect(emulator.files()).toStrictEqual([]);
    expect((await send(granted)).status).toBe(200);
  });
});

describe('works for', () => {
  it.each([
    ['a key with a space', 'users/alice/my note.txt'],
    ['a plus and percent signs', 'users/alice/1+1=2 100% %41%2F.txt'],
    ['quotes and brackets', `users/alice/"it's" (1)[2]{3}<4>.txt`],
    ['reserved characters', 'users/alice/?#&=;:@$,!*~^`|.txt'],
    ['Chinese', 'users/alice/报告 最终版.txt'],
    ['emoji', 'users/alice/👩‍👩‍👧😀.txt'],
    ['a name of dots', 'users/alice/...'],
    ['1023 bytes', `users/alice/${'图'.repeat(337)}`],
  ])('%s, by fetch and by node:http', async (_name, key) => {
    const { grant } = await setUp();
    expect((await send(await grant({ key }))).status).toBe(200);
    const { method, url, headers } = await grant({ key, overwrite: true });
    const response = await fetch(url, { method, headers, body: Buffer.from('again') });
    expect(response.status, await response.text()).toBe(200);
  });

  it('an empty file', async () => {
    const { grant } = await setUp();
    const granted = await grant({ contentLength: 0 });
    expect((await send(granted, { body: '' })).status).toBe(200);
    expect((await send(await grant({ contentLength: 0, key: 'users/alice/b' }), { body: 'x' })).status).toBe(
      403,
    );
  });
});

describe('a standard header that the grant does not hold', () => {
  const ruleWith = (fields: Fields) => ({
    name: 'r',
    who: { scope: 'uploads:write' },
    target: 'media',
    prefix: 'users/',
    contentTypes: ['text/plain'],
    maxSize: '1KiB',
    ...fields,
  });
  const SENT = {
    'Cache-Control': 'public, max-age=31536000, immutable',
    'Content-Disposition': 'inline; filename="invoice.html"',
    'Content-Encoding': 'gzip',
    'Content-Language': 'xx',
    Expires: 'Wed, 01 Jan 2031 00:00:00 GMT',
  };
  const NOTHING_OF_THE_CLIENT = { metadata: {}, cacheControl: undefined };

  async function sendWith(fields: Fields, name: keyof typeof SENT) {
    const { grant, emulator } = await setUp(ruleWith(fields));
    const granted = await grant(NOTHING_OF_THE_CLIENT);
    const { status } = await send(granted, { headers: { [name]: SENT[name] } });
    return { status, stored: emulator.files().length, granted: granted.headers };
  }

  it.each<[keyof typeof SENT, Fields]>([
    ['Cache-Control', {}],
    ['Content-Disposition', {}],
    ['Cache-Control', { clientHeaders: ['contentDisposition', 'contentEncoding'] }],
    ['Content-Disposition', { clientHeaders: ['cacheControl'] }],
    ['Content-Disposition', { headers: { 'Cache-Control': 'none' } }],
    ['Cache-Control', { headers: { 'content-disposition': 'inline', 'cache-control': 'no-store' } }],
    ['Content-Encoding', { headers: { 'Content-Encoding': 'identity' } }],
    ['Content-Language', { headers: { 'Content-Language': 'en' } }],
    ['Expires', { headers: { Expires: 'Thu, 26 Nov 2026 10:00:00 GMT' } }],
  ])('%s cannot be stored with a rule that has %j: it is signed', async (name, fields) => {
    const { status, stored, granted } = await sendWith(fields, name);
    const spelled = Object.keys(granted).map((header) => header.toLowerCase());
    expect(spelled).toContain(name.toLowerCase());
    expect([status, stored]).toStrictEqual([403, 0]);
  });

  it.each<[keyof typeof SENT, Fields]>([
    ['Content-Encoding', {}],
    ['Content-Language', {}],
    ['Expires', {}],
    ['Cache-Control', { headers: { 'Cache-Control': 'none' } }],
    ['Content-Disposition', { headers: { 'content-disposition': 'NONE' } }],
    ['Cache-Control', { clientHeaders: ['cacheControl'] }],
    ['Content-Disposition', { clientHeaders: ['contentDisposition'] }],
  ])('%s is free with a rule that has %j, as SECURITY.md states', async (name, fields) => {
    const { status, stored, granted } = await sendWith(fields, name);
    expect(Object.keys(granted)).not.toContain(name);
    expect([status, stored]).toStrictEqual([200, 1]);
  });
});
