import { expect, it } from 'vitest';
import {
  isActiveType,
  isMediaRange,
  mediaRangeAllows,
  mediaTypeEssence,
} from '../../src/policy/media-type.ts';

it.each([
  ['image/png', 'image/png'],
  ['IMAGE/PNG', 'image/png'],
  ['text/plain; charset=utf-8', 'text/plain'],
  ['text/plain;charset="utf-8"', 'text/plain'],
  ['text/plain ; a=b ; c="d \\" e"', 'text/plain'],
  ['application/vnd.api+json', 'application/vnd.api+json'],
  ["a!#$&'+-.^_`|~0/b", "a!#$&'+-.^_`|~0/b"],
])('reads %j as %s', (contentType, essence) => {
  expect(mediaTypeEssence(contentType)).toBe(essence);
});

it.each([
  '',
  'image',
  'image/',
  '/png',
  'image//png',
  'image/png/x',
  'image/*',
  '*/*',
  ' image/png',
  'image/png ',
  'image /png',
  'image/png;',
  'image/png; charset',
  'image/png; charset=',
  'image/png; =utf-8',
  'image/png; a="b',
  'image/png; a=b c',
  'image/png, text/html',
  'image/png\ttext/html',
  'image/png;\ta=b',
  'image/png\r\n',
  'image/png; a="\n"',
  'imäge/png',
  'image/(png)',
])('does not take %j for a media type', (contentType) => {
  expect(mediaTypeEssence(contentType)).toBeUndefined();
});

it.each([
  ['image/png', 'image/png', true],
  ['image/png', 'image/jpeg', false],
  ['image/*', 'image/png', true],
  ['image/*', 'imagex/png', false],
  ['image/*', 'image/svg+xml', false],
  ['image/svg+xml', 'image/svg+xml', true],
  ['*/*', 'application/zip', true],
  ['*/*', 'text/html', false],
  ['text/*', 'text/html', false],
  ['text/*', 'text/plain', true],
  ['text/html', 'text/html', true],
  ['application/*', 'application/pdf', true],
  ['application/*', 'application/javascript', false],
])('the range %s on %s: %s', (range, essence, allows) => {
  expect(mediaRangeAllows(range, essence)).toBe(allows);
});

it.each([
  ...[
    'text/html',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/xml',
    'application/xml',
    'application/atom+xml',
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
  ...[
    'text/vbscript',
    'text/xsl',
    'application/wasm',
    'unknown/unknown',
    'application/unknown',
    'message/rfc822',
  ],
  ...['multipart/related', 'multipart/x-mixed-replace', 'application/x-shockwave-flash', 'application/hta'],
  ...['application/java-archive', 'text/x-component', 'text/cache-manifest'],
])('a browser runs %s', (essence) => {
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
])('a browser does not run %s', (essence) => {
  expect(isActiveType(essence)).toBe(false);
});

it.each([
  ['image/png', true],
  ['image/*', true],
  ['*/*', true],
  ['*/png', false],
  ['*', false],
  ['image/p*', false],
  ['image/png; q=1', false],
  ['', false],
])('a rule may name %j: %s', (range, isRange) => {
  expect(isMediaRange(range)).toBe(isRange);
});
