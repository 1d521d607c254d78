import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../src/policy/file/parse-policy.ts';

function parse(fields: string) {
  return parsePolicy(
    `
issuers: [{ issuer: https://a.example/, audience: a }]
targets: { t: { bucket: bkt, region: cn-hangzhou } }
rules:
  - name: r
    who: { scope: s }
    target: t
    prefix: p/
    contentTypes: [a/b]
    maxSize: 1
${fields}`,
    { env: {}, readFile: () => '' },
  );
}

function headersOf(fields: string): unknown {
  const parsed = parse(fields);
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.policy.rules[0]?.headers;
}

/** Each fault of the rule as `path: detail`. */
function faultsOf(fields: string): readonly string[] {
  const parsed = parse(fields);
  return 'faults' in parsed
    ? parsed.faults.map(({ path, detail }) => `${path.replace('rules[0].', '')}: ${detail}`)
    : [];
}

const base64 = (content: unknown) => Buffer.from(JSON.stringify(content)).toString('base64');
const headers = (entries: Readonly<Record<string, string>>) => `    headers: ${JSON.stringify(entries)}\n`;

describe('the headers that are signed for every request', () => {
  it.each<[string, string, Readonly<Record<string, string>>]>([
    ['nothing', '', { 'Cache-Control': 'private, no-cache', 'Content-Disposition': 'attachment' }],
    [
      'another header',
      headers({ 'x-oss-storage-class': 'IA' }),
      {
        'x-oss-storage-class': 'IA',
        'Cache-Control': 'private, no-cache',
        'Content-Disposition': 'attachment',
      },
    ],
    [
      'one of the two',
      headers({ 'content-disposition': 'inline' }),
      { 'Content-Disposition': 'inline', 'Cache-Control': 'private, no-cache' },
    ],
    [
      'both',
      headers({ 'CACHE-CONTROL': 'max-age=60', 'Content-Disposition': 'inline; filename="a.png"' }),
      { 'Cache-Control': 'max-age=60', 'Content-Disposition': 'inline; filename="a.png"' },
    ],
    ['none for one', headers({ 'Content-Disposition': 'none' }), { 'Cache-Control': 'private, no-cache' }],
    ['none for both', headers({ 'content-disposition': 'None', 'cache-control': 'NONE' }), {}],
    ['one left to clients', '    clientHeaders: [cacheControl]\n', { 'Content-Disposition': 'attachment' }],
    [
      'another left to clients',
      '    clientHeaders: [contentEncoding]\n',
      { 'Cache-Control': 'private, no-cache', 'Content-Disposition': 'attachment' },
    ],
    ['both left to clients', '    clientHeaders: [contentDisposition, cacheControl]\n', {}],
  ])('if the rule sets %s', (_title, fields, signed) => {
    expect(headersOf(fields)).toStrictEqual(signed);
  });
});

it.each([
  ['Cache-Control', 'private, max-age=60, stale-while-revalidate=30'],
  ['Cache-Control', 'no-cache="set-cookie"'],
  ['Content-Disposition', 'attachment'],
  ['Content-Disposition', 'Inline'],
  ['Content-Disposition', 'attachment; filename="a;b.png"; filename*=UTF-8\'\'%E6%96%87.png'],
  ['Content-Encoding', 'gzip'],
  ['Content-Encoding', 'br, identity'],
  ['Content-Language', 'zh-Hans-CN, en'],
  ['Expires', 'Thu, 26 Nov 2026 10:00:00 GMT'],
  ['x-oss-tagging', 'team=web&stage=te%26st&empty='],
  ['x-oss-tagging', Array.from({ length: 10 }, (_, n) => `t${n}=v`).join('&')],
  ['x-oss-tagging', `${'%E5%9B%BE'.repeat(42)}=${'v'.repeat(256)}`],
  ['x-oss-callback', base64({ callbackUrl: 'https://a.example/x', callbackBody: 'a=b' })],
  [
    'x-oss-callback',
    base64({
      callbackUrl: 'https://a.example/x;http://b.example:8080/',
      callbackHost: 'a.example',
      callbackBody: '{"a":1}',
      callbackBodyType: 'application/json',
      callbackSNI: true,
    }),
  ],
  ['x-oss-server-side-encryption', 'AES256'],
  ['x-oss-traffic-limit', '819200'],
  ['x-oss-meta-a', 'none'],
  ['x-oss-meta-a', 'v'.repeat(8192 - 12 - 56)],
])('accepts %s: %s', (name, value) => {
  expect(headersOf(headers({ [name]: value }))).toMatchObject({ [name]: value });
});

