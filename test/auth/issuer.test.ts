import { describe, expect, it } from 'vitest';
import { assertIssuers, type IssuerConfig, MULTI_TENANT_ISSUER } from '../../src/auth/issuer.ts';

const published: IssuerConfig = {
  issuer: 'https://login.test/',
  audience: 'uploads',
  algorithms: ['ES256'],
  keys: { kind: 'jwks', jwks: { keys: [] } },
};
const { keys: _keys, ...withoutKeys } = published;
const shared: IssuerConfig = { ...withoutKeys, algorithms: ['HS256'], secret: new Uint8Array(32) };
const both: IssuerConfig = { ...published, algorithms: ['ES256', 'HS256'], secret: new Uint8Array(32) };
const manyTenants: IssuerConfig = {
  ...published,
  issuer: MULTI_TENANT_ISSUER,
  tenants: ['8eaef023-2b34-4da1-9baa-8bc8c9d6a490', '72f988bf-86f1-41af-91ab-2d7cd011db47'],
};

const HS256_NEEDS_SECRET = 'must have HS256 if, and only if, it has a secret';
const ASYMMETRIC_NEEDS_KEYS = 'must have an asymmetric algorithm if, and only if, it has keys';

describe('assertIssuers', () => {
  it.each<[string, IssuerConfig]>([
    ['configured keys', published],
    [
      'every asymmetric algorithm',
      { ...published, algorithms: ['RS256', 'PS512', 'ES384', 'EdDSA', 'Ed25519'] },
    ],
    ['several audiences', { ...published, audience: ['uploads', 'media'] }],
    ['keys by address', { ...published, keys: { kind: 'jwksUrl', url: 'https://login.test/jwks' } }],
    ['keys by discovery', { ...published, keys: { kind: 'discovery' } }],
    ['a secret of 32 bytes with HS256', shared],
    ['a secret and keys, each with its algorithm', both],
    ['tenants with the multi-tenant issuer', manyTenants],
  ])('accepts %s', (_, issuer) => {
    expect(() => assertIssuers([issuer])).not.toThrow();
  });

  it.each<[string, IssuerConfig, string]>([
    ['an empty audience', { ...published, audience: '' }, 'has no audience'],
    ['an empty list of audiences', { ...published, audience: [] }, 'has no audience'],
    ['an empty audience among others', { ...published, audience: ['uploads', ''] }, 'has no audience'],
    ['no algorithms', { ...published, algorithms: [] }, 'has no algorithms'],
    ['the algorithm none', { ...published, algorithms: ['none'] }, 'has an algorithm that is not asymmetric'],
    ['HS256 without a secret', { ...published, algorithms: ['ES256', 'HS256'] }, HS256_NEEDS_SECRET],
    ['HS256 alone without a secret', { ...published, algorithms: ['HS256'] }, HS256_NEEDS_SECRET],
    ['a secret next to keys without HS256', { ...both, algorithms: ['ES256'] }, HS256_NEEDS_SECRET],
    ['a secret next to keys with HS256 alone', { ...both, algorithms: ['HS256'] }, ASYMMETRIC_NEEDS_KEYS],
    [
      'another symmetric algorithm',
      { ...both, algorithms: ['ES256', 'HS256', 'HS512'] },
      'has an algorithm that is not asymmetric',
    ],
    [
      'a secret shorter than the hash',
      { ...shared, secret: new Uint8Array(31) },
      'has a secret shorter than 32 bytes',
    ],
    ['a secret with an asymmetric algorithm', { ...shared, algorithms: ['ES256'] }, HS256_NEEDS_SECRET],
    ['a secret with a second one', { ...shared, algorithms: ['HS256', 'RS256'] }, ASYMMETRIC_NEEDS_KEYS],
    ['a secret with no algorithms', { ...shared, algorithms: [] }, 'has no algorithms'],
    ['neither keys nor a secret', { ...withoutKeys }, 'has neither keys nor a secret'],
    [
      'tenants',
      { ...published, audience: 'uploads', tenants: ['x'] },
      'must have tenants if, and only if, it is the issuer of several tenants',
    ],
    [
      'a key address that is not a URL',
      { ...published, keys: { kind: 'jwksUrl', url: '/jwks' } },
      'has a jwksUrl that is not a web address',
    ],
    [
      'a key address of another scheme',
      { ...published, keys: { kind: 'jwksUrl', url: 'file:///jwks' } },
      'has a jwksUrl that is not a web address',
    ],
  ])('rejects %s', (_, issuer, fault) => {
    expect(() => assertIssuers([issuer])).toThrow(
      new TypeError(`The issuer "https://login.test/" ${fault}.`),
    );
  });

  it('rejects an issuer without a name', () => {
    expect(() => assertIssuers([{ ...published, issuer: '' }])).toThrow(
      new TypeError('The issuer "" has no name.'),
    );
  });

  it('rejects discovery for an issuer that is not a web address', () => {
    expect(() => assertIssuers([{ ...published, issuer: 'login', keys: { kind: 'discovery' } }])).toThrow(
      new TypeError('The issuer "login" is not a web address, which discovery requires.'),
    );
  });

  it('rejects a duplicate issuer, because the order would decide which keys are used', () => {
    expect(() => assertIssuers([published, { ...shared, issuer: 'other' }, { ...published }])).toThrow(
      new TypeError('The issuer "https://login.test/" is configured twice.'),
    );
  });

  it('distinguishes issuers that differ in one character only', () => {
    expect(() => assertIssuers([published, { ...published, issuer: 'https://login.test' }])).not.toThrow();
  });

  it.each([
    'https://login.microsoftonline.com/{tenant}/v2.0',
    'https://login.microsoftonline.com/{tenantid}/',
    'https://evil.test/{tenantid}/v2.0',
    'https://login.test/}',
  ])('rejects the issuer %s, which no token can have', (issuer) => {
    expect(() => assertIssuers([{ ...manyTenants, issuer }])).toThrow(
      'contains a brace, which no issuer of a token contains',
    );
  });

  it('rejects the multi-tenant issuer without tenants', () => {
    for (const tenants of [undefined, []])
      expect(() => assertIssuers([{ ...manyTenants, tenants }])).toThrow(
        'must have tenants if, and only if, it is the issuer of several tenants',
      );
  });

  it('rejects a tenant that two entries name, in either order', () => {
    const issuer = 'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0';
    const twice = new TypeError(`The issuer "${issuer}" is configured twice.`);
    expect(() => assertIssuers([{ ...published, issuer }, manyTenants])).toThrow(twice);
    expect(() => assertIssuers([manyTenants, { ...published, issuer }])).toThrow(twice);
  });
});
