import process from 'node:process';
import { expect, it } from 'vitest';
import { callerFromClaims } from '../../src/auth/caller.ts';
import { explainDenial } from '../../src/policy/explain-denial.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { uploadQuestion } from '../../src/policy/rule-verdicts.ts';
import { policyWith } from '../support/policies.ts';
import { policyFrom } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

const base = policyFrom(policyWith(), createTestIssuer());
const [ownFiles] = base.rules;
if (!ownFiles) throw new Error('the test policy has no rule');
const caller = callerFromClaims({ iss: 'https://login.test/', sub: 'alice', scope: 'uploads:write' });
const REQUEST = { key: 'users/alice/a.png', contentType: 'image/png', contentLength: 2 ** 21, metadata: {} };
const request = { ...REQUEST, overwrite: false, transfer: 'put' as const };

/** A policy with `count` rules for other callers, followed by one for this caller. */
const policyOf = (others: number): Policy => ({
  ...base,
  rules: [
    ...Array.from({ length: others }, (_, n) => ({
      ...ownFiles,
      name: `rule-${n}`,
      who: { scope: [`scope-${n}`] },
    })),
    ownFiles,
  ],
});

it('names the nearest rule first, wherever it is in the policy, and ten in all', () => {
  const { denials, otherRules } = explainDenial(
    policyOf(3000),
    caller,
    uploadQuestion(request, caller),
    'own-files',
  );
  expect(denials).toHaveLength(10);
  expect(otherRules).toBe(2991);
  expect(denials.slice(0, 2)).toStrictEqual([
    { rule: 'own-files', reasons: ['The file has 2097152 bytes; at most 1048576 are allowed.'] },
    { rule: 'rule-0', reasons: ['The token lacks the scope "scope-0".'] },
  ]);
});

it('names rules for this caller before rules for others', () => {
  const { denials } = explainDenial(policyOf(20), caller, uploadQuestion(request, caller), undefined);
  expect(denials[0]?.rule).toBe('own-files');
});

it('has at most five reasons of a rule, of 256 characters each', () => {
  const metadata = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`${n}${'x'.repeat(5000)}`, '']));
  const [denial] = explainDenial(
    base,
    caller,
    uploadQuestion({ ...request, metadata }, caller),
    'own-files',
  ).denials;
  expect(denial?.reasons).toHaveLength(5);
  for (const reason of denial?.reasons ?? []) expect(reason.length).toBeLessThanOrEqual(256);
});

it('takes less than 50 ms of CPU with 3,000 rules and the longest key', () => {
  const policy = policyOf(3000);
  const longest = { ...request, key: `users/alice/${'ä'.repeat(500)}` };
  const times = [1, 2, 3].map(() => {
    const before = process.threadCpuUsage();
    explainDenial(policy, caller, uploadQuestion(longest, caller), 'own-files');
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  expect(times.toSorted((a, b) => a - b)[1]).toBeLessThan(50);
});
