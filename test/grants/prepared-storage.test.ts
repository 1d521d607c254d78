import { expect, it } from 'vitest';
import { clientOf, prepareStorage } from '../../src/grants/prepared-storage.ts';
import type { Target } from '../../src/policy/policy.ts';
import { prepareBucket } from '../../src/storage/oss/bucket.ts';
import { policyOf, ruleLine, withRules } from '../policy/file/policy-file-text.ts';
import { bucketClientWith } from '../support/bucket-client.ts';

const policy = policyOf(withRules(ruleLine('a', 'a/'), ruleLine('b', 'b/')));
const [target] = policy.rules.map((rule) => rule.target) as [Target];

it('has one client for each target, which all its rules share', () => {
  const created: string[] = [];
  const storage = prepareStorage(policy, prepareBucket, ({ name }) => {
    created.push(name);
    return bucketClientWith({});
  });
  expect(created).toStrictEqual([target.name]);
  expect(new Set(policy.rules.map((rule) => clientOf(storage, rule.target))).size).toBe(1);
});

it('has no client for a target of another policy, nor in a process that calls no storage', () => {
  const storage = prepareStorage(policy, prepareBucket, () => bucketClientWith({}));
  expect(() => clientOf(storage, { ...target })).toThrow(TypeError);
  expect(() => clientOf(prepareStorage(policy, prepareBucket), target)).toThrow(TypeError);
});
