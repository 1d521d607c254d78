import { expect, it } from 'vitest';
import { faultsOf, policyOf, ruleLine, withRules } from './policy-file-text.ts';

const policyWith = (endpoint: string, region = 'cn-hangzhou') =>
  withRules(ruleLine('r', 'p/')).replace('cn-hangzhou }', `${region}, endpoint: "${endpoint}" }`);

it.each<[string, string, 'virtual' | 'cname']>([
  ['https://oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou', 'virtual'],
  ['https://oss-cn-hangzhou-internal.aliyuncs.com', 'cn-hangzhou', 'virtual'],
  ['https://OSS-cn-Hangzhou.aliyuncs.com', 'cn-hangzhou', 'virtual'],
  ['https://acme-media.oss-cn-hangzhou.aliyuncs.com', 'cn-hangzhou', 'cname'],
  ['https://acme-media.oss-cn-hangzhou-internal.aliyuncs.com/', 'cn-hangzhou', 'cname'],
  ['https://cn-hangzhou.oss.aliyuncs.com', 'cn-hangzhou', 'virtual'],
  ['https://acme-media.cn-hangzhou.oss.aliyuncs.com', 'cn-hangzhou', 'cname'],
  ['https://oss-accelerate.aliyuncs.com', 'cn-shanghai', 'virtual'],
  ['https://acme-media.oss-accelerate-overseas.aliyuncs.com', 'cn-shanghai', 'cname'],
  ['https://oss-cn-hzfinance.aliyuncs.com', 'cn-hangzhou-finance', 'virtual'],
  ['https://oss-cn-hzfinance.aliyuncs.com', 'cn-hzfinance', 'virtual'],
  ['https://oss-cn-shanghai-finance-1-pub.aliyuncs.com', 'cn-shanghai-finance-1', 'virtual'],
  ['https://oss-ap-southeast-99.aliyuncs.com', 'ap-southeast-99', 'virtual'],
  ['https://upload.example.com', 'cn-hangzhou', 'cname'],
  ['https://acme-media.oss-cn-shanghai.example.com', 'cn-hangzhou', 'cname'],
])('accepts %s for the region %s', (endpoint, region, addressing) => {
  expect(policyOf(policyWith(endpoint, region)).rules[0]?.target.endpoint).toMatchObject({ addressing });
});

const REGION = "names another region than this target's region, so OSS would reject every signature";
const BUCKET = "names another bucket than this target's bucket";

it.each([
  ['https://oss-cn-shanghai.aliyuncs.com', REGION],
  ['https://oss-cn-shanghai-internal.aliyuncs.com', REGION],
  ['https://oss-cn-hangzhou-finance.aliyuncs.com', REGION],
  ['https://oss-cn-hzfinance.aliyuncs.com', REGION],
  ['https://acme-media.oss-cn-shanghai.aliyuncs.com', REGION],
  ['https://vpc100-oss-cn-shanghai.aliyuncs.com', REGION],
  ['https://us-west-1.oss.aliyuncs.com', REGION],
  ['https://acme-media.us-west-1.oss.aliyuncs.com', REGION],
  ['https://other.oss-cn-hangzhou.aliyuncs.com', BUCKET],
  ['https://other.oss-cn-shanghai.aliyuncs.com', BUCKET],
  ['https://other.cn-hangzhou.oss.aliyuncs.com', BUCKET],
  ['https://other.oss-accelerate.aliyuncs.com', BUCKET],
  ['https://x.acme-media.oss-cn-hangzhou.aliyuncs.com', BUCKET],
  ['https://s3.oss-cn-hangzhou.aliyuncs.com', 'is the address for S3 clients; write it without "s3."'],
  [
    'https://acme-media.s3.oss-cn-hangzhou.aliyuncs.com',
    'is the address for S3 clients; write it without "s3."',
  ],
  ['https://oss-cn-hangzhou.aliyuncs.com.', 'must have a host without a dot at its end'],
])('rejects %s', (endpoint, fault) => {
  expect(faultsOf(policyWith(endpoint))).toStrictEqual([`4 targets.media.endpoint: ${fault}`]);
});

const WORD = "must be the bucket's own region, such as cn-hangzhou; this word belongs to endpoint";
const ID = 'must be a region id such as cn-hangzhou, without "oss-" or "-internal"';

it.each([
  ['accelerate', WORD],
  ['accelerate-overseas', WORD],
  ['internal', WORD],
  ['oss-accelerate', ID],
  ['oss-cn-hangzhou', ID],
  ['cn-hangzhou-internal', ID],
  ['oss-cn-hangzhou.aliyuncs.com', ID],
  ['CN-HANGZHOU', ID],
])('rejects the region %s', (region, fault) => {
  expect(faultsOf(policyWith('public', region))).toStrictEqual([`4 targets.media.region: ${fault}`]);
});

it('suggests the endpoint that was meant', () => {
  const words = 'public, internal, accelerate, accelerate-overseas, dualstack';
  expect(faultsOf(policyWith('interal'))).toStrictEqual([
    `4 targets.media.endpoint: must be one of ${words}, or an https:// address such as https://upload.example.com; did you mean "internal"?`,
  ]);
});
