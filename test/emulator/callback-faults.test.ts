import { describe, expect, it } from 'vitest';
import {
  type Callback,
  readFormCallback,
  readRequestCallback,
} from '../../src/emulator/callbacks/read-callback.ts';
import { OssError } from '../../src/emulator/oss-error.ts';
import { base64Json } from '../support/callback-uploads.ts';

const GOOD = { callbackUrl: 'https://app.example.com/oss', callbackBody: 'a=b' };

type Given = { readonly callback: string; readonly variables?: string; readonly isPrivateAllowed?: boolean };

/** Reads a callback from each of its places. */
const READERS: Readonly<Record<string, (given: Given) => Callback | null>> = {
  header: ({ callback, variables, isPrivateAllowed = false }) =>
    readRequestCallback(
      new Map([
        ['x-oss-callback', callback],
        ...(variables === undefined ? [] : [['x-oss-callback-var', variables] as const]),
      ]),
      [],
      isPrivateAllowed,
    ),
  query: ({ callback, variables, isPrivateAllowed = false }) =>
    readRequestCallback(
      new Map(),
      [
        { name: 'callback', value: callback },
        ...(variables === undefined ? [] : [{ name: 'callback-var', value: variables }]),
      ],
      isPrivateAllowed,
    ),
  form: ({ callback, isPrivateAllowed = false }) =>
    readFormCallback(new Map([['callback', callback]]), isPrivateAllowed),
};

/** Status, code, EC and the argument that is named. */
function faultOf(read: () => unknown) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof OssError)) throw error;
    const { status, code, ec, fields } = error;
    return [status, code, ec, fields.ArgumentName];
  }
}

const changed = (change: Readonly<Record<string, unknown>>) => base64Json({ ...GOOD, ...change });
const text = (value: string | Uint8Array) => Buffer.from(value).toString('base64');
const url = (callbackUrl: unknown) => changed({ callbackUrl });
const sizedTo = (length: number) => {
  const bytes = (length / 4) * 3;
  const filler = 'x'.repeat(bytes - JSON.stringify({ ...GOOD, filler: '' }).length);
  return changed({ filler });
};

