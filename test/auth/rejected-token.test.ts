import { describe, expect, it } from 'vitest';
import { describeRejectedToken } from '../../src/auth/rejected-token.ts';
import { ServiceError } from '../../src/errors.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { verifierOf } from './offline-verifier.ts';

const header = { alg: 'ES256', kid: 'key-1' };

describe('describeRejectedToken', () => {
  it.each<[string, Record<string, unknown>, string | undefined, Record<string, string>]>([
    [
      'issuer, audience and key ID',
      { iss: 'https://login.test', aud: 'account', sub: 'alice' },
      'key-1',
      { iss: 'https://login.test', aud: 'account', kid: 'key-1' },
    ],
    ['nothing that the token does not have', {}, undefined, {}],
    ['a list of audiences', { aud: ['account', 'uploads'] }, undefined, { aud: 'account uploads' }],
    [
      'the type of a value that is not text',
      { iss: 7, aud: [null, { a: 1 }] },
      undefined,
      { iss: '(number)', aud: '(object) (object)' },
    ],
    [
      'no character that a terminal interprets',
      { iss: 'a\u0000b\n\u001b[31mc\u202ed\u200be\u2028f\u{e0041}g\ud800' },
      undefined,
      { iss: 'ab[31mcdefg\ufffd' },
    ],
  ])('records %s', (_, claims, kid, fields) => {
    expect(describeRejectedToken({ header: { ...header, kid }, claims })).toStrictEqual(fields);
  });

  it.each<[string, unknown]>([
    ['a long text', 'x'.repeat(16_000)],
    ['a long list', Array.from({ length: 5_000 }, (_, index) => `audience-${index}`)],
    ['a list of empty texts', Array.from({ length: 5_000 }, () => '')],
    ['a text of format characters', '\u200b'.repeat(16_000)],
  ])('cuts %s to 256 characters', (_, value) => {
    const { iss = '', aud = '' } = describeRejectedToken({ header, claims: { iss: value, aud: value } });
    expect([iss.length <= 256, aud.length <= 256]).toStrictEqual([true, true]);
  });
});

it('a rejected token adds only its issuer, audience and key ID to the log', async () => {
  const login = createTestIssuer();
  const verifier = verifierOf(login.config);
  const tokens = {
    issuer: await login.sign({ iss: 'https://login.test' }),
    audience: await login.sign({ aud: 'account' }),
    key: await login.sign({}, { kid: 'key-2' }),
    type: await login.sign({}, { typ: 'logout+jwt' }),
    withOwnKey: await login.sign({}, { jku: 'https://evil.test/jwks', kid: 'key-3' }),
  };
  const fieldsOf = async (token: string) => {
    try {
      await verifier.verify(token);
    } catch (error) {
      if (error instanceof ServiceError) return error.logFields;
    }
    return undefined;
  };

  expect(await fieldsOf(tokens.issuer)).toStrictEqual({
    iss: 'https://login.test',
    aud: 'uploads',
    kid: 'key-1',
  });
  expect(await fieldsOf(tokens.audience)).toStrictEqual({
    iss: 'https://login.test/',
    aud: 'account',
    kid: 'key-1',
  });
  expect(await fieldsOf(tokens.key)).toStrictEqual({
    iss: 'https://login.test/',
    aud: 'uploads',
    kid: 'key-2',
  });
  expect(await fieldsOf(tokens.type)).toStrictEqual({
    iss: 'https://login.test/',
    aud: 'uploads',
    kid: 'key-1',
  });
  expect(await fieldsOf(tokens.withOwnKey)).toStrictEqual({
    iss: 'https://login.test/',
    aud: 'uploads',
    kid: 'key-3',
  });
  expect(await fieldsOf('opaque')).toBeUndefined();
});
