import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ObjectUpload, PreparedUploads, Signing } from '../../../../src/storage/object-storage.ts';
import { type OssBucket, prepareBucket } from '../../../../src/storage/oss/bucket.ts';
import type { Endpoint } from '../../../../src/storage/oss/endpoint.ts';
import { presign } from '../../../../src/storage/oss/signing/presign.ts';
import { codePoint } from '../../../support/code-point.ts';
import { propertyRuns } from '../../../support/property-runs.ts';
import { type ReferencePut, referenceUrl } from '../../../support/reference-url.ts';

// A bucket keeps its signer from one signature to the next, and each rule has prepared headers. Neither may affect a URL: a part of
// other credentials, another day or another rule would give a URL that OSS rejects, or one that allows something else.

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const headerName = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/),
  fc.stringMatching(/^[Xx]-[Oo]ss-[Mm]eta-[A-Za-z0-9-]{1,8}$/),
  fc.constantFrom(
    'Content-Type',
    'Content-MD5',
    'Cache-Control',
    'Content-Disposition',
    'Expires',
    'x-oss-content-sha256',
  ),
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
    fc.string({ unit: codePoint, minLength: 1, maxLength: 40 }),
  )
  .filter((key) => key.isWellFormed() && !key.split('/').some((segment) => /^\.{1,2}$/.test(segment)));

const signing: fc.Arbitrary<Signing> = fc.record({
  // Few of each, so that in a row of signatures most share something with the one before, and differ in the rest.
  credentials: fc.record(
    {
      accessKeyId: fc.oneof(fc.constantFrom('LTAI5tOne', 'LTAI5tTwo'), text),
      accessKeySecret: fc.oneof(fc.constantFrom('secret one', 'secret two'), text),
      securityToken: fc.oneof(fc.constantFrom('CAIS+one/==', 'CAIS+two/=='), text),
    },
    { requiredKeys: ['accessKeyId', 'accessKeySecret'] },
  ),
  signedAt: fc.oneof(
    // Around one midnight: days and seconds change back and forth.
    fc.integer({ min: -2500, max: 2500 }).map((ms) => new Date(Date.UTC(2026, 10, 24) + ms)),
    fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
  ),
  expiresInSeconds: fc.integer({ min: 1, max: 604_800 }),
});

const bucket: fc.Arbitrary<OssBucket> = fc.record({
  region: fc.constantFrom('cn-hangzhou', 'cn-beijing', 'us-west-1'),
  bucket: fc.constantFrom('acme-media', 'acme-logs', 'other'),
  endpoint: fc.constantFrom<Endpoint[]>(
    'public',
    { url: 'https://upload.example.com', addressing: 'cname' },
    { url: 'https://upload.example.com', addressing: 'path' },
    { url: 'http://127.0.0.1:9000', addressing: 'path' },
  ),
});

const upload: fc.Arbitrary<ObjectUpload> = fc.record(
  {
    key: objectKey,
    contentType: headerValue,
    contentLength: fc.nat(),
    contentMd5: headerValue,
    cacheControl: headerValue,
    contentDisposition: headerValue,
    contentEncoding: headerValue,
    metadata: fc.dictionary(fc.stringMatching(/^of-upload-[a-z0-9-]{0,8}$/), headerValue, { maxKeys: 8 }),
    overwrite: fc.boolean(),
  },
  { requiredKeys: ['key', 'contentType', 'metadata', 'overwrite'] },
);

/** Headers of a rule, in any spelling. An upload may also set Content-Disposition, and none of the others. */
const ruleHeaders = headers.map((all) =>
  Object.fromEntries(
    Object.entries(all).filter(
      ([name]) => name === 'Content-Disposition' || !/^content-|^cache-control$/i.test(name),
    ),
  ),
);

it('buckets sign as the plain form of the algorithm does, in any order', () => {
  const step = fc.record({ rule: fc.nat(), upload, signing });
  const rules = fc.array(fc.tuple(bucket, ruleHeaders), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(rules, fc.array(step, { minLength: 1, maxLength: 12 }), (all, steps) => {
      const prepared = all.map(([one, added]): [OssBucket, PreparedUploads] => [
        one,
        prepareBucket(one).prepareUploads(added),
      ]);
      for (const { rule, upload, signing } of steps) {
        const [one, uploads] = prepared[rule % prepared.length] as [OssBucket, PreparedUploads];
        const { url, headers } = uploads.presign(upload, signing);
        const { key, contentLength } = upload;
        expect(url).toBe(referenceUrl({ ...one, ...signing, key, contentLength, headers }));
        expect(headers).toStrictEqual(uploads.headers(upload));
      }
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
      fc.record({ bucket, signing, key: objectKey, headers }),
      fc.dictionary(parameterName, text, { maxKeys: 4 }),
      ({ bucket, signing, key, headers }, query) => {
        const one: ReferencePut = { ...bucket, ...signing, key, headers };
        const signed = presign({ ...one, method: 'PUT', additionalHeaders: Object.keys(one.headers), query });
        expect(signed.url).toBe(referenceUrl(one, query));
      },
    ),
    { numRuns: propertyRuns(300) },
  );
});