it('accepts KMS with a key, and a callback with variables', () => {
  const kms = {
    'x-oss-server-side-encryption': 'KMS',
    'x-oss-server-side-encryption-key-id': '9468da86-3509-4f8d-a61e-6eab1eac0000',
    'x-oss-server-side-data-encryption': 'SM4',
    'x-oss-callback': base64({ callbackUrl: 'a.example:8080/x', callbackBody: 'a=b' }),
    'x-oss-callback-var': base64({ 'x:uid': 'alice' }),
  };
  expect(headersOf(headers(kms))).toMatchObject(kms);
});

const DATE = 'must be an HTTP date (RFC 9110), such as Thu, 26 Nov 2026 10:00:00 GMT';
const CALLBACK_URL = 'must hold callbackUrl: one to five http or https URLs, joined by ";"';
const CODINGS =
  'must be a list of aes128gcm, br, compress, dcb, dcz, deflate, exi, gzip, identity, pack200-gzip, x-compress, x-gzip, zstd';
const DISPOSITION = 'must be attachment or inline, with parameters or without (RFC 6266), or none';
const PAIRS = 'must be name=value pairs, joined by "&" and percent-encoded, such as team=web&stage=test';
const VARIABLES = 'must hold strings, under names that begin with "x:" and are in lower case';

it.each([
  ['Expires', 'Thu', DATE],
  ['Expires', 'never', DATE],
  ['Expires', 'none', DATE],
  ['Expires', '0', DATE],
  ['Expires', '2026-11-26T10:00:00Z', DATE],
  ['Expires', 'Fri, 26 Nov 2026 10:00:00 GMT', DATE],
  ['Expires', 'Mon, 30 Feb 2026 10:00:00 GMT', DATE],
  ['Expires', 'Thursday, 26-Nov-26 10:00:00 GMT', DATE],
  ['Expires', 'Thu, 26 Nov 2026 10:00:00 +0100', DATE],
  [
    'Cache-Control',
    'private; max-age=60',
    'must be a list of directives (RFC 9111), such as private, max-age=60',
  ],
  ['Cache-Control', 'max-age = 60', 'must be a list of directives (RFC 9111), such as private, max-age=60'],
  ['Cache-Control', 'v'.repeat(1025), 'must have at most 1024 characters'],
  ['Content-Disposition', 'atachment', `${DISPOSITION}; did you mean attachment?`],
  ['Content-Disposition', 'filename="a.png"', DISPOSITION],
  ['Content-Disposition', 'attachment filename=a', DISPOSITION],
  ['Content-Disposition', 'attachment; filename="a', DISPOSITION],
  [
    'Content-Disposition',
    'attachment; filename="文.png"',
    'must be printable ASCII, without blanks at its ends, and not empty',
  ],
  ['Content-Encoding', 'gzp', `${CODINGS}; did you mean gzip?`],
  ['Content-Encoding', 'utf-8', CODINGS],
  ['Content-Encoding', 'none', CODINGS],
  ['Content-Language', 'zh_CN', 'must be a list of language tags (RFC 9110), such as zh-CN, en'],
  ['x-oss-tagging', 'team', PAIRS],
  ['x-oss-tagging', 'a=b&', PAIRS],
  ['x-oss-tagging', '=b', PAIRS],
  ['x-oss-tagging', 'a=b=c', PAIRS],
  ['x-oss-tagging', 'a=%zz', PAIRS],
  ['x-oss-tagging', 'a=1&%61=2', 'has the tag "a" twice'],
  [
    'x-oss-tagging',
    Array.from({ length: 11 }, (_, n) => `t${n}=v`).join('&'),
    'has 11 tags; OSS takes at most 10',
  ],
  ['x-oss-tagging', `${'%E5%9B%BE'.repeat(43)}=v`, 'has a tag name of more than 128 bytes'],
  ['x-oss-tagging', `a=${'v'.repeat(257)}`, 'has a tag value of more than 256 bytes'],
  ['x-oss-callback', 'eyJ9', 'must be base64 of a JSON object'],
  ['x-oss-callback', '{"callbackUrl":"https://a.example/"}', 'must be base64 of a JSON object'],
  [
    'x-oss-callback',
    base64({ callbackUrl: 'https://a.example/', callbackBody: 'a' }).slice(0, -1),
    'must be base64 of a JSON object',
  ],
  ['x-oss-callback', base64([]), 'must be base64 of a JSON object'],
  ['x-oss-callback', base64({}), CALLBACK_URL],
  ['x-oss-callback', base64({ callbackUrl: 'ftp://a.example/', callbackBody: 'a' }), CALLBACK_URL],
  ['x-oss-callback', base64({ callbackUrl: 'https://[::1]/', callbackBody: 'a' }), CALLBACK_URL],
  ['x-oss-callback', base64({ callbackUrl: 'https://a.example:x/', callbackBody: 'a' }), CALLBACK_URL],
  [
    'x-oss-callback',
    base64({ callbackUrl: Array(6).fill('https://a.example/').join(';'), callbackBody: 'a' }),
    CALLBACK_URL,
  ],
  [
    'x-oss-callback',
    base64({ callbackUrl: 'https://a.example/' }),
    'must hold callbackBody, a string that is not empty',
  ],
  [
    'x-oss-callback',
    base64({ callbackUrl: 'https://a.example/', callbackBody: {} }),
    'must hold callbackBody, a string that is not empty',
  ],
  [
    'x-oss-callback',
    base64({ callbackUrl: 'https://a.example/', callbackBody: 'a', callbackBodyType: 'text/plain' }),
    'has a callbackBodyType that is neither application/x-www-form-urlencoded nor application/json',
  ],
  [
    'x-oss-callback',
    base64({ callbackUrl: 'https://a.example/', callbackBody: 'a', callbackSNI: 'yes' }),
    'has a callbackSNI that is neither true nor false',
  ],
  [
    'x-oss-callback',
    base64({ callbackUrl: 'https://a.example/', callbackBody: 'a'.repeat(4000) }),
    'must have at most 5120 characters',
  ],
  ['x-oss-meta-a', 'v'.repeat(8193), 'must have at most 8192 characters'],
  ['x-oss-traffic-limit', '1', 'must be a number from 819200 to 838860800 (bit/s)'],
])('rejects %s: %s', (name, value, detail) => {
  expect(faultsOf(headers({ [name]: value }))).toContain(`headers.${name}: ${detail}`);
});

