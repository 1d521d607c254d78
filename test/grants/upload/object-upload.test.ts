import { expect, it } from 'vitest';
import { objectUpload } from '../../../src/grants/upload/object-upload.ts';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { policyFrom } from '../../support/test-app.ts';
import { createTestIssuer } from '../../support/tokens.ts';

function ruleWith(fields: Readonly<Record<string, unknown>>) {
  const { rules } = policyFrom(policyWith({ rules: [ownFilesRule(fields)] }), createTestIssuer());
  if (!rules[0]) throw new Error('the policy has no rule');
  return rules[0];
}

const GRANTED = { key: 'key', grantId: '019ab000-0000-7000-8000-000000000001' };

const REQUEST = {
  filename: 'a.png',
  contentType: 'image/png',
  metadata: {},
  overwrite: false,
  transfer: 'put' as const,
};

it.each([
  [false, false, false],
  [false, true, false],
  [true, false, false],
  [true, true, true],
])(
  'overwrite is %s in the rule and %s in the request: the upload overwrites %s',
  (allowed, requested, overwrites) => {
    const rule = ruleWith({ overwrite: allowed });
    expect(objectUpload(rule, { ...REQUEST, overwrite: requested }, GRANTED).overwrite).toBe(overwrites);
  },
);

it.each<[string, Readonly<Record<string, unknown>>, string | undefined]>([
  ['the file name that the rule keeps', { keepFilename: true }, 'attachment; filename=a.png'],
  [
    'the rule’s type with it',
    { keepFilename: true, headers: { 'Content-Disposition': 'Inline' } },
    'inline; filename=a.png',
  ],
  ['nothing where the rule keeps no file name', { keepFilename: false }, undefined],
])('offers %s', (_what, fields, contentDisposition) => {
  expect(objectUpload(ruleWith(fields), REQUEST, GRANTED).contentDisposition).toBe(contentDisposition);
});
