import { expect, it } from 'vitest';
import { type PresignPutInput, presignPut } from '../../../../src/storage/oss/signing/presign-put.ts';
import { now } from '../../../support/fixed-clock.ts';

const PUT: PresignPutInput = {
  credentials: { accessKeyId: 'id', accessKeySecret: 'TheSecret' },
  region: 'cn-hangzhou',
  bucket: 'acme-media',
  endpoint: 'public',
  key: 'users/alice/photo.png',
  headers: { 'Content-Type': 'image/png' },
  signedAt: now,
  expiresInSeconds: 600,
};

it('names every header as signed that OSS does not sign by itself, and the length when it is bound', () => {
  const { url, headers } = presignPut({
    ...PUT,
    headers: {
      'Content-Type': 'image/png',
      'Cache-Control': 'no-cache',
      'Content-Disposition': 'attachment',
      'Content-Encoding': 'gzip',
      Expires: 'Thu, 01 Dec 2026 16:00:00 GMT',
      'x-oss-meta-album': '42',
    },
    contentLength: 0,
  });
  expect(new URL(url).searchParams.get('x-oss-additional-headers')).toBe(
    'cache-control;content-disposition;content-encoding;content-length;expires',
  );
  expect(Object.keys(headers)).not.toContain('Content-Length');
});

it('leaves the list of additional headers out when there is none', () => {
  expect(new URL(presignPut(PUT).url).searchParams.has('x-oss-additional-headers')).toBe(false);
});

it('cuts the instant to whole seconds, so that the stated expiry is the signed one', () => {
  const signed = presignPut({ ...PUT, signedAt: new Date('2026-11-23T10:00:00.999Z') });
  expect(signed.signedAt).toStrictEqual(new Date('2026-11-23T10:00:00Z'));
  expect(signed.expiresAt).toStrictEqual(new Date('2026-11-23T10:10:00Z'));
  expect(new URL(signed.url).searchParams.get('x-oss-date')).toBe('20261123T100000Z');
});

it('gives the same URL for the same input, and changes nothing of it', () => {
  const input = Object.freeze({ ...PUT, headers: Object.freeze({ ...PUT.headers }) });
  expect(presignPut(input)).toStrictEqual(presignPut(input));
});

it.each<[string, Partial<PresignPutInput>]>([
  ['no time', { expiresInSeconds: 0 }],
  ['more than seven days', { expiresInSeconds: 604_801 }],
  ['half a second', { expiresInSeconds: 0.5 }],
  ['an empty key', { key: '' }],
  ['a key with ..', { key: 'a/../b' }],
  ['a key that is .', { key: '.' }],
  ['half a surrogate pair', { key: '\ud83d' }],
  ['a blank header', { headers: { 'x-oss-meta-a': ' ' } }],
  ['a line break in a header', { headers: { 'x-oss-meta-a': 'a\r\nb: c' } }],
  ['a header that is not ASCII', { headers: { 'x-oss-meta-a': 'é' } }],
  ['a header name with a blank', { headers: { 'x-oss meta': 'a' } }],
  ['one header twice', { headers: { 'Content-Type': 'a/b', 'content-type': 'a/b' } }],
  ['a length beside its header', { headers: { 'Content-Length': '1' }, contentLength: 2 }],
  ['an instant that is none', { signedAt: new Date(Number.NaN) }],
])('refuses %s, and repeats nothing of it', (_name, change) => {
  const attempt = () => presignPut({ ...PUT, ...change });
  expect(attempt).toThrow();
  expect(attempt).not.toThrow(/TheSecret|é|b: c/);
});