describe.each(Object.keys(READERS))('in a %s', (place) => {
  const read = READERS[place] as (given: Given) => Callback | null;

  it.each<readonly [string, string, string | undefined, string]>([
    ['no Base64', 'x123-*&', '0007-00000002', 'callback'],
    ['Base64 for URLs', text('\u{10ffff}?').replaceAll('/', '_'), '0007-00000002', 'callback'],
    ['Base64 without padding', text('{"a":1}').replace('==', ''), '0007-00000002', 'callback'],
    ['Base64 of other than UTF-8', text(Uint8Array.of(0xff)), '0007-00000002', 'callback'],
    ['Base64 over 5 KB', sizedTo(5 * 1024 + 4), '0007-00000002', 'callback'],
    ['an empty value', '', undefined, 'callback'],
    ['no JSON', text('callbackUrl=a'), undefined, 'callback'],
    ['a list', base64Json([GOOD]), undefined, 'callback'],
    ['null', base64Json(null), undefined, 'callback'],
    ['a text', base64Json('a'), undefined, 'callback'],
    ['no URL', base64Json({ callbackBody: 'a=b' }), '0007-00000004', 'callbackUrl'],
    ['an empty URL', url(''), '0007-00000004', 'callbackUrl'],
    ['a URL that is no text', url(['https://a.example.com']), '0007-00000004', 'callbackUrl'],
    ['another scheme', url('ftp://a.example.com/'), '0007-00000004', 'callbackUrl'],
    ['no scheme', url('a.example.com/'), '0007-00000004', 'callbackUrl'],
    ['no host', url('https://'), '0007-00000004', 'callbackUrl'],
    ['a port that is no number', url('https://a.example.com:test/'), '0007-00000004', 'callbackUrl'],
    ['a port over 65535', url('https://a.example.com:65536/'), '0007-00000004', 'callbackUrl'],
    ['an IPv6 address', url('https://[2001:db8::1]/'), '0007-00000004', 'callbackUrl'],
    ['a user', url('https://a@a.example.com/'), '0007-00000004', 'callbackUrl'],
    ['a password', url('https://:b@a.example.com/'), '0007-00000004', 'callbackUrl'],
    ['a URL that is not encoded', url('https://a.example.com/回'), '0007-00000004', 'callbackUrl'],
    ['a space', url('https://a.example.com/a b'), '0007-00000004', 'callbackUrl'],
    ['a line break', url('https://a.example.com/\r\nX: y'), '0007-00000004', 'callbackUrl'],
    [
      'a bad URL after a good one',
      url('https://a.example.com;b.example.com'),
      '0007-00000004',
      'callbackUrl',
    ],
    ['six URLs', url(Array(6).fill('https://a.example.com').join(';')), '0007-00000004', 'callbackUrl'],
    ['a private second URL', url('https://a.example.com;http://10.0.0.1'), '0007-00000008', 'callbackUrl'],
    ['no body', base64Json({ ...GOOD, callbackBody: undefined }), undefined, 'callbackBody'],
    ['a body that is no text', changed({ callbackBody: { a: 'b' } }), undefined, 'callbackBody'],
    ['an empty body', changed({ callbackBody: '' }), '0007-00000011', 'callbackBody'],
    ['a body type that is no text', changed({ callbackBodyType: 123 }), '0007-00000012', 'callbackBodyType'],
    ['an unknown body type', changed({ callbackBodyType: 'text/plain' }), undefined, 'callbackBodyType'],
    ['a host that is no text', changed({ callbackHost: 1 }), undefined, 'callbackHost'],
    ['a host with a line break', changed({ callbackHost: 'a\r\nb: c' }), undefined, 'callbackHost'],
    ['SNI as text', changed({ callbackSNI: 'true' }), undefined, 'callbackSNI'],
    ...[
      ['a list of headers', ['a']],
      ['headers as text', 'a: b'],
      ['a header of OSS', { 'x-oss-test': '1' }],
      ['a header of OSS in capitals', { 'X-OSS-Test': '1' }],
      ['a header without a name', { '': '1' }],
      ['a header name with a colon', { 'a:b': '1' }],
      ['a header that is no text', { a: 1 }],
      ['a header with a line break', { a: 'b\r\nc: d' }],
    ].map(
      ([name, additionalHeaders]) =>
        [String(name), changed({ additionalHeaders }), '0007-00000026', 'additionalHeaders'] as const,
    ),
  ])('rejects %s', (_name, callback, ec, argument) => {
    expect(faultOf(() => read({ callback }))).toStrictEqual([400, 'InvalidArgument', ec, argument]);
  });

  it.each([
    'http://127.0.0.1:8080/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://10.1.2.3/',
    'http://100.64.0.1/',
    'http://169.254.169.254/',
    'http://172.31.0.1/',
    'http://192.168.1.1/',
    'http://0.0.0.0/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://localhost:8080/',
    'http://LOCALHOST./',
    'http://app.localhost/',
  ])('rejects the private address of %s unless it is allowed', (callbackUrl) => {
    const callback = url(callbackUrl);
    expect(faultOf(() => read({ callback }))).toStrictEqual([
      400,
      'InvalidArgument',
      '0007-00000008',
      'callbackUrl',
    ]);
    expect(read({ callback, isPrivateAllowed: true })).toMatchObject({ urls: [new URL(callbackUrl)] });
  });

  it.each([
    'http://172.32.0.1/',
    'http://11.0.0.1/',
    'http://localhost.example.com/',
    'http://mylocalhost/',
    'http://8.8.8.8:81/',
  ])('accepts the public address of %s', (callbackUrl) => {
    expect(read({ callback: url(callbackUrl) })).toMatchObject({ urls: [new URL(callbackUrl)] });
  });

  it('reads everything of a callback', () => {
    expect(
      read({
        callback: base64Json({
          callbackUrl: 'https://a.example.com/%E5%9B%9E?t=1;http://b.example.com:81',
          callbackHost: 'c.example.com',
          callbackBody: '{}',
          callbackBodyType: 'application/json',
          callbackSNI: true,
          additionalHeaders: { 'X-Tenant': 'a b', Host: 'x', 'content-LENGTH': '1' },
        }),
      }),
    ).toStrictEqual({
      urls: [new URL('https://a.example.com/%E5%9B%9E?t=1'), new URL('http://b.example.com:81/')],
      host: 'c.example.com',
      body: '{}',
      bodyType: 'application/json',
      sendsServerName: true,
      headers: { 'X-Tenant': 'a b' },
      variables: new Map(),
    });
  });

  it('has the defaults of OSS', () => {
    const five = Array(5).fill('https://a.example.com').join(';');
    expect(read({ callback: url(five) })).toStrictEqual({
      urls: Array(5).fill(new URL('https://a.example.com')),
      host: undefined,
      body: 'a=b',
      bodyType: 'application/x-www-form-urlencoded',
      sendsServerName: false,
      headers: {},
      variables: new Map(),
    });
  });

  it('accepts 5 KB', () => {
    expect(sizedTo(5 * 1024)).toHaveLength(5 * 1024);
    expect(read({ callback: sizedTo(5 * 1024) })).not.toBeNull();
  });
});

