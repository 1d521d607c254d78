import { createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { ecSigner, forgeToken, hmacSigner, segment } from '../support/forge-token.ts';
import { createTestIssuer, defaultClaims, nowSeconds, type TestIssuer } from '../support/tokens.ts';
import {
  invalidToken,
  rejectionOfToken,
  sharedSecret,
  UNKNOWN_KEY,
  UNTRUSTED,
  verifierOf,
  WRONG_SIGNATURE,
} from './offline-verifier.ts';

describe('a forged token', () => {
  let login: TestIssuer;
  let attacker: TestIssuer;
  let token: string;

  beforeAll(async () => {
    login = createTestIssuer();
    attacker = createTestIssuer();
    token = await login.sign();
  });

  const header = { alg: 'ES256', kid: 'key-1', typ: 'JWT' };
  const claims = defaultClaims('https://login.test/');
  const parts = () => token.split('.') as [string, string, string];
  const publicKeyPem = () =>
    createPublicKey({ key: login.jwks.keys[0] ?? {}, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const publicKeyDer = () =>
    createPublicKey({ key: login.jwks.keys[0] ?? {}, format: 'jwk' }).export({ type: 'spki', format: 'der' });
  const pinned = "The token's algorithm (`alg` header) must be ES256.";

  it.each<[string, () => string | Promise<string>, string]>([
    ['no signature', () => parts().slice(0, 2).join('.').concat('.'), WRONG_SIGNATURE],
    ['a signature of zeros', () => forgeToken(header, claims, () => new Uint8Array(64)), WRONG_SIGNATURE],
    [
      'half a signature',
      () => forgeToken(header, claims, (i) => ecSigner(login.privateKey)(i).subarray(32)),
      WRONG_SIGNATURE,
    ],
    [
      'a signature in DER',
      () => forgeToken(header, claims, ecSigner(login.privateKey, 'der')),
      WRONG_SIGNATURE,
    ],
    [
      'a signature in hexadecimal',
      () => forgeToken(header, claims, (i) => Buffer.from(ecSigner(login.privateKey)(i)).toString('hex')),
      WRONG_SIGNATURE,
    ],
    [
      'a signature over other claims',
      () => `${parts()[0]}.${segment({ ...claims, sub: 'root' })}.${parts()[2]}`,
      WRONG_SIGNATURE,
    ],
    [
      'a signature over another header',
      () => `${segment({ ...header, typ: 'at+jwt' })}.${parts()[1]}.${parts()[2]}`,
      WRONG_SIGNATURE,
    ],
    [
      'a signature over the claims alone',
      () => forgeToken(header, claims, () => ecSigner(login.privateKey)(segment(claims))),
      WRONG_SIGNATURE,
    ],
    ['the signature of another key with the same ID', () => attacker.sign(), WRONG_SIGNATURE],
    ['a key ID that the issuer does not have', () => attacker.sign({}, { kid: 'key-2' }), UNKNOWN_KEY],
    ['an empty key ID', () => login.sign({}, { kid: '' }), UNKNOWN_KEY],
    ['a key ID in other case', () => login.sign({}, { kid: 'KEY-1' }), UNKNOWN_KEY],
    ['no key ID and another key', () => attacker.sign({}, { kid: undefined }), WRONG_SIGNATURE],
    ['the algorithm none', () => forgeToken({ ...header, alg: 'none' }, claims, () => ''), pinned],
    ['the algorithm None', () => forgeToken({ ...header, alg: 'None' }, claims, () => ''), pinned],
    [
      'the algorithm nOnE, signed',
      () => forgeToken({ ...header, alg: 'nOnE' }, claims, ecSigner(login.privateKey)),
      pinned,
    ],
    ['an empty algorithm', () => forgeToken({ ...header, alg: '' }, claims, () => ''), pinned],
    [
      'an algorithm in other case',
      () => forgeToken({ ...header, alg: 'es256' }, claims, ecSigner(login.privateKey)),
      pinned,
    ],
    [
      'an algorithm that is not configured',
      () => forgeToken({ ...header, alg: 'ES384' }, claims, ecSigner(login.privateKey)),
      pinned,
    ],
    [
      'an algorithm that is a property of objects',
      () => forgeToken({ ...header, alg: 'constructor' }, claims, () => ''),
      pinned,
    ],
    [
      'HMAC with the public key in PEM',
      () => forgeToken({ ...header, alg: 'HS256' }, claims, hmacSigner(publicKeyPem())),
      pinned,
    ],
    [
      'HMAC with the public key in DER',
      () => forgeToken({ ...header, alg: 'HS256' }, claims, hmacSigner(publicKeyDer())),
      pinned,
    ],
    [
      'HMAC with the key as JSON',
      () => forgeToken({ ...header, alg: 'HS256' }, claims, hmacSigner(JSON.stringify(login.jwks.keys[0]))),
      pinned,
    ],
    [
      'HMAC with an empty secret',
      () => forgeToken({ ...header, alg: 'HS256' }, claims, hmacSigner('')),
      pinned,
    ],
    [
      'HMAC of 512 bits',
      () => forgeToken({ ...header, alg: 'HS512' }, claims, hmacSigner(publicKeyPem(), 'sha512')),
      pinned,
    ],
    [
      'HMAC with the public key, declared as ES256',
      () => forgeToken(header, claims, hmacSigner(publicKeyPem())),
      WRONG_SIGNATURE,
    ],
    [
      'its own key in the header',
      () => forgeToken({ ...header, jwk: attacker.jwks.keys[0] }, claims, ecSigner(attacker.privateKey)),
      'The token has the header parameter `jwk`, which is not accepted.',
    ],
    [
      'the address of its own keys',
      () => forgeToken({ ...header, jku: 'https://evil.test/jwks' }, claims, ecSigner(attacker.privateKey)),
      'The token has the header parameter `jku`, which is not accepted.',
    ],
    [
      'the address of its own certificate',
      () => forgeToken({ ...header, x5u: 'https://evil.test/cert' }, claims, ecSigner(attacker.privateKey)),
      'The token has the header parameter `x5u`, which is not accepted.',
    ],
    [
      'its own certificate',
      () =>
        forgeToken(
          { ...header, x5c: [Buffer.from('evil').toString('base64')] },
          claims,
          ecSigner(attacker.privateKey),
        ),
      WRONG_SIGNATURE,
    ],
    [
      'an unknown extension, signed',
      () => forgeToken({ ...header, crit: ['vault'], vault: 1 }, claims, ecSigner(login.privateKey)),
      'The token has the header parameter `crit`, which is not accepted.',
    ],
    [
      'an unencoded payload, signed',
      () => forgeToken({ ...header, crit: ['b64'], b64: false }, claims, ecSigner(login.privateKey)),
      'The token has the header parameter `crit`, which is not accepted.',
    ],
    ['no issuer', () => login.sign({ iss: undefined }), 'The token has no issuer (`iss` claim).'],
    ['an issuer of null', () => login.sign({ iss: null }), UNTRUSTED],
    [
      'a list of issuers',
      () => forgeToken(header, { ...claims, iss: ['https://login.test/'] }, ecSigner(login.privateKey)),
      UNTRUSTED,
    ],
    ['an issuer without its slash', () => login.sign({ iss: 'https://login.test' }), UNTRUSTED],
    ['an issuer in other case', () => login.sign({ iss: 'https://LOGIN.test/' }), UNTRUSTED],
    ['an issuer with a suffix', () => login.sign({ iss: 'https://login.test/evil' }), UNTRUSTED],
    ['an issuer with a space', () => login.sign({ iss: 'https://login.test/ ' }), UNTRUSTED],
    ['an empty issuer', () => login.sign({ iss: '' }), UNTRUSTED],
    ['an issuer that objects inherit', () => login.sign({ iss: '__proto__' }), UNTRUSTED],
  ])('is rejected with %s', async (_, forge, detail) => {
    expect(await rejectionOfToken(verifierOf(login.config), await forge())).toStrictEqual(
      invalidToken(detail),
    );
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no expiry', { exp: undefined }, 'The token has no expiry time (`exp` claim).'],
    ['an expiry 30 s ago', { exp: nowSeconds - 30 }, 'The token expired at 2026-11-23T09:59:30Z.'],
    [
      'a start in a minute',
      { nbf: nowSeconds + 60 },
      'The token is not valid before 2026-11-23T10:01:00Z (`nbf` claim).',
    ],
    [
      'an issue time in a minute',
      { iat: nowSeconds + 60 },
      'The token was issued in the future, at 2026-11-23T10:01:00Z (`iat` claim).',
    ],
    ['no audience', { aud: undefined }, 'The token has no audience (`aud` claim).'],
    [
      'another audience',
      { aud: ['billing'] },
      'The token is for another audience: its `aud` claim must contain uploads.',
    ],
    ['no subject', { sub: undefined }, 'The token has no subject (`sub` claim).'],
    [
      'an empty subject',
      { sub: '' },
      "The token's subject (`sub` claim) must be a string of 1 to 255 characters.",
    ],
    [
      'a subject with a line break',
      { sub: 'a\r\nb' },
      "The token's subject (`sub` claim) contains a control character or malformed Unicode.",
    ],
  ])('signed with the right key is rejected with %s', async (_, change, detail) => {
    const wrong = forgeToken(header, { ...claims, ...change }, ecSigner(login.privateKey));

    expect(await rejectionOfToken(verifierOf(login.config), wrong)).toStrictEqual(invalidToken(detail));
  });

  // JSON has no infinity, but JSON.parse reads 1e400 as infinity: such a token would never expire.
  it('is rejected with an expiry of 1e400', async () => {
    const json = JSON.stringify(claims).replace(`"exp":${nowSeconds + 600}`, '"exp":1e400');

    expect(
      await rejectionOfToken(verifierOf(login.config), forgeToken(header, json, ecSigner(login.privateKey))),
    ).toStrictEqual(invalidToken("The token's `exp` claim is not a time in seconds since 1970."));
  });

  it('is rejected if any single character is changed', async () => {
    const verifier = verifierOf(login.config);
    const changed = [...token].flatMap((character, index) =>
      character === '.'
        ? []
        : [token.slice(0, index) + (character === 'A' ? 'B' : 'A') + token.slice(index + 1)],
    );

    const codes = await Promise.all(changed.map(async (one) => (await rejectionOfToken(verifier, one)).code));

    expect(codes).toStrictEqual(changed.map(() => 'unauthenticated'));
  });

  it('gets no error about its claims before its signature is verified', async () => {
    const expired = await attacker.sign({ exp: 0, aud: 'billing', sub: '' });

    expect(await rejectionOfToken(verifierOf(login.config), expired)).toStrictEqual(
      invalidToken(WRONG_SIGNATURE),
    );
  });
});

describe('a token signed with a shared secret', () => {
  const secret = Buffer.alloc(32, 's');
  const claims = defaultClaims('internal');
  const pinned = "The token's algorithm (`alg` header) must be HS256.";

  it.each<[string, string, string]>([
    [
      'another secret',
      forgeToken({ alg: 'HS256' }, claims, hmacSigner(Buffer.alloc(32, 'x'))),
      WRONG_SIGNATURE,
    ],
    ['no secret', forgeToken({ alg: 'HS256' }, claims, hmacSigner('')), WRONG_SIGNATURE],
    [
      'half a signature',
      forgeToken({ alg: 'HS256' }, claims, (i) => hmacSigner(secret)(i).subarray(16)),
      WRONG_SIGNATURE,
    ],
    ['a longer hash', forgeToken({ alg: 'HS512' }, claims, hmacSigner(secret, 'sha512')), pinned],
    ['the algorithm none', forgeToken({ alg: 'none' }, claims, () => ''), pinned],
    ['an asymmetric algorithm', forgeToken({ alg: 'RS256' }, claims, hmacSigner(secret)), pinned],
  ])('is rejected with %s', async (_, token, detail) => {
    expect(await rejectionOfToken(verifierOf(sharedSecret(secret)), token)).toStrictEqual(
      invalidToken(detail),
    );
  });
});
