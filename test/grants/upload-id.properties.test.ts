import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type GrantedUpload,
  MAX_UPLOAD_ID_LENGTH,
  openUploadId,
  sealUploadId,
} from '../../src/grants/upload-id.ts';
import { TRANSFERS, type Transfer } from '../../src/policy/actions.ts';
import { codePoint } from '../support/code-point.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { serviceKeysOf } from '../support/service-keys.ts';

const keys = serviceKeysOf('first', 'second');
const others = serviceKeysOf('first', 'second');

/** Texts of every kind of character, with at most so many bytes of UTF-8. */
const text = (maxBytes: number) =>
  fc
    .string({
      unit: fc.oneof(
        fc.constantFrom('"', '.', '\0', '\ud83d\ude00', 'é', '語', '/'),
        fc.constantFrom('a', '1'),
      ),
      maxLength: maxBytes,
    })
    .map((long) => {
      let cut = long;
      while (Buffer.byteLength(cut) > maxBytes) cut = Array.from(cut).slice(0, -1).join('');
      return cut;
    });
const digest = (length: number) =>
  fc.oneof(
    fc.constant(''),
    fc
      .uint8Array({ minLength: (length / 4) * 3, maxLength: (length / 4) * 3 })
      .map((bytes) => Buffer.from(bytes).toString('base64url')),
  );
const seconds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const size = fc.oneof(
  fc.integer({ min: 0, max: 10 }),
  fc.maxSafeInteger().map((n) => Math.abs(n) % 2 ** 48),
);

const granted: fc.Arbitrary<GrantedUpload> = fc
  .record({
    grantId: fc.uuid(),
    transfer: fc.constantFrom(...TRANSFERS),
    rule: text(64),
    target: text(64),
    bucket: text(63),
    region: text(63),
    key: text(1023),
    isMarked: fc.boolean(),
    sizes: fc.tuple(size, fc.option(size)),
    contentType: text(255),
    contentMd5: fc.option(
      fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      { nil: undefined },
    ),
    attributes: fc.record(
      {
        metadata: digest(32),
        cacheControl: digest(16),
        contentDisposition: digest(16),
        contentEncoding: digest(16),
        expires: digest(16),
      },
      { noNullPrototype: true },
    ),
    caller: fc.record({ issuer: text(255), subject: text(255) }, { noNullPrototype: true }),
    times: fc.tuple(seconds, seconds),
    parts: fc.record({
      // The longest that fits together with the longest texts.
      uploadId: text(32).filter((uploadId) => uploadId !== ''),
      partSize: fc.integer({ min: 1, max: 5 * 1024 ** 3 }),
      overwrite: fc.boolean(),
    }),
  })
  .map(({ sizes: [one, other], times, parts, ...rest }) => ({
    ...rest,
    contentLength: lengthsOf(rest.transfer, one, other),
    contentMd5: rest.transfer === 'multipart' ? undefined : rest.contentMd5,
    multipart: rest.transfer === 'multipart' ? { ...parts } : undefined,
    issuedAt: Math.min(...times),
    expiresAt: Math.max(...times),
  }));

function lengthsOf(transfer: Transfer, one: number, other: number | null): GrantedUpload['contentLength'] {
  if (transfer === 'multipart') return { min: one, max: one };
  return other === null ? { min: one, max: null } : { min: Math.min(one, other), max: Math.max(one, other) };
}

it('an id binds every field, whatever the texts are, and fits into 3 KiB', () => {
  fc.assert(
    fc.property(granted, fc.constantFrom('first', 'second'), (upload, kid) => {
      const key = keys.find(kid);
      if (!key) throw new Error('no key');
      const id = sealUploadId(key, upload);
      expect(id.length).toBeLessThanOrEqual(MAX_UPLOAD_ID_LENGTH);
      expect(id).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
      expect(openUploadId(keys, id)).toStrictEqual(upload);
      expect(openUploadId(others, id)).toBeUndefined();
    }),
    { numRuns: propertyRuns(1000) },
  );
});

it('two grants that differ have different ids', () => {
  fc.assert(
    fc.property(granted, granted, (one, other) => {
      const [first, second] = [sealUploadId(keys.signing, one), sealUploadId(keys.signing, other)];
      expect(first === second).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { numRuns: propertyRuns(1000) },
  );
});

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

it('an id has one spelling: a character that is changed, added, removed or moved makes it invalid', () => {
  const foreign = fc.constantFrom('+', '/', '=', ' ', '\n', '.', '\0', 'é', '\u0141', '\ud800', '%41');
  const anyCharacter = fc.oneof(fc.constantFrom(...ALPHABET), foreign);
  fc.assert(
    fc.property(granted, fc.nat(), fc.nat(), anyCharacter, (upload, one, other, character) => {
      const id = sealUploadId(keys.signing, upload);
      const [start, end] = [one % (id.length + 1), other % (id.length + 1)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      const changed = [
        id.slice(0, start) + character + id.slice(start + 1),
        id.slice(0, start) + character + id.slice(start),
        id.slice(0, start) + id.slice(end),
        id.slice(0, start),
        id.slice(start),
        id.slice(start) + id.slice(0, start),
        id + id.slice(start),
      ];
      for (const one of changed) if (one !== id) expect(openUploadId(keys, one)).toBeUndefined();
    }),
    { numRuns: propertyRuns(1000) },
  );
});

it('parts of two ids never make an id', () => {
  fc.assert(
    fc.property(granted, granted, (one, other) => {
      const [first, second] = [sealUploadId(keys.signing, one), sealUploadId(keys.signing, other)];
      fc.pre(first !== second);
      const [payload = '', mac = ''] = first.split('.');
      const [otherPayload = '', otherMac = ''] = second.split('.');
      for (const id of [
        `${payload}.${otherMac}`,
        `${otherPayload}.${mac}`,
        `${first}.${second}`,
        `${first}${second}`,
        `${payload}${otherPayload}.${mac}`,
        `${payload}.${otherPayload}.${mac}`,
      ])
        expect(openUploadId(keys, id)).toBeUndefined();
    }),
    { numRuns: propertyRuns(200) },
  );
});

it('any other text is no id', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: codePoint, maxLength: 200 }), fc.base64String({ maxLength: 400 })),
      (id) => {
        expect(openUploadId(keys, id)).toBeUndefined();
        expect(openUploadId(keys, `${id}.${'A'.repeat(43)}`)).toBeUndefined();
      },
    ),
    { numRuns: propertyRuns(1000) },
  );
});
