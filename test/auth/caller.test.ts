import { describe, expect, it } from 'vitest';
import { callerFromClaims } from '../../src/auth/caller.ts';

const identity = { iss: 'https://login.test/', sub: 'alice' };

describe('callerFromClaims', () => {
  it('takes issuer, subject and every claim over as they are', () => {
    const claims = { ...identity, scope: 'uploads:write', role: ['member'], tenant: { id: 7 } };

    expect(callerFromClaims(claims)).toStrictEqual({
      issuer: 'https://login.test/',
      subject: 'alice',
      scopes: ['uploads:write'],
      claims,
    });
  });

  it.each([
    ['no scope where no claim names one', {}, []],
    ['the words of scope', { scope: 'a b c' }, ['a', 'b', 'c']],
    ['no empty scope from extra spaces', { scope: ' a  b ' }, ['a', 'b']],
    ['no scope from an empty scope', { scope: '' }, []],
    ['the words of a scp string', { scp: 'a b' }, ['a', 'b']],
    ['the entries of a scp list', { scp: ['a', 'b'] }, ['a', 'b']],
    ['scope and scp together, each scope once', { scope: 'a b', scp: ['b', 'c', 'c'] }, ['a', 'b', 'c']],
    ['only the strings of a scp list', { scp: ['a', 7, null, ['b']] }, ['a']],
    ['no scope from a scope list', { scope: ['a'] }, []],
    ['no scope from values of other types', { scope: 7, scp: { a: true } }, []],
  ])('grants %s', (_, claims, scopes) => {
    expect(callerFromClaims({ ...identity, ...claims }).scopes).toStrictEqual(scopes);
  });

  it.each([
    [{ sub: 'alice' }],
    [{ iss: 'https://login.test/' }],
    [{ iss: 7, sub: 'alice' }],
    [{ iss: 'https://login.test/', sub: ['alice'] }],
  ])('makes no caller of claims without identity: %j', (claims) => {
    expect(() => callerFromClaims(claims)).toThrow(new TypeError('The claims are not verified.'));
  });
});
