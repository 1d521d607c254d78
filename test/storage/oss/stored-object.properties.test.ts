import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readErrorHeaders } from '../../../src/storage/oss/error-response.ts';
import { readStoredObject } from '../../../src/storage/oss/stored-object.ts';
import { propertyRuns } from '../../support/property-runs.ts';

/** Values as fetch returns them: a byte is a character, without control characters. */
const anyValue = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })))
  .map((bytes) => String.fromCharCode(...bytes).trim());

const numberLike = fc.oneof(fc.bigInt({ min: -9n, max: 10n ** 20n }).map(String), fc.double().map(String));

/** Nearly always a right value, because one fault is enough to reject a response. */
const mostly = (right: fc.Arbitrary<string>, other: fc.Arbitrary<string> = anyValue) =>
  fc.oneof({ arbitrary: right, weight: 9 }, { arbitrary: other, weight: 1 });

const headers = fc.record({
  'content-length': mostly(fc.nat().map(String), numberLike),
  etag: mostly(fc.constant('"5D41402ABC4B2A76B9719D911017C592"')),
  'last-modified': mostly(
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.constantFrom('Mon, 23 Nov 2026 25:00:00 GMT', 'Mon, 32 Xxx 0000 00:00:00 GMT'),
  ),
  'x-oss-hash-crc64ecma': numberLike,
  'x-oss-object-type': mostly(fc.constantFrom('Normal', 'Symlink', 'constructor', 'toString')),
  'content-type': mostly(fc.constant('image/png')),
  'x-oss-meta-__proto__': mostly(fc.string()),
  'x-oss-err': fc.oneof(
    fc.base64String(),
    fc.string().map((text) => Buffer.from(`<Error><Code>${text}</Code></Error>`).toString('base64')),
    anyValue,
  ),
  'x-oss-ec': anyValue,
  'x-oss-request-id': anyValue,
});

it('never throws, and returns only values of their documented form', () => {
  fc.assert(
    fc.property(headers, (response) => {
      const object = readStoredObject(new Headers(response));
      if ('fault' in object) {
        expect(Object.keys(response)).toContain(object.fault);
      } else {
        expect(Number.isSafeInteger(object.contentLength) && object.contentLength >= 0).toBe(true);
        expect(object.etag).toMatch(/^[\w.+/=-]+$/);
        expect(BigInt.asUintN(64, BigInt(object.crc64 ?? '')).toString()).toBe(object.crc64);
        expect(Number.isNaN(object.lastModified.getTime())).toBe(false);
        expect(['normal', 'multipart', 'appendable', 'symlink', 'unknown']).toContain(object.objectType);
        expect(Object.keys(object.metadata)).toStrictEqual(['__proto__']);
        expect(Object.getPrototypeOf(object.metadata)).toBeNull();
      }
      const {
        code = 'Code',
        ec = '0000-00000000',
        requestId = '0'.repeat(24),
      } = readErrorHeaders(new Headers(response));
      expect(`${code} ${ec} ${requestId}`).toMatch(/^[A-Za-z]{2,64} \d{4}-\d{8} [0-9A-Fa-f]{24}$/);
    }),
    { numRuns: propertyRuns(5_000) },
  );
});
