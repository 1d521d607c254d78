import { describe, expect, it } from 'vitest';
import { claimsFault } from '../../src/auth/claims-fault.ts';
import { now } from '../support/fixed-clock.ts';
import { defaultClaims, nowSeconds } from '../support/tokens.ts';

const valid = defaultClaims('https://login.test/');
const NOT_A_TIME = (name: string) => `The token's \`${name}\` claim is not a time in seconds since 1970.`;
const OTHER_AUDIENCE = 'The token is for another audience: its `aud` claim must contain uploads.';
const MALFORMED_AUDIENCE = "The token's audience (`aud` claim) is neither a string nor a list of strings.";
const WRONG_SUBJECT = "The token's subject (`sub` claim) must be a string of 1 to 255 characters.";
const UNSAFE_SUBJECT = "The token's subject (`sub` claim) contains a control character or malformed Unicode.";
const NO_EXPIRY = 'The token has no expiry time (`exp` claim).';

/** The fault of claims for the audience `uploads` or others. */
const faultOf = (
  claims: Readonly<Record<string, unknown>>,
  audience: string | readonly string[] = 'uploads',
) => claimsFault(claims, { audience }, now);

describe('claimsFault', () => {
  it.each([
    ['the required claims only', {}],
    ['an expiry in fractions of a second', { exp: nowSeconds + 0.5 }],
    ['an expiry that passed within the tolerance', { exp: nowSeconds - 29.999 }],
    ['a not-before at the end of the tolerance', { nbf: nowSeconds + 30 }],
    ['an issue time at the end of the tolerance', { iat: nowSeconds + 30 }],
    ['an issue time long ago', { iat: 0 }],
    ['an audience within a list', { aud: ['billing', 'uploads'] }],
    ['a subject of 255 characters', { sub: 's'.repeat(255) }],
    ['a subject of other scripts', { sub: 'auth0|阿里斯 😀' }],
    ['additional claims', { azp: 'web', nonce: 7, cnf: null }],
  ])('finds nothing wrong with %s', (_, claims) => {
    expect(faultOf({ ...valid, ...claims })).toBeUndefined();
  });

  it.each([
    ['no expiry', { exp: undefined }, NO_EXPIRY],
    ['an expiry of null', { exp: null }, NOT_A_TIME('exp')],
    ['an expiry as text', { exp: '2099-01-01T00:00:00Z' }, NOT_A_TIME('exp')],
    ['an expiry as digits in a string', { exp: String(nowSeconds + 600) }, NOT_A_TIME('exp')],
    ['an expiry in a list', { exp: [nowSeconds + 600] }, NOT_A_TIME('exp')],
    ['an infinite expiry', { exp: Number.POSITIVE_INFINITY }, NOT_A_TIME('exp')],
    ['an infinitely early expiry', { exp: Number.NEGATIVE_INFINITY }, NOT_A_TIME('exp')],
    ['an expiry after the last possible date', { exp: 8.64e12 + 1 }, NOT_A_TIME('exp')],
    ['an expiry 30 s ago', { exp: nowSeconds - 30 }, 'The token expired at 2026-11-23T09:59:30Z.'],
    ['an expiry of zero', { exp: 0 }, 'The token expired at 1970-01-01T00:00:00Z.'],
    ['a negative expiry', { exp: -1.5 }, 'The token expired at 1969-12-31T23:59:58Z.'],
    [
      'a not-before past the tolerance',
      { nbf: nowSeconds + 31 },
      'The token is not valid before 2026-11-23T10:00:31Z (`nbf` claim).',
    ],
    ['a not-before as text', { nbf: 'now' }, NOT_A_TIME('nbf')],
    ['a not-before of null', { nbf: null }, NOT_A_TIME('nbf')],
    [
      'an issue time past the tolerance',
      { iat: nowSeconds + 31 },
      'The token was issued in the future, at 2026-11-23T10:00:31Z (`iat` claim).',
    ],
    ['an issue time as text', { iat: 'now' }, NOT_A_TIME('iat')],
    ['no audience', { aud: undefined }, 'The token has no audience (`aud` claim).'],
    ['another audience', { aud: 'billing' }, OTHER_AUDIENCE],
    ['an audience in other case', { aud: 'Uploads' }, OTHER_AUDIENCE],
    ['an audience with a space', { aud: 'uploads ' }, OTHER_AUDIENCE],
    ['audiences in one string', { aud: 'billing uploads' }, OTHER_AUDIENCE],
    ['an empty list of audiences', { aud: [] }, OTHER_AUDIENCE],
    ['an audience of null', { aud: null }, MALFORMED_AUDIENCE],
    ['an audience of true', { aud: true }, MALFORMED_AUDIENCE],
    ['an audience as an object', { aud: { uploads: true } }, MALFORMED_AUDIENCE],
    ['an audience two lists deep', { aud: [['uploads']] }, MALFORMED_AUDIENCE],
    ['a list that also contains a number', { aud: ['uploads', 7] }, MALFORMED_AUDIENCE],
    ['no subject', { sub: undefined }, 'The token has no subject (`sub` claim).'],
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
    expect(faultOf({ ...valid, ...claims })).toBe(fault);
  });

  it('accepts any one of several audiences', () => {
    expect(faultOf({ ...valid, aud: 'media' }, ['uploads', 'media'])).toBeUndefined();
  });

  it('names all audiences if the token has none of them', () => {
    expect(faultOf({ ...valid, aud: 'billing' }, ['uploads', 'media'])).toBe(
      'The token is for another audience: its `aud` claim must contain uploads or media.',
    );
  });

  it('ignores claims that an object inherits', () => {
    const { exp, ...rest } = valid;
    const claims = JSON.parse(`{"__proto__":{"exp":${exp}}}`) as Record<string, unknown>;

    expect(faultOf({ ...claims, ...rest })).toBe(NO_EXPIRY);
  });

  describe('with an audienceClaim', () => {
    const { aud: _, ...withoutAudience } = valid;
    const byClient = { audience: ['web', 'cli'], audienceClaim: 'client_id' };
    const fault = (claims: object, requirements = byClient) =>
      claimsFault({ ...withoutAudience, ...claims }, requirements, now);

    it.each([
      ['a string', { client_id: 'web' }],
      ['a list', { client_id: ['other', 'cli'] }],
      ['a string, with another aud', { client_id: 'web', aud: 'billing' }],
    ])('accepts that claim as %s', (_what, claims) => {
      expect(fault(claims)).toBeUndefined();
    });

    it.each([
      ['the claim missing', {}, 'The token has no audience (`client_id` claim).'],
      [
        'the claim missing, with the right aud',
        { aud: 'web' },
        'The token has no audience (`client_id` claim).',
      ],
      [
        'another value',
        { client_id: 'billing', aud: 'web' },
        'The token is for another audience: its `client_id` claim must contain web or cli.',
      ],
      [
        'a number',
        { client_id: 7 },
        "The token's audience (`client_id` claim) is neither a string nor a list of strings.",
      ],
      [
        'a part of the value',
        { client_id: 'we' },
        'The token is for another audience: its `client_id` claim must contain web or cli.',
      ],
    ])('rejects %s', (_what, claims, expected) => {
      expect(fault(claims)).toBe(expected);
    });

    it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
      'ignores the claim %s that an object inherits',
      (audienceClaim) => {
        expect(fault({}, { ...byClient, audienceClaim })).toBe(
          `The token has no audience (\`${audienceClaim}\` claim).`,
        );
      },
    );

    it('reads a claim whose name is a URL', () => {
      expect(
        fault(
          { 'https://example.com/aud': 'web' },
          { ...byClient, audienceClaim: 'https://example.com/aud' },
        ),
      ).toBeUndefined();
    });
  });

  describe('with a clockTolerance', () => {
    const fault = (claims: object, clockToleranceSeconds: number) =>
      claimsFault({ ...valid, ...claims }, { audience: 'uploads', clockToleranceSeconds }, now);

    it.each([0, 1, 30, 60, 120])('of %i s is exact to the second, in both directions', (seconds) => {
      expect(fault({ exp: nowSeconds - seconds + 1 }, seconds)).toBeUndefined();
      expect(fault({ exp: nowSeconds - seconds }, seconds)).toMatch(/^The token expired at /);
      expect(fault({ nbf: nowSeconds + seconds, iat: nowSeconds + seconds }, seconds)).toBeUndefined();
      expect(fault({ nbf: nowSeconds + seconds + 1 }, seconds)).toMatch(/^The token is not valid before /);
      expect(fault({ iat: nowSeconds + seconds + 1 }, seconds)).toMatch(
        /^The token was issued in the future/,
      );
    });
  });
});
