import { expect, it } from 'vitest';
import type { PrefixAccess } from '../../../src/storage/object-storage.ts';
import { bucketLifecycles } from '../../../src/storage/oss/lifecycle-rule.ts';

const DAY = 86_400;

const access = (literalPrefix: string, expiresInSeconds?: number, bucket = 'acme-media'): PrefixAccess => ({
  bucket,
  region: 'cn-hangzhou',
  prefixPattern: `${literalPrefix}*/`,
  literalPrefix,
  methods: ['PUT'],
  headers: [],
  isChecked: true,
  isTagged: false,
  ...(expiresInSeconds !== undefined && { multipart: { expiresInSeconds } }),
});

const rulesOf = (...all: PrefixAccess[]) => bucketLifecycles(all)[0]?.rules;

it.each([
  ['a second', 1, 2],
  ['a day', DAY, 2],
  ['a second more than a day', DAY + 1, 3],
  ['a week', 7 * DAY, 8],
])('removes the parts of an upload that can be continued for %s a day later', (_, seconds, days) => {
  expect(rulesOf(access('users/', seconds))).toStrictEqual([{ prefix: 'users/', days }]);
});

it('has rules only for buckets and prefixes with multipart uploads, sorted', () => {
  const all = [
    access('z/', DAY),
    access('a/', DAY),
    access('plain/'),
    access('other/', undefined, 'acme-plain'),
    access('b/', 2 * DAY, 'acme-archive'),
  ];
  expect(bucketLifecycles(all)).toStrictEqual([
    { bucket: 'acme-archive', region: 'cn-hangzhou', rules: [{ prefix: 'b/', days: 3 }] },
    {
      bucket: 'acme-media',
      region: 'cn-hangzhou',
      rules: [
        { prefix: 'a/', days: 2 },
        { prefix: 'z/', days: 2 },
      ],
    },
  ]);
  expect(bucketLifecycles([access('plain/')])).toStrictEqual([]);
});

it('has one rule for prefixes that overlap, with the longest time', () => {
  expect(
    rulesOf(access('a/b/', 6 * DAY), access('a/', DAY), access('ab/', DAY), access('a/', 2 * DAY)),
  ).toEqual([
    { prefix: 'a/', days: 7 },
    { prefix: 'ab/', days: 2 },
  ]);
  expect(rulesOf(access('a/', 3 * DAY), access('', DAY), access('plain/', undefined))).toEqual([
    { prefix: '', days: 4 },
  ]);
});