it.each<[Readonly<Record<string, string>>, string]>([
  [
    { 'x-oss-server-side-encryption': 'AES256', 'x-oss-server-side-encryption-key-id': 'k-1' },
    'sets x-oss-server-side-encryption-key-id, which needs x-oss-server-side-encryption: KMS',
  ],
  [
    { 'x-oss-server-side-data-encryption': 'SM4' },
    'sets x-oss-server-side-data-encryption, which needs x-oss-server-side-encryption: KMS',
  ],
  [{ 'x-oss-callback-var': base64({ 'x:a': 'b' }) }, 'sets x-oss-callback-var, which needs x-oss-callback'],
])('rejects %j', (entries, detail) => {
  expect(faultsOf(headers(entries))).toStrictEqual([`headers: ${detail}`]);
});

it.each([{ uid: 'a' }, { 'x:Uid': 'a' }, { 'x:uid': 1 }, { 'X:uid': 'a' }])(
  'rejects the callback variables %j',
  (variables) => {
    const entries = {
      'x-oss-callback': base64({ callbackUrl: 'https://a.example/', callbackBody: 'a' }),
      'x-oss-callback-var': base64(variables),
    };
    expect(faultsOf(headers(entries))).toStrictEqual([`headers.x-oss-callback-var: ${VARIABLES}`]);
  },
);

it('leaves room for the id that the service adds, where an object has one', () => {
  const most = headers({ 'x-oss-meta-a': 'v'.repeat(8192 - 12) });
  expect(faultsOf(most)).toStrictEqual([
    'headers: has 8192 bytes of x-oss-meta-… names and values, and the service adds 56 for receipts; OSS takes at most 8192 for an object',
  ]);
  expect(faultsOf(`    receipts: false\n${most}`)).toStrictEqual([]);
  expect(faultsOf(`    naming: server\n${most}`)).toStrictEqual([]);
});

it.each(['x-oss-meta-upload-id', 'X-Oss-Meta-Upload-Id'])('rejects %s, also without receipts', (name) => {
  const fault = `headers.${name}: is the header with which the service marks objects; use another name`;
  expect(faultsOf(headers({ [name]: 'a' }))).toStrictEqual([fault]);
  expect(faultsOf(`    receipts: false\n${headers({ [name]: 'a' })}`)).toStrictEqual([fault]);
});

