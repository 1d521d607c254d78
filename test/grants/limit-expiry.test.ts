import { expect, it } from 'vitest';
import { limitExpiry } from '../../src/grants/limit-expiry.ts';

it.each<[number | undefined, number, number | undefined, number, string]>([
  [undefined, 600, undefined, 600, 'rule'],
  [300, 600, undefined, 300, 'request'],
  [900, 600, undefined, 900, 'request'],
  [undefined, 600, 100, 100, 'credentials'],
  [300, 600, 100, 100, 'credentials'],
  [300, 600, 300, 300, 'request'],
  [undefined, 600, 600, 600, 'rule'],
  [undefined, 604_800, undefined, 604_800, 'rule'],
  [undefined, 604_801, undefined, 604_800, 'maximum'],
  [undefined, 604_801, 604_800, 604_800, 'credentials'],
  [604_900, 600, 604_850, 604_800, 'maximum'],
])(
  'asked %s, default %i, credentials %s: %i s, by %s',
  (requested, byDefault, left, expiresInSeconds, limitedBy) => {
    expect(limitExpiry(requested, byDefault, left)).toStrictEqual({ expiresInSeconds, limitedBy });
  },
);
