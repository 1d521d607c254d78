import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/storage/oss/endpoint.ts';
import { presign } from '../../../../src/storage/oss/signing/presign.ts';
import { type PresignPutInput, presignPut } from '../../../../src/storage/oss/signing/presign-put.ts';
import { propertyRuns } from '../../../support/property-runs.ts';
import { referenceUrl } from '../../../support/reference-url.ts';

// What src/storage/oss/signing keeps must never show: a value of another secret, token, day, region or bucket would give a URL that
// OSS refuses, or one that is good for what was not asked.

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const headerName = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/),
  fc.stringMatching(/^[Xx]-[Oo]ss-[Mm]eta-[A-Za-z0-9-]{1,8}$/),
  fc.constantFrom('Content-Type', 'Content-MD5', 'Cache-Control', 'Expires', 'x-oss-content-sha256'),
);
const headerValue = fc.stringMatching(/^ {0,2}[!-~](?:[ -~]{0,20}[!-~])? {0,2}$/);
const headers = fc
  .uniqueArray(fc.tuple(headerName, headerValue), {
    selector: ([name]) => name.toLowerCase(),
    maxLength: 12,
  })
  .map((entries) => Object.fromEntries(entries.filter(([name]) => name.toLowerCase() !== 'content-length')));
const objectKey = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z0-9._~/-]{1,40}$/),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  )
  .filter((key) => key.isWellFormed() && !key.split('/').some((segment) => /^\.{1,2}$/.test(segment)));

/** Few of each, so that in a row of calls most share something with one before, and differ in the rest. */
const put: fc.Arbitrary<PresignPutInput> = fc.record(
  {
    credentials: fc.record(
      {
        accessKeyId: fc.oneof(fc.constantFrom('LTAI5tOne', 'LTAI5tTwo'), text),
        accessKeySecret: fc.oneof(fc.constantFrom('secret one', 'secret two'), text),
        securityToken: fc.oneof(fc.constantFrom('CAIS+one/==', 'CAIS+two/=='), text),
      },
      { requiredKeys: ['accessKeyId', 'accessKeySecret'] },
    ),
    region: fc.constantFrom('cn-hangzhou', 'cn-beijing', 'us-west-1'),
    bucket: fc.constantFrom('acme-media', 'acme-logs', 'other'),
    endpoint: fc.constantFrom<Endpoint[]>(
      'public',
      { url: 'https://upload.example.com', addressing: 'cname' },
      { url: 'https://upload.example.com', addressing: 'path' },
      { url: 'http://127.0.0.1:9000', addressing: 'path' },
    ),
    key: objectKey,
    headers,
    contentLength: fc.nat(),
    signedAt: fc.oneof(
      // Around one midnight: days and seconds change back and forth.
      fc.integer({ min: -2500, max: 2500 }).map((ms) => new Date(Date.UTC(2026, 10, 24) + ms)),
      fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
    ),
    expiresInSeconds: fc.integer({ min: 1, max: 604_800 }),
  },
  {
    requiredKeys: [
      ...(['credentials', 'region', 'bucket', 'endpoint', 'key', 'headers'] as const),
      ...(['signedAt', 'expiresInSeconds'] as const),
    ],
  },
);

it('signs as the plain form of the algorithm does, whatever was signed before', () => {
  fc.assert(
    fc.property(fc.array(put, { minLength: 1, maxLength: 12 }), (puts) => {
      expect(puts.map((one) => presignPut(one).url)).toStrictEqual(puts.map((one) => referenceUrl(one)));
    }),
    { numRuns: propertyRuns(300) },
  );
});

it('signs further query parameters as the plain form of the algorithm does', () => {
  const parameterName = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
    fc.constant('x-oss-e'),
  );
  fc.assert(
    fc.property(
      put,
      fc.dictionary(parameterName, text, { maxKeys: 4 }),
      ({ contentLength, ...one }, query) => {
        const signed = presign({ ...one, method: 'PUT', additionalHeaders: Object.keys(one.headers), query });
        expect(signed.url).toBe(referenceUrl(one, query));
      },
    ),
    { numRuns: propertyRuns(300) },
  );
});