describe('variables', () => {
  it.each(['header', 'query'])('reads those in a %s', (place) => {
    const variables = base64Json({ 'x:uid': 'ä', 'x:my_var': '' });
    expect(READERS[place]?.({ callback: base64Json(GOOD), variables })?.variables).toStrictEqual(
      new Map([
        ['x:uid', 'ä'],
        ['x:my_var', ''],
      ]),
    );
  });

  it('reads those of a form from its fields', () => {
    const fields = new Map([
      ['callback', base64Json(GOOD)],
      ['key', 'a'],
      ['x:uid', 'ä'],
      ['x-oss-meta-a', 'b'],
    ]);
    expect(readFormCallback(fields, false)?.variables).toStrictEqual(new Map([['x:uid', 'ä']]));
  });

  it.each(
    ['header', 'query'].flatMap((place) =>
      (
        [
          ['no Base64', '*'],
          ['over 5 KB', base64Json({ 'x:a': 'x'.repeat(5 * 1024) })],
          ['no JSON', text('x:uid=1')],
          ['a list', base64Json([])],
          ['a name without x:', base64Json({ uid: '1' })],
          ['a name of x: alone', base64Json({ 'x:': '1' })],
          ['a name in capitals', base64Json({ 'x:Uid': '1' })],
          ['a number', base64Json({ 'x:uid': 1 })],
        ] as const
      ).map(([name, variables]) => [place, name, variables] as const),
    ),
  )('in a %s: rejects %s', (place, _name, variables) => {
    expect(faultOf(() => READERS[place]?.({ callback: base64Json(GOOD), variables }))).toStrictEqual([
      400,
      'InvalidArgument',
      undefined,
      'callback-var',
    ]);
  });
});

it.each([
  [['x-oss-callback'], ['callback']],
  [['x-oss-callback'], ['callback-var']],
  [['x-oss-callback-var'], ['callback']],
  [
    ['x-oss-callback', 'x-oss-callback-var'],
    ['callback', 'callback-var'],
  ],
])('rejects %j in the headers with %j in the query', (inHeader, inQuery) => {
  const headers = new Map(inHeader.map((name) => [name, base64Json(name.endsWith('var') ? {} : GOOD)]));
  const query = inQuery.map((name) => ({ name, value: base64Json(name.endsWith('var') ? {} : GOOD) }));
  expect(faultOf(() => readRequestCallback(headers, query, false))).toStrictEqual([
    400,
    'InvalidArgument',
    '0007-00000027',
    'callback',
  ]);
});

it('reads no callback from a request without one', () => {
  const variables = base64Json({ 'x:uid': '1' });
  expect([
    readRequestCallback(new Map(), [], false),
    readRequestCallback(new Map([['x-oss-callback-var', variables]]), [], false),
    readFormCallback(new Map([['x:uid', '1']]), false),
  ]).toStrictEqual([null, null, null]);
});
