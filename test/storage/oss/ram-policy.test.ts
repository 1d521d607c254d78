import { expect, it } from 'vitest';
import type { PrefixAccess } from '../../../src/storage/object-storage.ts';
import { ramPolicy } from '../../../src/storage/oss/ram-policy.ts';

const uploads = (prefixPattern: string, change: Partial<PrefixAccess> = {}): PrefixAccess => ({
  bucket: 'acme-media',
  region: 'cn-hangzhou',
  prefixPattern,
  literalPrefix: prefixPattern,
  methods: ['PUT'],
  headers: ['content-type'],
  isChecked: false,
  isTagged: false,
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

it('allows putting objects where uploads are forms', () => {
  expect(ramPolicy([uploads('forms/', { methods: ['POST'], headers: [] })]).Statement).toStrictEqual([
    { Effect: 'Allow', Action: ['oss:PutObject'], Resource: ['acs:oss:*:*:acme-media/forms/*'] },
  ]);
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

it('allows reading where a rule has downloads or receipts, and only there', () => {
  const all = [
    uploads('users/*/', { isChecked: true }),
    uploads('public/', { methods: ['GET'], headers: [] }),
    uploads('silent/'),
  ];
  expect(ramPolicy(all).Statement).toStrictEqual([
    {
      Effect: 'Allow',
      Action: ['oss:PutObject'],
      Resource: ['acs:oss:*:*:acme-media/silent/*', 'acs:oss:*:*:acme-media/users/*/*'],
    },
    {
      Effect: 'Allow',
      Action: ['oss:GetObject'],
      Resource: ['acs:oss:*:*:acme-media/public/*', 'acs:oss:*:*:acme-media/users/*/*'],
    },
  ]);
});

it('allows tagging where a rule adds tags, and only there', () => {
  const all = [uploads('users/*/'), uploads('tagged/', { isTagged: true })];
  expect(ramPolicy(all).Statement[1]).toStrictEqual({
    Effect: 'Allow',
    Action: ['oss:PutObjectTagging'],
    Resource: ['acs:oss:*:*:acme-media/tagged/*'],
  });
});

it('allows listing and aborting multipart uploads where a rule has them, and only there', () => {
  const all = [uploads('users/*/'), uploads('films/', { multipart: { expiresInSeconds: 1 } })];
  expect(ramPolicy(all).Statement).toStrictEqual([
    {
      Effect: 'Allow',
      Action: ['oss:PutObject'],
      Resource: ['acs:oss:*:*:acme-media/films/*', 'acs:oss:*:*:acme-media/users/*/*'],
    },
    {
      Effect: 'Allow',
      Action: ['oss:ListParts', 'oss:AbortMultipartUpload'],
      Resource: ['acs:oss:*:*:acme-media/films/*'],
    },
  ]);
});
