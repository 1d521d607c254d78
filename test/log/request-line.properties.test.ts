import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type RequestLine, renderRequestLine } from '../../src/log/request-line.ts';
import { codePoint } from '../support/code-point.ts';
import { propertyRuns } from '../support/property-runs.ts';

const text = fc.oneof(fc.string({ unit: codePoint, maxLength: 200 }), fc.string());
const textOrNone = fc.option(text, { nil: undefined });

const line: fc.Arbitrary<RequestLine> = fc.record({
  requestId: fc.constant('0123456789abcdef01234567'),
  clientRequestId: textOrNone,
  traceId: textOrNone,
  method: fc.constantFrom('POST', null),
  route: fc.constantFrom('/v1/uploads', null),
  status: fc.integer({ min: 200, max: 599 }),
  durationMs: fc.option(fc.nat(), { nil: undefined }),
  remoteAddress: textOrNone,
});

it('is the JSON of all fields, whatever a client sends', () => {
  fc.assert(
    fc.property(line, text, (one, detail) => {
      expect(JSON.parse(`{${renderRequestLine(one)}}`)).toStrictEqual(
        JSON.parse(JSON.stringify({ ...one, msg: 'request completed' })),
      );
      const rejection = { code: 'not_found', detail, logFields: { kid: detail } };
      expect(JSON.parse(`{${renderRequestLine({ ...one, rejection })}}`)).toMatchObject({
        code: 'not_found',
        detail,
        kid: detail,
      });
    }),
    { numRuns: propertyRuns(2_000) },
  );
});

it('cuts the detail of a rejection, the fields of its error and the address of the client', () => {
  const long = 'x'.repeat(2_000);
  const rejection = { code: 'not_found', detail: long, logFields: { kid: long } };
  const parsed = JSON.parse(
    `{${renderRequestLine({ requestId: 'r', clientRequestId: undefined, traceId: undefined, method: null, route: null, status: 404, rejection, remoteAddress: long })}}`,
  );
  expect([parsed.detail.length, parsed.kid.length, parsed.remoteAddress.length]).toStrictEqual([
    1024, 256, 256,
  ]);
});

it('names the outcome of an audited request', () => {
  const audit = {
    operation: 'upload',
    outcome: 'denied',
    reasons: ['too_large'],
    issuer: 'i',
    subject: 's',
    rule: undefined,
    target: undefined,
    bucket: null,
    key: undefined,
    transfer: 'put',
    contentType: 'image/png',
    contentLength: 1,
    expiresAt: null,
  } as const;
  const rendered = renderRequestLine({
    ...{
      requestId: 'r',
      clientRequestId: undefined,
      traceId: undefined,
      method: 'POST',
      route: '/v1/uploads',
    },
    ...{ status: 403, audit, durationMs: 1, remoteAddress: '127.0.0.1' },
  });
  expect(JSON.parse(`{${rendered}}`)).toMatchObject({
    msg: 'upload denied',
    audit: { outcome: 'denied', reasons: ['too_large'] },
  });
});