it.each(['allowed', 'required'])('rejects the metadata name upload-id in %s', (list) => {
  expect(faultsOf(`    metadata: { ${list}: [upload-id] }\n`)).toStrictEqual([
    `metadata.${list}[0]: is the name under which the service marks objects`,
  ]);
});

it('rejects metadata headers that are too long together, though not one by one', () => {
  const entries = { 'x-oss-meta-a': 'v'.repeat(4100), 'X-Oss-Meta-B': 'v'.repeat(4100) };
  expect(faultsOf(headers(entries))).toStrictEqual([
    'headers: has 8224 bytes of x-oss-meta-… names and values; OSS takes at most 8192 for an object',
  ]);
});

it('suggests the header that was meant', () => {
  expect(faultsOf(headers({ 'Cache-Controll': 'no-cache' }))[0]).toContain('did you mean "cache-control"?');
});

it.each(['cacheControl', 'contentDisposition'] as const)(
  '%s is left to clients or turned off, not both',
  (field) => {
    const header = field === 'cacheControl' ? 'Cache-Control' : 'Content-Disposition';
    expect(faultsOf(`    clientHeaders: [${field}]\n${headers({ [header]: 'none' })}`)).toStrictEqual([
      `headers: sets ${header}, which clientHeaders leaves to the client; remove one of the two`,
    ]);
  },
);

describe('keepFilename', () => {
  it.each([
    '    keepFilename: true\n',
    '    keepFilename: true\n    naming: server\n',
    `    keepFilename: true\n${headers({ 'content-disposition': 'Inline' })}`,
    `    keepFilename: true\n${headers({ 'Content-Disposition': 'attachment', 'Cache-Control': 'none' })}`,
    '    keepFilename: true\n    clientHeaders: [cacheControl]\n',
    `    keepFilename: false\n    naming: client\n${headers({ 'Content-Disposition': 'none' })}`,
  ])('is compatible with %j', (fields) => {
    expect(faultsOf(fields)).toStrictEqual([]);
  });

  const ONLY =
    'adds the file name to Content-Disposition, which headers may then set to attachment or inline only';
  it.each([
    [
      '    naming: client\n',
      'needs naming: server or either, because with naming: client a request has no file name',
    ],
    [
      '    clientHeaders: [contentDisposition]\n',
      'sets Content-Disposition, which clientHeaders leaves to the client; remove one of the two',
    ],
    [headers({ 'Content-Disposition': 'none' }), ONLY],
    [headers({ 'content-disposition': 'attachment; filename="a.png"' }), ONLY],
  ])('contradicts %j', (fields, detail) => {
    expect(faultsOf(`    keepFilename: true\n${fields}`)).toStrictEqual([`keepFilename: ${detail}`]);
  });
});

describe('a rule whose uploads can be forms', () => {
  const FORM = '    transfers: [put, form]\n';

  it.each([
    ['Content-Language', 'zh-CN'],
    ['x-oss-tagging', 'a=b'],
    ['X-OSS-Tagging', 'a=b'],
    ['x-oss-traffic-limit', '819200'],
    ['x-oss-request-payer', 'requester'],
    ['x-oss-callback', base64({ callbackUrl: 'https://app.example.com', callbackBody: 'a' })],
  ])('must not have %s, which a form cannot carry', (header, value) => {
    const fields = headers({ [header]: value });
    expect(faultsOf(fields)).toStrictEqual([]);
    expect(faultsOf(`${fields}${FORM}`)).toStrictEqual([
      `headers.${header}: cannot be part of a form; remove it, or leave form out of transfers`,
    ]);
  });

  it('may have every header that a form can carry', () => {
    const all = {
      'Cache-Control': 'none',
      'Content-Disposition': 'inline',
      'content-encoding': 'gzip',
      Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
      'x-oss-object-acl': 'private',
      'x-oss-storage-class': 'IA',
      'x-oss-server-side-encryption': 'KMS',
      'x-oss-server-side-encryption-key-id': 'key-1',
      'x-oss-meta-team': 'web',
    };
    expect(faultsOf(`${headers(all)}${FORM}`)).toStrictEqual([]);
  });

  it('reports the line of the header', () => {
    const parsed = parse(`    headers:\n      x-oss-meta-a: b\n      x-oss-tagging: a=b\n${FORM}`);
    expect(parsed).toMatchObject({ faults: [{ line: 13 }] });
  });
});
