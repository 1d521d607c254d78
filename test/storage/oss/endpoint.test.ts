import { expect, it } from 'vitest';
import { bucketAddress, type Endpoint } from '../../../src/storage/oss/endpoint.ts';

it.each<[Endpoint, string, string, string]>([
  ['public', 'cn-hangzhou', 'https://acme.oss-cn-hangzhou.aliyuncs.com', ''],
  ['internal', 'cn-hangzhou', 'https://acme.oss-cn-hangzhou-internal.aliyuncs.com', ''],
  ['accelerate', 'cn-hangzhou', 'https://acme.oss-accelerate.aliyuncs.com', ''],
  ['accelerate-overseas', 'us-west-1', 'https://acme.oss-accelerate-overseas.aliyuncs.com', ''],
  ['dualstack', 'cn-hangzhou', 'https://acme.cn-hangzhou.oss.aliyuncs.com', ''],
  [
    { url: 'https://upload.example.com', addressing: 'cname' },
    'cn-hangzhou',
    'https://upload.example.com',
    '',
  ],
  [
    { url: 'https://oss-cn-hzfinance.aliyuncs.com', addressing: 'virtual' },
    'cn-hangzhou-finance',
    'https://acme.oss-cn-hzfinance.aliyuncs.com',
    '',
  ],
  [{ url: 'http://127.0.0.1:9000', addressing: 'path' }, 'cn-hangzhou', 'http://127.0.0.1:9000', '/acme'],
  [{ url: 'http://[::1]:9000', addressing: 'path' }, 'cn-hangzhou', 'http://[::1]:9000', '/acme'],
])('a bucket is reached at %j in %s', (endpoint, region, origin, pathPrefix) => {
  expect(bucketAddress(endpoint, 'acme', region)).toStrictEqual({ origin, pathPrefix });
});

it('rejects path style on public OSS, as OSS does', () => {
  const endpoint: Endpoint = { url: 'https://oss-cn-hangzhou.aliyuncs.com', addressing: 'path' };
  expect(() => bucketAddress(endpoint, 'acme', 'cn-hangzhou')).toThrow(TypeError);
});
