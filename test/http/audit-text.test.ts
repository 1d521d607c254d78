import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Audit, auditText } from '../../src/http/audit-text.ts';

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
const textOrNone = fc.option(text, { nil: undefined });

const audit: fc.Arbitrary<Audit> = fc.record({
  outcome: fc.constantFrom('granted', 'limited', 'denied'),
  reasons: fc.array(fc.constantFrom('key_outside_prefix', 'too_large', 'requestsPerMinute'), {
    maxLength: 3,
  }),
  issuer: text,
  subject: text,
  rule: textOrNone,
  target: textOrNone,
  key: textOrNone,
  contentType: text,
  contentLength: fc.option(fc.maxSafeNat()),
});

it('is the JSON of all its fields, whatever a caller put into them', () => {
  fc.assert(
    fc.property(audit, (one) => {
      expect(auditText(one)).toBe(JSON.stringify(one));
    }),
    { numRuns: 2_000 },
  );
});
