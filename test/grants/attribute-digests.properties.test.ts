import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributeDigests, createDigests } from '../../src/grants/attribute-digests.ts';
import { GRANT_ID_METADATA } from '../../src/policy/grant-mark.ts';
import type { ObjectAttributes } from '../../src/storage/object-storage.ts';
import { propertyRuns } from '../support/property-runs.ts';

const NONE: ObjectAttributes = {
  metadata: {},
  cacheControl: undefined,
  contentDisposition: undefined,
  contentEncoding: undefined,
  expires: undefined,
};
const digestOf = (metadata: Readonly<Record<string, string>>) =>
  attributeDigests({ ...NONE, metadata }).metadata;

describe('the digest of metadata', () => {
  it('is empty without metadata, otherwise 24 bytes', () => {
    expect(digestOf({})).toBe('');
    expect(digestOf({ album: '' })).toMatch(/^[\w-]{32}$/);
  });

  it('does not depend on the order of the names', () => {
    expect(digestOf({ a: '1', b: '2', c: '3' })).toBe(digestOf({ c: '3', a: '1', b: '2' }));
  });

  it('leaves out the grant id, which is compared by itself', () => {
    expect(digestOf({ [GRANT_ID_METADATA]: 'x' })).toBe('');
    expect(digestOf({ album: 'x', [GRANT_ID_METADATA]: 'x' })).toBe(digestOf({ album: 'x' }));
  });

  it('differs for sets whose names and values have the same characters', () => {
    const sets = [
      { a: 'b' },
      { ab: '' },
      { a: '', b: '' },
      { a: '1:b0:' },
      { a: 'b', b: '' },
      { a: '', b: 'b' },
      { a: 'b1', c: '' },
      { a: '"b":"c"' },
    ];
    expect(new Set(sets.map(digestOf)).size).toBe(sets.length);
  });
});

const attributes = fc.record({
  metadata: fc.dictionary(fc.constantFrom('a', 'b', 'ab', '1', 'constructor'), fc.string({ maxLength: 4 })),
  cacheControl: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
  contentDisposition: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
  contentEncoding: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
  expires: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
});
const sorted = ({ metadata, ...rest }: ObjectAttributes) =>
  JSON.stringify([Object.entries(metadata).sort(), rest], (_name, value) => value ?? null);

it('digests are equal if, and only if, the attributes are, whatever is known in advance', () => {
  fc.assert(
    fc.property(attributes, attributes, attributes, (one, other, common) => {
      const digests = createDigests(common);
      expect(digests(one)).toStrictEqual(attributeDigests(one));
      expect(digests(common)).toStrictEqual(attributeDigests(common));
      const areEqual = JSON.stringify(attributeDigests(one)) === JSON.stringify(attributeDigests(other));
      expect(areEqual).toBe(sorted(one) === sorted(other));
    }),
    { numRuns: propertyRuns(1000) },
  );
});
