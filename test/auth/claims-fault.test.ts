import { describe, expect, it } from 'vitest';
import { claimsFault } from '../../src/auth/claims-fault.ts';
import { now } from '../support/fixed-clock.ts';
import { defaultClaims, nowSeconds } from '../support/tokens.ts';

const valid = defaultClaims('https://login.test/');
const NOT_A_TIME = (name: string) =>
  `The token has a time (${name}) that is not a number of seconds since 1970.`;
const OTHER_AUDIENCE = 'The token is for another audience; aud has to hold uploads.';
const MALFORMED_AUDIENCE = 'The audience (aud) of the token is neither a string nor a list of strings.';
const WRONG_SUBJECT = 'The subject (sub) of the token is not a string of 1 to 255 characters.';
const UNSAFE_SUBJECT = 'The subject (sub) of the token holds a control character or malformed Unicode.';

describe('claimsFault', () => {
  it.each([
    ['the least claims', {}],
    ['an expiry in fractions of a second', { exp: nowSeconds + 0.5 }],
    ['an expiry that passed within the tolerance', { exp: nowSeconds - 29.999 }],
    ['a not-before at the end of the tolerance', { nbf: nowSeconds + 30 }],
    ['an issue time at the end of the tolerance', { iat: nowSeconds + 30 }],
    ['an issue time long ago', { iat: 0 }],
    ['an audience within a list', { aud: ['billing', 'uploads'] }],
    ['a subject of 255 characters', { sub: 's'.repeat(255) }],
    ['a subject of other scripts', { sub: 'auth0|阿里斯 😀' }],
    ['claims that nobody asked for', { azp: 'web', nonce: 7, cnf: null }],
  ])('finds nothing wrong with %s', (_, claims) => {
    expect(claimsFault({ ...valid, ...claims }, 'uploads', now)).toBeUndefined();
  });

  it.each([
    ['no expiry', { exp: undefined }, 'The token does not say when it expires (exp).'],
    ['an expiry of null', { exp: null }, NOT_A_TIME('exp')],
    ['an expiry in words', { exp: '2099-01-01T00:00:00Z' }, NOT_A_TIME('exp')],
    ['an expiry as digits in a string', { exp: String(nowSeconds + 600) }, NOT_A_TIME('exp')],
    ['an expiry in a list', { exp: [nowSeconds + 600] }, NOT_A_TIME('exp')],
    ['an expiry that never comes', { exp: Number.POSITIVE_INFINITY }, NOT_A_TIME('exp')],
    ['an expiry before all time', { exp: Number.NEGATIVE_INFINITY }, NOT_A_TIME('exp')],
    ['an expiry beyond the calendar', { exp: 8.64e12 + 1 }, NOT_A_TIME('exp')],
    ['an expiry 30 s ago', { exp: nowSeconds - 30 }, 'The token expired at 2026-11-23T09:59:30Z.'],
    ['an expiry of zero', { exp: 0 }, 'The token expired at 1970-01-01T00:00:00Z.'],
    ['a negative expiry', { exp: -1.5 }, 'The token expired at 1969-12-31T23:59:58Z.'],
    [
      'a not-before past the tolerance',
      { nbf: nowSeconds + 31 },
      'The token is not valid before 2026-11-23T10:00:31Z (nbf).',
    ],
    ['a not-before in words', { nbf: 'now' }, NOT_A_TIME('nbf')],
    ['a not-before of null', { nbf: null }, NOT_A_TIME('nbf')],
    [
      'an issue time past the tolerance',
      { iat: nowSeconds + 31 },
      'The token was issued in the future, at 2026-11-23T10:00:31Z (iat).',
    ],
    ['an issue time in words', { iat: 'now' }, NOT_A_TIME('iat')],
    ['no audience', { aud: undefined }, 'The token does not say for whom it is (aud).'],
    ['another audience', { aud: 'billing' }, OTHER_AUDIENCE],
    ['an audience in other letters', { aud: 'Uploads' }, OTHER_AUDIENCE],
    ['an audience with a space', { aud: 'uploads ' }, OTHER_AUDIENCE],
    ['audiences in one string', { aud: 'billing uploads' }, OTHER_AUDIENCE],
    ['an empty list of audiences', { aud: [] }, OTHER_AUDIENCE],
    ['an audience of null', { aud: null }, MALFORMED_AUDIENCE],
    ['an audience of true', { aud: true }, MALFORMED_AUDIENCE],
    ['an audience as an object', { aud: { uploads: true } }, MALFORMED_AUDIENCE],
    ['an audience two lists deep', { aud: [['uploads']] }, MALFORMED_AUDIENCE],
    ['a list that holds more than strings', { aud: ['uploads', 7] }, MALFORMED_AUDIENCE],
    ['no subject', { sub: undefined }, 'The token does not say whose it is (sub).'],
    ['a subject of null', { sub: null }, WRONG_SUBJECT],
    ['a numeric subject', { sub: 7 }, WRONG_SUBJECT],
    ['a subject in a list', { sub: ['alice'] }, WRONG_SUBJECT],
    ['an empty subject', { sub: '' }, WRONG_SUBJECT],
    ['a subject of 256 characters', { sub: 's'.repeat(256) }, WRONG_SUBJECT],
    ['a subject with a line break', { sub: 'alice\nrole: admin' }, UNSAFE_SUBJECT],
    ['a subject with NUL', { sub: 'alice\0' }, UNSAFE_SUBJECT],
    ['a subject with DEL', { sub: 'alice\x7f' }, UNSAFE_SUBJECT],
    ['a subject with a C1 control', { sub: 'alice\x9b' }, UNSAFE_SUBJECT],
    ['a subject with a line separator', { sub: 'alice\u2028' }, UNSAFE_SUBJECT],
    ['a subject with half a surrogate pair', { sub: 'alice\ud83d' }, UNSAFE_SUBJECT],
  ])('finds the fault in %s', (_, claims, fault) => {
    expect(claimsFault({ ...valid, ...claims }, 'uploads', now)).toBe(fault);
  });

  it('accepts any one of several audiences', () => {
    expect(claimsFault({ ...valid, aud: 'media' }, ['uploads', 'media'], now)).toBeUndefined();
  });

  it('names all audiences when none of them is meant', () => {
    expect(claimsFault({ ...valid, aud: 'billing' }, ['uploads', 'media'], now)).toBe(
      'The token is for another audience; aud has to hold uploads or media.',
    );
  });

  it('does not take claims for given that an object inherits', () => {
    const { exp, ...rest } = valid;
    const claims = JSON.parse(`{"__proto__":{"exp":${exp}}}`) as Record<string, unknown>;

    expect(claimsFault({ ...claims, ...rest }, 'uploads', now)).toBe(
      'The token does not say when it expires (exp).',
    );
  });
});
