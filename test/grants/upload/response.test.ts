import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type UploadAnswer, uploadAnswer, uploadAnswerText } from '../../../src/grants/upload/response.ts';

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
const second = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
  .map((instant) => `${instant.toISOString().slice(0, 19)}Z`);

const answer: fc.Arbitrary<UploadAnswer> = fc.record({
  method: fc.constant('PUT' as const),
  url: fc.webUrl({ withQueryParameters: true }),
  headers: fc.dictionary(
    text.filter((name) => name !== '__proto__'),
    text,
    { maxKeys: 4, noNullPrototype: true },
  ),
  key: text,
  bucket: text,
  region: text,
  target: text,
  contentLength: fc.option(fc.maxSafeNat()),
  expires: fc.integer({ min: 1, max: 604_800 }),
  expiresAt: second,
  expiresLimitedBy: fc.constantFrom('request', 'rule', 'credentials', 'maximum'),
  serverTime: second,
});

it('is the JSON of the whole answer, in the form that the document says', () => {
  fc.assert(
    fc.property(answer, (one) => {
      // Invisible characters are escaped, which JSON.stringify does not do.
      expect(JSON.stringify(JSON.parse(uploadAnswerText(one)))).toBe(JSON.stringify(one));
      expect(uploadAnswer.parse(JSON.parse(uploadAnswerText(one)))).toEqual(one);
    }),
    { numRuns: 1_000 },
  );
});
