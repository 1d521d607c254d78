import { describe, expect, it } from 'vitest';
import { callerFromClaims, reduceCaller } from '../../src/auth/caller.ts';

const identity = { iss: 'https://login.test/', sub: 'alice' };

describe('callerFromClaims', () => {
  it('keeps issuer, subject and every claim unchanged', () => {
    const claims = { ...identity, scope: 'uploads:write', role: ['member'], tenant: { id: 7 } };

    expect(callerFromClaims(claims)).toStrictEqual({
      issuer: 'https://login.test/',
      subject: 'alice',
      scopes: ['uploads:write'],
      claims,
    });
  });

  it.each([
    ['no scope if no claim contains one', {}, []],
    ['the words of scope', { scope: 'a b c' }, ['a', 'b', 'c']],
    ['no empty scope from extra spaces', { scope: ' a  b ' }, ['a', 'b']],
    ['no scope from an empty scope', { scope: '' }, []],
    ['the words of a scp string', { scp: 'a b' }, ['a', 'b']],
    ['the entries of a scp list', { scp: ['a', 'b'] }, ['a', 'b']],
    ['scope and scp together, each scope once', { scope: 'a b', scp: ['b', 'c', 'c'] }, ['a', 'b', 'c']],
    ['only the strings of a scp list', { scp: ['a', 7, null, ['b']] }, ['a']],
    ['the entries of a scope list', { scope: ['a', 'b'] }, ['a', 'b']],
    ['an entry with a space as one scope', { scope: ['a b'] }, ['a b']],
    ['only the strings of a scope list, none of them empty', { scope: ['a', '', 7, null, { b: 1 }] }, ['a']],
    ['two lists together, each scope once', { scope: ['a', 'b'], scp: ['b', 'c'] }, ['a', 'b', 'c']],
    ['no scope from values of other types', { scope: 7, scp: { a: true } }, []],
  ])('grants %s', (_, claims, scopes) => {
    expect(callerFromClaims({ ...identity, ...claims }).scopes).toStrictEqual(scopes);
  });

  it.each([
    [{ sub: 'alice' }],
    [{ iss: 'https://login.test/' }],
    [{ iss: 7, sub: 'alice' }],
    [{ iss: 'https://login.test/', sub: ['alice'] }],
  ])('rejects claims without issuer or subject: %j', (claims) => {
    expect(() => callerFromClaims(claims)).toThrow(new TypeError('The claims are not verified.'));
  });
});

describe('reduceCaller', () => {
  const claims = {
    ...identity,
    role: ['member'],
    realm_access: { roles: ['x'] },
    secret: 'no',
    scope: 'a b c',
  };

  it('keeps issuer, subject, and the claims and scopes that the policy names', () => {
    const named = { claims: new Set(['role', 'realm_access', 'missing']), scopes: new Set(['c', 'd', 'a']) };
    expect(reduceCaller(callerFromClaims(claims, 'https://{tenantid}/'), named)).toStrictEqual({
      issuer: 'https://login.test/',
      issuerTemplate: 'https://{tenantid}/',
      subject: 'alice',
      scopes: ['c', 'a'],
      claims: { role: ['member'], realm_access: { roles: ['x'] } },
    });
  });

  it('keeps a claim named __proto__, and adds none that objects inherit', () => {
    const odd = JSON.parse('{"iss":"i","sub":"s","__proto__":{"admin":true}}') as Record<string, unknown>;
    const named = { claims: new Set(['__proto__', 'constructor', 'toString']), scopes: new Set<string>() };
    const { claims: kept } = reduceCaller(callerFromClaims(odd), named);
    expect(Object.getOwnPropertyNames(kept)).toStrictEqual(['__proto__']);
    expect((kept as { admin?: unknown }).admin).toBeUndefined();
  });
});
