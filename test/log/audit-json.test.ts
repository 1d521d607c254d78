import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type CompletionAudit,
  type DownloadAudit,
  renderAuditJson,
  type UploadAudit,
} from '../../src/log/audit-json.ts';
import { codePoint } from '../support/code-point.ts';

const text = fc.oneof(fc.string({ unit: codePoint }), fc.string());
const textOrNone = fc.option(text, { nil: undefined });

const uploadAudit: fc.Arbitrary<UploadAudit> = fc.record({
  operation: fc.constant('upload'),
  outcome: fc.constantFrom('granted', 'limited', 'denied'),
  reasons: fc.array(fc.constantFrom('key_outside_prefix', 'too_large', 'requestsPerMinute'), {
    maxLength: 3,
  }),
  issuer: text,
  subject: text,
  rule: textOrNone,
  target: textOrNone,
  bucket: fc.option(text),
  key: textOrNone,
  transfer: fc.constantFrom('put', 'form'),
  contentType: text,
  contentLength: fc.option(fc.maxSafeNat()),
  maxContentLength: fc.option(fc.maxSafeNat(), { nil: undefined }),
  expiresAt: fc.constantFrom('2026-01-01T00:00:00Z', null),
  denials: fc.array(fc.record({ rule: text, reasons: fc.array(text, { maxLength: 3 }) }), { maxLength: 3 }),
  otherRules: fc.nat(),
});

const downloadAudit: fc.Arbitrary<DownloadAudit> = fc.record(
  {
    operation: fc.constant('download'),
    outcome: fc.constantFrom('granted', 'limited', 'denied'),
    reasons: fc.array(fc.constantFrom('key_outside_prefix', 'requestsPerMinute'), { maxLength: 2 }),
    issuer: text,
    subject: text,
    keyCount: fc.nat(),
    disposition: fc.constantFrom('attachment', 'inline'),
    limitedRule: text,
    grants: fc.array(
      fc.record({ rule: text, target: text, bucket: text, keys: fc.array(text, { maxLength: 3 }) }),
      { maxLength: 2 },
    ),
    denied: fc.record({
      keyCount: fc.nat(),
      codes: fc.dictionary(fc.constantFrom('key_outside_prefix', 'key_not_allowed'), fc.nat()),
      keys: fc.array(text, { maxLength: 3 }),
    }),
    expiresAt: fc.constantFrom('2026-01-01T00:00:00Z', null),
    denials: fc.array(fc.record({ rule: text, reasons: fc.array(text, { maxLength: 3 }) }), { maxLength: 3 }),
    otherRules: fc.nat(),
  },
  {
    requiredKeys: [
      ...(['operation', 'outcome', 'reasons', 'issuer', 'subject'] as const),
      ...(['keyCount', 'disposition', 'grants', 'expiresAt'] as const),
    ],
  },
);

const completionAudit: fc.Arbitrary<CompletionAudit> = fc.record({
  operation: fc.constantFrom('parts', 'status', 'complete', 'abort'),
  outcome: fc.constantFrom(
    'granted',
    'stored',
    'absent',
    'mismatch',
    'invalid',
    'expired',
    'limited',
    'error',
  ),
  reasons: fc.array(fc.constantFrom('other_upload', 'callsPerMinute'), { maxLength: 2 }),
  issuer: text,
  subject: text,
  grantId: fc.option(fc.uuid(), { nil: undefined }),
  rule: textOrNone,
  target: textOrNone,
  bucket: textOrNone,
  key: textOrNone,
  uploaderIssuer: textOrNone,
  uploaderSubject: textOrNone,
  confirmRule: textOrNone,
  contentLength: fc.option(fc.maxSafeNat(), { nil: undefined }),
  partCount: fc.option(fc.nat(), { nil: undefined }),
  expiresAt: fc.option(fc.constant('2026-01-01T00:00:00Z'), { nil: undefined }),
});

const audit = fc.oneof(uploadAudit, downloadAudit, completionAudit);

it('is the JSON of all its fields, whatever they contain', () => {
  fc.assert(
    fc.property(audit, (one) => {
      expect(JSON.parse(renderAuditJson(one))).toStrictEqual(JSON.parse(JSON.stringify(one)));
    }),
    { numRuns: 1_000 },
  );
});

it('leaves out fields that a grant does not have', () => {
  const granted: UploadAudit = {
    ...{ operation: 'upload', outcome: 'granted', reasons: [], issuer: 'i', subject: 's' },
    ...{ rule: 'r', target: 't', bucket: 'b' },
    ...{
      key: 'k',
      transfer: 'put',
      contentType: 'image/png',
      contentLength: null,
      expiresAt: '2026-01-01T00:00:00Z',
    },
  };
  expect(renderAuditJson(granted)).toBe(JSON.stringify(granted));
});
