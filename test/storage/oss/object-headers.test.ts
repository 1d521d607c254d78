import { expect, it } from 'vitest';
import { uploadHeaders } from '../../../src/storage/oss/object-headers.ts';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { policyFrom } from '../../support/test-app.ts';
import { createTestIssuer } from '../../support/tokens.ts';

function ruleWith(fields: Readonly<Record<string, unknown>>) {
  const { rules } = policyFrom(policyWith({ rules: [ownFilesRule(fields)] }), createTestIssuer());
  if (!rules[0]) throw new Error('the policy has no rule');
  return rules[0];
}

const REQUEST = { key: 'users/alice/a', contentType: 'image/png', metadata: {}, overwrite: false };

it.each([
  [false, false, true],
  [false, true, true],
  [true, false, true],
  [true, true, false],
])(
  'rule says overwrite %s, request %s: overwriting is forbidden %s',
  (ruleSays, requestSays, isForbidden) => {
    const rule = ruleWith({ overwrite: ruleSays });
    const headers = uploadHeaders(rule, { ...REQUEST, overwrite: requestSays });
    expect(headers['x-oss-forbid-overwrite']).toBe(isForbidden ? 'true' : undefined);
  },
);

it('holds every header that was asked for or that the rule adds, and no length', () => {
  const rule = ruleWith({
    headers: { 'x-oss-storage-class': 'IA', Expires: 'Thu, 26 Nov 2026 10:00:00 GMT' },
  });
  const request = {
    ...REQUEST,
    contentLength: 7,
    contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==',
    metadata: { album: '42' },
    cacheControl: 'no-cache',
    contentDisposition: 'attachment',
    contentEncoding: 'gzip',
  };
  expect(uploadHeaders(rule, request)).toStrictEqual({
    'Content-Type': 'image/png',
    'Content-MD5': '1B2M2Y8AsgTpgAmY7PhCfg==',
    'Cache-Control': 'no-cache',
    'Content-Disposition': 'attachment',
    'Content-Encoding': 'gzip',
    'x-oss-forbid-overwrite': 'true',
    'x-oss-meta-album': '42',
    'x-oss-storage-class': 'IA',
    Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
  });
});
