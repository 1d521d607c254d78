import { describe, expect, it } from 'vitest';
import { faultsOf, policyOf, ruleLine, withRules } from './policy-file-text.ts';

const policyOfTarget = (fields: string, region = 'cn-hangzhou') =>
  withRules(ruleLine('r', 'p/')).replace('cn-hangzhou }', `${region}, ${fields} }`);

const policyWith = (endpoint: string, region?: string) => policyOfTarget(`endpoint: "${endpoint}"`, region);

const policyWithService = (serviceEndpoint: string, region?: string) =>
  policyOfTarget(`serviceEndpoint: "${serviceEndpoint}"`, region);

const targetOf = (policy: string) => policyOf(policy).rules[0]?.target;

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
  expect(targetOf(policyWith(endpoint, region))?.endpoint).toMatchObject({ addressing });
  expect(targetOf(policyWithService(endpoint, region))).toMatchObject({
    endpoint: 'public',
    serviceEndpoint: { addressing },
  });
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
  expect(faultsOf(policyWithService(endpoint))).toStrictEqual([`4 targets.media.serviceEndpoint: ${fault}`]);
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

describe('serviceEndpoint', () => {
  const CNAME = 'https://upload.example.com';
  const EMULATOR = 'http://emulator:9000';
  const cname = { url: CNAME, addressing: 'cname' };

  it.each([
    ['endpoint: accelerate', 'accelerate', 'accelerate'],
    ['endpoint: accelerate, serviceEndpoint: internal', 'accelerate', 'internal'],
    ['serviceEndpoint: dualstack', 'public', 'dualstack'],
    [`endpoint: "${CNAME}"`, cname, cname],
    [`endpoint: "${CNAME}", serviceEndpoint: internal`, cname, 'internal'],
    [
      'serviceEndpoint: "http://127.0.0.1:9000"',
      'public',
      { url: 'http://127.0.0.1:9000', addressing: 'path' },
    ],
    ['serviceEndpoint: "http://[::1]:9000"', 'public', { url: 'http://[::1]:9000', addressing: 'path' }],
    [
      `serviceEndpoint: "${EMULATOR}", pathStyle: true, insecureHttp: true`,
      'public',
      { url: EMULATOR, addressing: 'path' },
    ],
  ])('is the endpoint if it is missing: %s', (fields, endpoint, serviceEndpoint) => {
    expect(targetOf(policyOfTarget(fields))).toMatchObject({ endpoint, serviceEndpoint });
  });

  it.each([
    [
      'serviceEndpoint: "http://upload.example.com"',
      ['serviceEndpoint: uses plain http; use https://, or set insecureHttp: true next to it.'],
    ],
    [
      'endpoint: "http://a.example.com", serviceEndpoint: "http://b.example.com"',
      ['endpoint: uses plain http;', 'serviceEndpoint: uses plain http;'],
    ],
    [
      'serviceEndpoint: "https://user:password@upload.example.com"',
      [
        'serviceEndpoint: must be an origin only',
        'serviceEndpoint: must be an https:// address without a user name,',
      ],
    ],
    ['serviceEndpoint: "https://upload.example.com/a"', ['serviceEndpoint: must be an origin only']],
    ['serviceEndpoint: intern', ['serviceEndpoint: must be one of public, internal,']],
    ['serviceEndpoint: null', ['serviceEndpoint: has no value']],
    ['serviceEndpoint: internal, pathStyle: true', ['pathStyle: needs an address (https://…) as endpoint']],
    [
      `endpoint: "${CNAME}", serviceEndpoint: "https://oss-cn-hangzhou-internal.aliyuncs.com", pathStyle: true`,
      ['pathStyle: must be false for OSS, which rejects path style'],
    ],
    [
      'serviceendpoint: internal',
      ['serviceendpoint: is not a field of the policy file; did you mean "serviceEndpoint"?'],
    ],
  ])('rejects %s', (fields, faults) => {
    const found = faultsOf(policyOfTarget(fields));
    expect(found).toHaveLength(faults.length);
    for (const [index, fault] of faults.entries())
      expect(found[index]?.startsWith(`4 targets.media.${fault}`), found[index]).toBe(true);
  });

  it('is warned about once if it uses plain http on a public network', () => {
    const risk = 'anyone who controls that name or network can replace them.';
    const warningsOf = (fields: string) => policyOf(policyOfTarget(`${fields}, insecureHttp: true`)).warnings;
    expect(warningsOf('serviceEndpoint: "http://b.example.com"')).toStrictEqual([
      `The service’s calls to the target media travel over plain http to b.example.com (insecureHttp): ${risk}`,
    ]);
    expect(warningsOf('endpoint: "http://a.example.com"')).toStrictEqual([
      `Uploads to the target media travel over plain http to a.example.com (insecureHttp): ${risk}`,
    ]);
    expect(
      warningsOf('endpoint: "http://a.example.com", serviceEndpoint: "http://b.example.com"'),
    ).toHaveLength(2);
  });
});
