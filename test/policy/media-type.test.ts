import { expect, it } from 'vitest';
import { isMediaRange, mediaTypeEssence } from '../../src/policy/media-type.ts';

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
