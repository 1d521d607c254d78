import { expect, it } from 'vitest';
import { KeptValues } from '../../../../src/storage/oss/signing/kept-values.ts';
import { presign } from '../../../../src/storage/oss/signing/presign.ts';
import { type PresignPutInput, presignPut } from '../../../../src/storage/oss/signing/presign-put.ts';
import { now } from '../../../support/fixed-clock.ts';
import { referenceUrl } from '../../../support/reference-url.ts';

const PUT: PresignPutInput = {
  credentials: { accessKeyId: 'STS.One', accessKeySecret: 'secret one', securityToken: 'token/one==' },
  region: 'cn-hangzhou',
  bucket: 'acme-media',
  endpoint: 'public',
  key: 'users/alice/photo.png',
  headers: { 'Content-Type': 'image/png' },
  signedAt: now,
  expiresInSeconds: 600,
};
const { securityToken: _, ...withoutToken } = PUT.credentials;

// Each pair is what a memory with one condition too few would take for the same.
it.each<[string, Partial<PresignPutInput>]>([
  [
    'a secret that changes in the middle of a day',
    { credentials: { ...PUT.credentials, accessKeySecret: 'other' } },
  ],
  ['a key id that changes', { credentials: { ...PUT.credentials, accessKeyId: 'STS.Two' } }],
  ['a token that changes', { credentials: { ...PUT.credentials, securityToken: 'token/two==' } }],
  ['a token that is no longer there', { credentials: withoutToken }],
  ['a day that changes', { signedAt: new Date(now.getTime() + 86_400_000) }],
  ['a second that changes', { signedAt: new Date(now.getTime() + 1000) }],
  ['two regions by turns', { region: 'cn-beijing' }],
  ['two buckets by turns', { bucket: 'acme-logs' }],
  ['two words of an endpoint by turns', { endpoint: 'internal' }],
  ['two addresses of a bucket by turns', { endpoint: { url: 'https://a.example.com', addressing: 'cname' } }],
])('what is kept does not outlive %s', (_name, change) => {
  const changed = { ...PUT, ...change };
  const turns = [PUT, changed, PUT, changed, changed, PUT];
  expect(turns.map((put) => presignPut(put).url)).toStrictEqual(turns.map((put) => referenceUrl(put)));
});

it('what is kept does not outlive one address in two ways by turns', () => {
  const url = 'https://a.example.com';
  const asDomain: PresignPutInput = { ...PUT, endpoint: { url, addressing: 'cname' } };
  const turns = [asDomain, { ...PUT, endpoint: { url, addressing: 'path' } } as const, asDomain];
  expect(turns.map((put) => presignPut(put).url)).toStrictEqual(turns.map((put) => referenceUrl(put)));
});

it('what is kept does not outlive two products by turns', () => {
  const [first, second, third] = ['oss', 'oss-cloudbox', 'oss'].map((product) =>
    presign({ ...PUT, method: 'PUT', product }),
  );
  expect(second?.url).toContain('%2Foss-cloudbox%2Faliyun_v4_request');
  expect(second?.signature).not.toBe(first?.signature);
  expect(third).toStrictEqual(first);
});

it('what is kept does not follow an object that its owner changes', () => {
  const credentials = { ...PUT.credentials, accessKeyId: 'STS.Three' };
  const endpoint = { url: 'https://a.example.com', addressing: 'cname' as const };
  presignPut({ ...PUT, credentials, endpoint });
  credentials.accessKeySecret = 'secret two';
  endpoint.url = 'https://b.example.com';
  const put = { ...PUT, credentials, endpoint };
  expect(presignPut(put).url).toBe(referenceUrl(put));
});

it('more regions, buckets and header names than are kept are signed as the first', () => {
  const puts = Array.from({ length: 1100 }, (_, index) => ({
    ...PUT,
    region: `region-${index}`,
    bucket: `bucket-${index}`,
    headers: { [`x-oss-meta-${index}`]: '1' },
  }));
  const turns = [...puts, ...puts.slice(0, 100)];
  expect(turns.map((put) => presignPut(put).url)).toStrictEqual(turns.map((put) => referenceUrl(put)));
});

it('holds no more values than it has places for', () => {
  const kept = new KeptValues<number>(3);
  const sizes = [1, 2, 3, 4, 5, 6, 7].map((value) => {
    expect(kept.keep(`place ${value}`, value)).toBe(value);
    expect(kept.get(`place ${value}`)).toBe(value);
    return kept.size;
  });
  expect(sizes).toStrictEqual([1, 2, 3, 1, 2, 3, 1]);
  expect(kept.get('place 1')).toBeUndefined();
});

it('a new value takes the place of the one before, and no other', () => {
  const kept = new KeptValues<number>(2);
  kept.keep('a', 1);
  kept.keep('b', 2);
  kept.keep('a', 3);
  expect([kept.get('a'), kept.get('b'), kept.size]).toStrictEqual([3, 2, 2]);
});
