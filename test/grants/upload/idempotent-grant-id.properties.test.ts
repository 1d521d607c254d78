import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type IdempotentRequest, idempotentGrantId } from '../../../src/grants/upload/idempotent-grant-id.ts';
import type { UploadRequest } from '../../../src/policy/upload-request.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { serviceKeysOf } from '../../support/service-keys.ts';

const { idempotencyMac, uploadIdMac } = serviceKeysOf('a').signing;

/** Short texts of characters that a careless encoding would confuse. */
const text = fc.string({
  unit: fc.constantFrom('a', 'b', '"', ',', '\\', '[', ']', '0', '\n', 'é'),
  maxLength: 4,
});
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

const request: fc.Arbitrary<UploadRequest> = fc.record(
  {
    filename: text,
    contentType: text,
    contentLength: optional(fc.nat(20)),
    maxContentLength: optional(fc.nat(20)),
    contentMd5: optional(text),
    metadata: fc.dictionary(fc.constantFrom('a', 'b', 'ab', '1', '2', 'key'), text, { maxKeys: 3 }),
    cacheControl: optional(text),
    contentDisposition: optional(text),
    contentEncoding: optional(text),
    expiresIn: optional(fc.nat(20)),
    overwrite: fc.boolean(),
    target: optional(text),
    transfer: fc.constantFrom('put' as const, 'form' as const),
  },
  { noNullPrototype: true },
);
const repeated: fc.Arbitrary<IdempotentRequest> = fc.record({
  caller: fc.record({ issuer: text, subject: text }),
  rule: text,
  request,
  idempotencyKey: text,
});

/** A text that is equal for equal requests: names sorted, undefined fields left out. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_name, one) =>
    typeof one === 'object' && one !== null
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );

it('the id is a UUID of version 8', () => {
  fc.assert(
    fc.property(repeated, (one) => {
      expect(idempotentGrantId(idempotencyMac, one)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }),
    { numRuns: propertyRuns(1000) },
  );
});

it('two requests have the same id if, and only if, caller, rule, request and key are the same', () => {
  fc.assert(
    fc.property(repeated, repeated, fc.nat(4), (one, other, kept) => {
      // Pairs that differ in one part only are the hard ones.
      const near = {
        ...one,
        ...[
          { caller: other.caller },
          { rule: other.rule },
          { request: other.request },
          { idempotencyKey: other.idempotencyKey },
          other,
        ][kept],
      };
      const isSame = idempotentGrantId(idempotencyMac, one) === idempotentGrantId(idempotencyMac, near);
      expect(isSame).toBe(canonical(one) === canonical(near));
    }),
    { numRuns: propertyRuns(2000) },
  );
});

it('a field that changes in any way changes the id', () => {
  fc.assert(
    fc.property(repeated, request, fc.nat(), (one, other, index) => {
      const fields = Object.keys(other) as (keyof UploadRequest)[];
      const field = fields[index % fields.length] as keyof UploadRequest;
      const changed = { ...one, request: { ...one.request, [field]: other[field] } };
      const isSame = idempotentGrantId(idempotencyMac, one) === idempotentGrantId(idempotencyMac, changed);
      expect(isSame).toBe(canonical(one) === canonical(changed));
    }),
    { numRuns: propertyRuns(2000) },
  );
});

it('neither the order of metadata and fields nor an undefined field matters', () => {
  fc.assert(
    fc.property(repeated, (one) => {
      const reversed = (fields: object) => Object.fromEntries(Object.entries(fields).reverse());
      const { metadata, ...rest } = one.request;
      const sameRequest = {
        ...reversed(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))),
        metadata: reversed(metadata),
      } as unknown as UploadRequest;
      expect(idempotentGrantId(idempotencyMac, { ...one, request: sameRequest })).toBe(
        idempotentGrantId(idempotencyMac, one),
      );
    }),
    { numRuns: propertyRuns(1000) },
  );
});

it('another service key, and the key of upload ids, give another id', () => {
  const one = {
    caller: { issuer: 'i', subject: 's' },
    rule: 'r',
    request: { filename: 'a', contentType: 'a/b', metadata: {}, overwrite: false, transfer: 'put' as const },
    idempotencyKey: 'k',
  };
  const ids = [idempotencyMac, uploadIdMac, serviceKeysOf('a').signing.idempotencyMac].map((mac) =>
    idempotentGrantId(mac, one),
  );
  expect(new Set(ids).size).toBe(3);
});
