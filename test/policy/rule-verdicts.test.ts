import { expect, it } from 'vitest';
import { callerFromClaims } from '../../src/auth/caller.ts';
import { ruleVerdicts, uploadQuestion } from '../../src/policy/rule-verdicts.ts';
import type { UploadRequest } from '../../src/policy/upload-request.ts';
import { policyWith } from '../support/policies.ts';
import { policyFrom } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

const rule = { target: 'media', contentTypes: ['image/*'], maxSize: '10B' };
const policy = policyFrom(
  policyWith({
    rules: [
      {
        ...rule,
        name: 'own',
        who: { scope: 'a b', claims: { role: ['member', 7] }, issuer: 'https://login.test/' },
        prefix: 'users/{sub}/',
      },
      { ...rule, name: 'tenant', who: { scope: 'a' }, prefix: 't/{tenant}/' },
      { ...rule, name: 'public', who: { scope: 'a' }, prefix: 'public/' },
    ],
  }),
  createTestIssuer(),
);
const request: UploadRequest = {
  key: 'public/a.png',
  contentType: 'image/png',
  contentLength: 11,
  metadata: {},
  overwrite: false,
  transfer: 'put',
};
const verdicts = (claims: object, change: Partial<UploadRequest> = {}) => {
  const caller = callerFromClaims({ iss: 'https://login.test/', sub: 'alice', ...claims });
  return ruleVerdicts(policy, caller, uploadQuestion({ ...request, ...change }, caller)).map(
    ({ rule, reasons }) => [rule, reasons.map(({ code, detail }) => `${code}: ${detail}`)],
  );
};

it('returns the reasons of every rule against the request, in order', () => {
  expect(verdicts({ scope: 'a', role: 'guest', tenant: '..' })).toStrictEqual([
    [
      'own',
      [
        'no_matching_rule: The token lacks the scope "b".',
        'no_matching_rule: The claim "role" must equal or contain "member" or 7.',
      ],
    ],
    ['tenant', [expect.stringContaining('claim "tenant" cannot be part of an object key')]],
    ['public', ['too_large: The file has 11 bytes; at most 10 are allowed.']],
  ]);
});

it('names the issuer and the target that a rule is for', () => {
  expect(verdicts({ scope: 'a b', role: ['x', 7], iss: 'https://other.test/' })[0]).toStrictEqual([
    'own',
    ['no_matching_rule: The rule is for tokens of https://login.test/ only.'],
  ]);
  expect(verdicts({ scope: 'a' }, { target: 'other' })[2]).toStrictEqual([
    'public',
    ['no_matching_rule: The rule is for the target media.'],
  ]);
});

it('has no reasons for a rule that allows the request', () => {
  expect(verdicts({ scope: 'a' }, { contentLength: 10 })[2]).toStrictEqual(['public', []]);
});
