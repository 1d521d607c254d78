import { expect, it } from 'vitest';
import { readErrorCode, readErrorHeaders } from '../../../src/storage/oss/error-response.ts';

const base64 = (text: string | Buffer) => Buffer.from(text as string).toString('base64');
const xml = (code: string, rest = '') =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code>${rest}</Error>`;
const codeOf = (err: string) => readErrorHeaders(new Headers({ 'x-oss-err': err })).code;

it('reads code, EC and request id, and nothing else', () => {
  const headers = new Headers({
    'x-oss-err': base64(xml('AccessDenied', '<Message>secret</Message><HostId>acme.oss</HostId>')),
    'x-oss-ec': '0003-00000301',
    'x-oss-request-id': '51524FBF3C5D68394A371BEC',
  });
  expect(readErrorHeaders(headers)).toStrictEqual({
    code: 'AccessDenied',
    ec: '0003-00000301',
    requestId: '51524FBF3C5D68394A371BEC',
  });
});

it.each([
  [
    'an old namespace',
    '<Error xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"><Code>NoSuchKey</Code></Error>',
  ],
  ['another order of the elements', '<Error><EC>1</EC><Code>NoSuchKey</Code></Error>'],
  ['a code in CDATA', '<Error><Code><![CDATA[NoSuchKey]]></Code></Error>'],
  ['a byte order mark', `\uFEFF${xml('NoSuchKey')}`],
  [
    'a document type, which is ignored',
    `<!DOCTYPE Error SYSTEM "http://127.0.0.1:1/x.dtd">${xml('NoSuchKey').slice(38)}`,
  ],
  [
    'elements with names of prototypes',
    xml('NoSuchKey', '<__proto__><Code>x</Code></__proto__><constructor>y</constructor>'),
  ],
])('reads a document with %s', (_, document) => {
  expect(codeOf(base64(document))).toBe('NoSuchKey');
});

const nested = (levels: number) =>
  `<Error><Code>NoSuchKey</Code>${'<a>'.repeat(levels)}${'</a>'.repeat(levels)}</Error>`;

it.each([
  ['no base64', '<Error><Code>NoSuchKey</Code></Error>'],
  ['base64 for URLs', `${base64(xml('NoSuchKey'))}_-`],
  ['padding inside', `${base64('<Error>')}=${base64('<Code>')}`],
  ['nothing', ''],
  ['duplicated headers, as fetch joins them', `${base64(xml('NoSuchKey'))}, ${base64(xml('NoSuchKey'))}`],
  [
    'bytes that are not UTF-8',
    base64(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(xml('NoSuchKey'))])),
  ],
  [
    'bytes in a message that are not UTF-8',
    base64(Buffer.from(xml('NoSuchKey', '<Message>\xff\xfe</Message>'), 'latin1')),
  ],
  ['base64 of more than 16 KiB', base64(xml('NoSuchKey', ' '.repeat(13_000)))],
  ['UTF-16', base64(Buffer.from(xml('NoSuchKey'), 'utf16le'))],
  ['text that is not XML', base64('NoSuchKey')],
  ['JSON', base64('{"Error":{"Code":"NoSuchKey"}}')],
  ['HTML', base64('<!doctype html><html><body><p>Not found</body></html>')],
  ['a document that ends early', base64(xml('NoSuchKey').slice(0, -4))],
  ['another root element', base64('<Errors><Code>NoSuchKey</Code></Errors>')],
  ['no code', base64('<Error><Message>x</Message></Error>')],
  ['two codes', base64(xml('NoSuchKey', '<Code>NoSuchKey</Code>'))],
  ['a code only in another element', base64('<Error><Detail><Code>NoSuchKey</Code></Detail></Error>')],
  ['a code with blanks', base64(xml(' NoSuchKey '))],
  ['an access key as code', base64(xml('LTAI5tTestKey'))],
  ['a long code', base64(xml('N'.repeat(65)))],
  ['a line feed in the code', base64(xml('NoSuch&#10;Key'))],
  ['a declared entity', base64('<!DOCTYPE Error [<!ENTITY a "NoSuchKey">]><Error><Code>&a;</Code></Error>')],
  [
    'nested entities',
    base64(
      `<!DOCTYPE Error [<!ENTITY a "${'x'.repeat(1000)}">${'bcdefgh'.replaceAll(/./g, (name) => `<!ENTITY ${name} "${`&${String.fromCharCode(name.charCodeAt(0) - 1)};`.repeat(10)}">`)}]><Error><Code>&h;</Code></Error>`,
    ),
  ],
  [
    'an external entity',
    base64('<!DOCTYPE Error [<!ENTITY a SYSTEM "file:///etc/passwd">]><Error><Code>&a;</Code></Error>'),
  ],
  ['elements in 2,000 levels', base64(nested(1500))],
  [
    'an attribute of 20,000 characters',
    base64(`<Error a="${'x'.repeat(20_000)}"><Code>NoSuchKey</Code></Error>`),
  ],
  ['20,000 characters of spaces', base64(xml('NoSuchKey', ' '.repeat(20_000)))],
  ['1 MiB', 'A'.repeat(1024 * 1024)],
])('returns no code for %s', (_, err) => {
  expect(codeOf(err)).toBeUndefined();
});

it('reads nested elements as far as OSS nests them', () => {
  expect(readErrorCode(nested(10))).toBe('NoSuchKey');
  expect(readErrorCode(nested(60))).toBeUndefined();
});

it.each([
  ['x-oss-ec', '0003-00000301, 0003-00000301'],
  ['x-oss-ec', '3-301'],
  ['x-oss-request-id', '7946f090e6cb1ba032f9375d232917370cfcee9b366b50b6034064093f14f21b'],
  ['x-oss-request-id', 'LTAI5tTestKeyIdAlpha0001'],
  ['x-oss-request-id', `https://oss.example/?x-oss-signature=${'a'.repeat(64)}`],
])('ignores %s: %s, which OSS does not send', (name, value) => {
  expect(readErrorHeaders(new Headers({ [name]: value }))).toStrictEqual({
    code: undefined,
    ec: undefined,
    requestId: undefined,
  });
});
