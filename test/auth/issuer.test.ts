import { describe, expect, it } from 'vitest';
import { assertIssuers, type IssuerConfig } from '../../src/auth/issuer.ts';

const published: IssuerConfig = {
  issuer: 'https://login.test/',
  audience: 'uploads',
  algorithms: ['ES256'],
  keys: { kind: 'jwks', jwks: { keys: [] } },
};
const shared: IssuerConfig = {
  ...published,
  algorithms: ['HS256'],
  keys: { kind: 'secret', secret: new Uint8Array(32) },
};

describe('assertIssuers', () => {
  it.each<[string, IssuerConfig]>([
    ['keys that are given', published],
    [
      'every asymmetric algorithm',
      { ...published, algorithms: ['RS256', 'PS512', 'ES384', 'EdDSA', 'Ed25519'] },
    ],
    ['several audiences', { ...published, audience: ['uploads', 'media'] }],
    ['keys by address', { ...published, keys: { kind: 'jwksUrl', url: 'https://login.test/jwks' } }],
    ['keys by discovery', { ...published, keys: { kind: 'discovery' } }],
    ['a secret of 32 bytes with HS256', shared],
  ])('accepts %s', (_, issuer) => {
    expect(() => assertIssuers([issuer])).not.toThrow();
  });

  it.each<[string, IssuerConfig, string]>([
    ['an empty audience', { ...published, audience: '' }, 'has no audience'],
    ['an empty list of audiences', { ...published, audience: [] }, 'has no audience'],
    ['an empty audience among others', { ...published, audience: ['uploads', ''] }, 'has no audience'],
    ['no algorithms', { ...published, algorithms: [] }, 'has no algorithms'],
    ['the algorithm none', { ...published, algorithms: ['none'] }, 'has an algorithm that is not asymmetric'],
    [
      'HS256 beside published keys',
      { ...published, algorithms: ['ES256', 'HS256'] },
      'has an algorithm that is not asymmetric',
    ],
    [
      'a secret shorter than the hash',
      { ...shared, keys: { kind: 'secret', secret: new Uint8Array(31) } },
      'has a secret shorter than 32 bytes',
    ],
    [
      'a secret with an asymmetric algorithm',
      { ...shared, algorithms: ['ES256'] },
      'has a secret: HS256 only',
    ],
    ['a secret with a second one', { ...shared, algorithms: ['HS256', 'RS256'] }, 'has a secret: HS256 only'],
    ['a secret with no algorithms', { ...shared, algorithms: [] }, 'has a secret: HS256 only'],
    [
      'a key address that is none',
      { ...published, keys: { kind: 'jwksUrl', url: '/jwks' } },
      'has a jwksUrl that is not an address',
    ],
    [
      'a key address of another scheme',
      { ...published, keys: { kind: 'jwksUrl', url: 'file:///jwks' } },
      'has a jwksUrl that is not an address',
    ],
  ])('refuses %s', (_, issuer, fault) => {
    expect(() => assertIssuers([issuer])).toThrow(
      new TypeError(`The issuer "https://login.test/" ${fault}.`),
    );
  });

  it('refuses an issuer without a name', () => {
    expect(() => assertIssuers([{ ...published, issuer: '' }])).toThrow(
      new TypeError('The issuer "" has no name.'),
    );
  });

  it('refuses discovery for an issuer that is not an address', () => {
    expect(() => assertIssuers([{ ...published, issuer: 'login', keys: { kind: 'discovery' } }])).toThrow(
      new TypeError('The issuer "login" is not an address, as discovery needs.'),
    );
  });

  it('refuses one issuer twice, since which keys count would depend on the order', () => {
    expect(() => assertIssuers([published, { ...shared, issuer: 'other' }, { ...published }])).toThrow(
      new TypeError('The issuer "https://login.test/" is configured twice.'),
    );
  });

  it('tells issuers apart that differ in one character only', () => {
    expect(() => assertIssuers([published, { ...published, issuer: 'https://login.test' }])).not.toThrow();
  });
});
