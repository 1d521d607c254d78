import { describe, expect, it } from 'vitest';
import { closestName, didYouMean } from '../../src/text/suggest.ts';

const FIELDS = ['key', 'filename', 'contentType', 'contentLength', 'expiresIn'];

describe('closestName', () => {
  it.each([
    ['fileName', 'filename'],
    ['content_type', 'contentType'],
    ['Content-Length', 'contentLength'],
    ['expireIn', 'expiresIn'],
    ['keys', 'key'],
    ['exp', 'expiresIn'],
    ['filenameOfTheUser', 'filename'],
  ])('finds the known name that %s stands for', (name, expected) => {
    expect(closestName(name, FIELDS)).toBe(expected);
  });

  it.each(['size', 'x', '', 'con', 'co', 'content', 'somethingElse'])(
    'finds nothing for %j, which is close to no known name',
    (name) => {
      expect(closestName(name, FIELDS)).toBeUndefined();
    },
  );

  it('prefers the closest of several names', () => {
    expect(closestName('RS265', ['RS512', 'RS256', 'PS256'])).toBe('RS256');
  });

  it('compares no name that is too long to be a typing mistake', () => {
    expect(closestName('k'.repeat(65), ['k'.repeat(64)])).toBeUndefined();
  });
});

it('takes the shorter of two names that begin alike, and none of two that differ', () => {
  expect(closestName('aud', ['audience', 'audienceClaim'])).toBe('audience');
  expect(closestName('oss', ['ossBucket', 'ossRegion'])).toBeUndefined();
});

describe('didYouMean', () => {
  it('is the end of a sentence that names the closest name', () => {
    expect(didYouMean('fileName', FIELDS)).toBe(' Did you mean "filename"?');
  });

  it('is empty when no name is close', () => {
    expect(didYouMean('size', FIELDS)).toBe('');
  });
});
