import { expect, it } from 'vitest';
import type { GrantableUploads } from '../../../src/storage/object-storage.ts';
import { ramPolicy } from '../../../src/storage/oss/ram-policy.ts';

const uploads = (prefixPattern: string, change: Partial<GrantableUploads> = {}): GrantableUploads => ({
  bucket: 'acme-media',
  region: 'cn-hangzhou',
  prefixPattern,
  headers: ['content-type'],
  ...change,
});

it('allows putting objects under the prefixes, and nothing else', () => {
  expect(ramPolicy([uploads('users/*/')])).toStrictEqual({
    Version: '1',
    Statement: [
      { Effect: 'Allow', Action: ['oss:PutObject'], Resource: ['acs:oss:*:*:acme-media/users/*/*'] },
    ],
  });
});

it('names each resource once, sorted', () => {
  const all = [
    uploads('users/*/'),
    uploads('exports/'),
    uploads('users/*/'),
    uploads('logs/a-*/b/', { bucket: 'acme-archive', region: 'cn-shanghai' }),
  ];
  expect(ramPolicy(all).Statement).toStrictEqual([
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
  const all = [uploads('users/*/'), uploads('tagged/', { headers: ['content-type', 'x-oss-tagging'] })];
  expect(ramPolicy(all).Statement[1]).toStrictEqual({
    Effect: 'Allow',
    Action: ['oss:PutObjectTagging'],
    Resource: ['acs:oss:*:*:acme-media/tagged/*'],
  });
});
