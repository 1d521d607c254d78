import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import {
  deadRangeFault,
  isActiveType,
  mediaRangeAllows,
  WILDCARD_TYPES,
  whyNoWildcard,
} from '../../src/policy/wildcard-types.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';

const mimeDb: Readonly<Record<string, { readonly source?: string }>> = JSON.parse(
  readFileSync(new URL('../../node_modules/mime-db/db.json', import.meta.url), 'utf8'),
);

it.each([
  ['image/png', 'image/png', true],
  ['image/png', 'image/jpeg', false],
  ['image/*', 'image/png', true],
  ['image/*', 'image/webp', true],
  ['image/*', 'image/heic', true],
  ['image/*', 'image/avif', true],
  ['image/*', 'image/vnd.microsoft.icon', true],
  ['video/*', 'video/quicktime', true],
  ['audio/*', 'audio/mpeg', true],
  ['font/*', 'font/woff2', true],
  ['image/*', 'imagex/png', false],
  ['image/*', 'image/svg+xml', false],
  ['image/svg+xml', 'image/svg+xml', true],
  ['*/*', 'application/zip', true],
  ['*/*', 'text/html', false],
  ['text/*', 'text/html', false],
  ['text/*', 'text/plain', true],
  ['text/html', 'text/html', true],
  ['application/*', 'application/pdf', true],
  ['application/*', 'application/octet-stream', true],
  ['application/*', 'application/javascript', false],
])('the range %s on %s: %s', (range, essence, allows) => {
  expect(mediaRangeAllows(range, essence)).toBe(allows);
});

it.each([
  'application/x-unknown-content-type',
  'application/unknown',
  'unknown/unknown',
  'application/x-shockwave-flash',
  'application/hta',
  'application/not-registered',
  'text/x-component',
  'text/x-html',
  'image/jpg',
  'image/pjpeg',
  'image/x-icon',
  'audio/mp3',
  'audio/x-wav',
  'audio/x-m4a',
  'video/x-matroska',
  'video/x-msvideo',
  'image/png-of-mine',
  'image/',
  'x/y',
])('no wildcard matches %s, which is not registered; a rule that names it does', (essence) => {
  expect(mediaRangeAllows(`${essence.split('/')[0]}/*`, essence)).toBe(false);
  expect(mediaRangeAllows('*/*', essence)).toBe(false);
  expect(mediaRangeAllows(essence, essence)).toBe(true);
});

it.each(['audio/webm', 'video/webm'])('a wildcard matches %s, which browsers record', (essence) => {
  expect(mediaRangeAllows(`${essence.split('/')[0]}/*`, essence)).toBe(true);
  expect(mediaRangeAllows('*/*', essence)).toBe(true);
  expect(mediaRangeAllows('image/*', essence)).toBe(false);
});

it('matches registered types and WebM only, none that browsers run, and most of the registry', () => {
  for (const type of WILDCARD_TYPES) {
    if (!/^(?:audio|video)\/webm$/.test(type)) expect(mimeDb[type]?.source, type).toBe('iana');
    expect(isActiveType(type), type).toBe(false);
    expect(type).not.toMatch(/\+xml$|^multipart\/|html|javascript|ecmascript/);
  }
  expect(WILDCARD_TYPES.size).toBeGreaterThan(1600);
});

it.each([
  ...[
    'text/html',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/xml',
    'application/xml',
    'application/atom+xml',
    'application/mathml+xml',
    'application/rdf+xml',
    'application/vnd.mozilla.xul+xml',
    'model/vnd.collada+xml',
  ],
  ...[
    'text/javascript',
    'application/javascript',
    'application/x-javascript',
    'text/x-javascript',
    'text/jscript',
  ],
  ...[
    'application/ecmascript',
    'text/ecmascript',
    'text/x-ecmascript',
    'text/livescript',
    'text/javascript1.2',
  ],
  ...['text/vbscript', 'application/wasm', 'message/rfc822', 'message/global', 'application/vnd.ms-htmlhelp'],
  ...['multipart/related', 'multipart/x-mixed-replace', 'application/vnd.adobe.flash.movie'],
  ...['application/java-archive', 'text/cache-manifest'],
])('browsers run %s', (essence) => {
  expect(isActiveType(essence)).toBe(true);
});

it.each([
  'image/png',
  'text/plain',
  'text/css',
  'application/json',
  'application/pdf',
  'video/mp4',
  'application/postscript',
  'application/typescript',
])('browsers do not run %s', (essence) => {
  expect(isActiveType(essence)).toBe(false);
});

describe('a range that matches nothing', () => {
  it.each(['multipart/*'])('%s: every type below it is one that browsers run', (range) => {
    expect(deadRangeFault(range)).toBe(
      `matches nothing, because a "*" never matches a type that browsers run: replace ${range} by the types that you mean, each by its full name`,
    );
  });

  it.each([
    ['foo/*', ''],
    ['x-acme/*', ''],
    ['images/*', '; did you mean image/*?'],
    ['vidoe/*', '; did you mean video/*?'],
    ['imag/*', '; did you mean image/*?'],
  ])('%s: no registered type begins like this', (range, suggestion) => {
    expect(deadRangeFault(range)).toBe(
      `matches nothing, because a "*" matches registered (IANA) media types only and none begins with ${range.slice(0, -1)}: replace ${range} by the types that you mean, each by its full name${suggestion}`,
    );
  });

  it.each(['*/*', 'image/*', 'video/*', 'message/*', 'foo/bar', 'multipart/mixed', 'text/html'])(
    'is not %s',
    (range) => {
      expect(deadRangeFault(range)).toBeUndefined();
    },
  );

  it.each(['multipart/*', 'Multipart/*', 'foo/*', 'x-acme/*'])('is rejected with the policy: %s', (range) => {
    const parse = (type: string) =>
      parsePolicy(policyWith({ rules: [ownFilesRule({ contentTypes: ['image/*', type] })] }), {
        env: {},
        readFile: () => '{"keys":[]}',
      });
    const parsed = parse(range);
    expect('faults' in parsed && parsed.faults.filter(({ path }) => path.startsWith('rules'))).toStrictEqual([
      { line: 19, path: 'rules[0].contentTypes[1]', detail: deadRangeFault(range.toLowerCase()) },
    ]);
    const named = parse('foo/bar');
    expect('faults' in named && named.faults.filter(({ path }) => path.startsWith('rules'))).toStrictEqual(
      [],
    );
  });
});

describe('the reason why a wildcard does not match', () => {
  it.each([
    [['image/*'], 'image/jpg', 'registered'],
    [['text/plain', 'audio/*'], 'audio/mp3', 'registered'],
    [['*/*'], 'application/x-unknown-content-type', 'registered'],
    [['image/*'], 'image/svg+xml', 'browsers'],
    [['*/*'], 'text/html', 'browsers'],
    [['text/*', 'application/*'], 'application/x-javascript', 'browsers'],
    [['image/*'], 'video/webm', undefined],
    [['image/png'], 'image/jpg', undefined],
  ])('%j on %s: %s', (ranges, essence, reason) => {
    const sentences = {
      registered: `A "*" matches registered (IANA) media types only, and ${essence} is not one: the rule has to name it in contentTypes.`,
      browsers: `A "*" never matches ${essence}, because browsers run it: the rule has to name it in contentTypes.`,
    };
    expect(whyNoWildcard(ranges, essence)).toBe(
      reason === undefined ? undefined : sentences[reason as keyof typeof sentences],
    );
  });
});
