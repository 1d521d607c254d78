import { expect, it } from 'vitest';
import { ramPolicy } from '../../../src/storage/oss/ram-policy.ts';
import { mediaTarget, policyWith } from '../../support/policies.ts';
import { policyFrom } from '../../support/test-app.ts';
import { createTestIssuer } from '../../support/tokens.ts';

const issuer = createTestIssuer();

function parsed(
  rules: readonly { prefix: string; target?: string; headers?: Readonly<Record<string, string>> }[],
) {
  const yaml = policyWith({
    targets: {
      media: mediaTarget(),
      'media-by-cname': mediaTarget({ endpoint: 'https://upload.example.com' }),
      archive: { bucket: 'acme-archive', region: 'cn-shanghai' },
    },
    rules: rules.map((fields, index) => ({
      name: `rule-${index}`,
      who: { scope: 'a' },
      target: 'media',
      contentTypes: ['image/png'],
      maxSize: '1MiB',
      ...fields,
    })),
  });
  return policyFrom(yaml, issuer);
}

it('allows to put objects under the prefixes and nothing else, with any value of a claim', () => {
  expect(ramPolicy(parsed([{ prefix: 'users/{sub}/' }]))).toStrictEqual({
    Version: '1',
    Statement: [
      { Effect: 'Allow', Action: ['oss:PutObject'], Resource: ['acs:oss:*:*:acme-media/users/*/*'] },
    ],
  });
});

it('names each place once, sorted, whichever address its bucket has', () => {
  const policy = parsed([
    { prefix: 'users/{sub}/' },
    { prefix: 'exports/' },
    { prefix: 'users/{tenant}/', target: 'media-by-cname' },
    { prefix: 'logs/a-{tenant}/b/', target: 'archive' },
  ]);
  expect(ramPolicy(policy).Statement).toStrictEqual([
    {
      Effect: 'Allow',
      Action: ['oss:PutObject'],
      Resource: [
        'acs:oss:*:*:acme-archive/logs/a-*/b/*',
        'acs:oss:*:*:acme-media/exports/*',
        'acs:oss:*:*:acme-media/users/*/*',
      ],
    },
  ]);
});

it('allows tagging where a rule adds tags, and only there', () => {
  const policy = parsed([
    { prefix: 'users/{sub}/' },
    { prefix: 'tagged/', headers: { 'X-Oss-Tagging': 'team=a' } },
  ]);
  expect(ramPolicy(policy).Statement[1]).toStrictEqual({
    Effect: 'Allow',
    Action: ['oss:PutObjectTagging'],
    Resource: ['acs:oss:*:*:acme-media/tagged/*'],
  });
});
