import { describe, expect, it } from 'vitest';
import { toPublishedKeys } from '../../src/auth/keys/published-keys.ts';
import { createTestIssuer } from '../support/tokens.ts';

describe('toPublishedKeys', () => {
  const [old, current] = [createTestIssuer({ kid: 'old' }), createTestIssuer({ kid: 'current' })];
  const jwks = { keys: [...old.jwks.keys, ...current.jwks.keys] };

  it('caches the keys for a header, so that they are found and imported once', async () => {
    const published = toPublishedKeys(jwks);
    for (const header of [
      { alg: 'ES256', kid: 'old' },
      { alg: 'ES256', kid: undefined },
    ]) {
      expect(published.cached(header)).toBeUndefined();
      const keys = await published.match(header);
      expect(keys.length).toBe(header.kid === undefined ? 2 : 1);
      expect(published.cached(header)).toBe(keys);
    }
  });

  // Callers choose key IDs, and could fill the memory with them.
  it('caches nothing for headers that match no key', async () => {
    const published = toPublishedKeys(jwks);
    await published.match({ alg: 'ES256', kid: 'old' });
    for (const header of [
      { alg: 'ES256', kid: 'made-up' },
      { alg: 'ES256', kid: '' },
      { alg: 'ES384', kid: 'old' },
      { alg: 'HS256', kid: 'old' },
      { alg: 'none', kid: undefined },
    ]) {
      expect(await published.match(header)).toStrictEqual([]);
      expect(published.cached(header)).toBeUndefined();
    }
  });

  it('caches separately by algorithm and key ID', async () => {
    const published = toPublishedKeys(jwks);
    const keys = await published.match({ alg: 'ES256', kid: 'old' });
    await published.match({ alg: 'ES256', kid: 'current' });
    expect(published.cached({ alg: 'ES256', kid: 'old' })).toBe(keys);
    expect(published.cached({ alg: 'ES256', kid: 'current' })).not.toBe(keys);
    expect(published.cached({ alg: 'ES384', kid: 'old' })).toBeUndefined();
    expect(published.cached({ alg: 'ES256', kid: undefined })).toBeUndefined();
  });

  it('returns the original set', () => {
    expect(toPublishedKeys(jwks).jwks()).toStrictEqual(jwks);
  });
});
