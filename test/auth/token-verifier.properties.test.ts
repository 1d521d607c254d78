import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import fc from 'fast-check';
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import type { Caller } from '../../src/auth/caller.ts';
import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { ServiceError } from '../../src/errors.ts';
import { now } from '../support/fixed-clock.ts';
import { hmacSigner, segment } from '../support/forge-token.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { rsaPair } from '../support/rsa-pairs.ts';
import { nowSeconds } from '../support/tokens.ts';
import { verifierOf } from './offline-verifier.ts';

/** A fixed seed, so that a failure can be reproduced. */
const SEED = 20_261_123;

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
type Bytes = Uint8Array;

const ecPair = (namedCurve: string): Pair => generateKeyPairSync('ec', { namedCurve });
const edPair = (): Pair => generateKeyPairSync('ed25519');

const PKCS1 = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512' } as const;
const PSS = { PS256: 'sha256', PS384: 'sha384', PS512: 'sha512' } as const;
const ECDSA = { ES256: 'sha256', ES384: 'sha384', ES512: 'sha512' } as const;
const ASYMMETRIC = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
];
type Algorithm = (typeof ASYMMETRIC)[number] | 'HS256';

/**
 * Signs with an algorithm (RFC 7518 3) and a key of any type. If they do not fit, the signature is
 * zeros.
 */
function signAs(algorithm: Algorithm, key: KeyObject, input: string): Bytes {
  const data = Buffer.from(input);
  const hash = { ...PKCS1, ...PSS, ...ECDSA, EdDSA: null, Ed25519: null, HS256: 'sha256' }[algorithm];
  try {
    if (algorithm in PSS) {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return sign(hash, data, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
    }
    return algorithm in ECDSA ? sign(hash, data, { key, dsaEncoding: 'ieee-p1363' }) : sign(hash, data, key);
  } catch {
    return new Uint8Array(64);
  }
}

/** One issuer with a key for each algorithm. The key IDs are the same for every issuer. */
function createIssuer(issuer: string, rsaName: string) {
  const rsa = rsaPair(rsaName);
  const pairs: Readonly<Record<(typeof ASYMMETRIC)[number], Pair>> = {
    RS256: rsa,
    RS384: rsa,
    RS512: rsaPair(`${rsaName}, of RS512`),
    PS256: rsaPair(`${rsaName}, of PS256`),
    PS384: rsa,
    PS512: rsa,
    ES256: ecPair('P-256'),
    ES384: ecPair('P-384'),
    ES512: ecPair('P-521'),
    EdDSA: edPair(),
    Ed25519: edPair(),
  };
  const keys = ASYMMETRIC.map((algorithm) => ({
    ...pairs[algorithm].publicKey.export({ format: 'jwk' }),
    kid: `key-${algorithm}`,
    // Some issuers omit `alg`, so that one key fits several algorithms.
    ...(['RS256', 'EdDSA'].includes(algorithm) ? {} : { alg: algorithm }),
    use: 'sig',
  }));
  const config: IssuerConfig = {
    issuer,
    audience: ['uploads', 'files'],
    algorithms: [...ASYMMETRIC],
    keys: { kind: 'jwks', jwks: { keys } },
  };
  return { config, pairs, keys };
}

const SECRET = Buffer.from('a secret that cannot be guessed: 0123456');
const published = [
  createIssuer('https://one.test/', 'first'),
  createIssuer('https://two.test/', 'second'),
] as const;
const internal: IssuerConfig = {
  issuer: 'internal',
  audience: 'uploads',
  algorithms: ['HS256'],
  secret: SECRET,
};
const configs = [...published.map(({ config }) => config), internal];

/** The parts of a token before it is rendered. Each mutation changes them in place. */
type Draft = {
  issuerIndex: 0 | 1;
  algorithm: Algorithm;
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  /** Change the JSON texts of header and claims. */
  headerJson: (json: string) => string | Bytes;
  claimsJson: (json: string) => string | Bytes;
  sign: (input: string) => Bytes;
  signature: (signature: Bytes) => Bytes;
  text: (token: string) => string;
};

function validDraft(issuerIndex: 0 | 1, algorithm: Algorithm): Draft {
  const { config, pairs } = published[issuerIndex];
  const same = <T>(value: T) => value;
  return {
    issuerIndex,
    algorithm,
    header: { alg: algorithm, kid: `key-${algorithm}`, typ: 'JWT' },
    claims: {
      iss: algorithm === 'HS256' ? 'internal' : config.issuer,
      aud: 'uploads',
      sub: 'alice',
      scope: 'uploads:write',
      iat: nowSeconds - 5,
      nbf: nowSeconds - 5,
      exp: nowSeconds + 600,
    },
    headerJson: same,
    claimsJson: same,
    sign:
      algorithm === 'HS256'
        ? hmacSigner(SECRET)
        : (input) => signAs(algorithm, pairs[algorithm].privateKey, input),
    signature: same,
    text: same,
  };
}

function render(draft: Draft): string {
  const head = segment(draft.headerJson(JSON.stringify(draft.header)));
  const body = segment(draft.claimsJson(JSON.stringify(draft.claims)));
  const input = `${head}.${body}`;
  return draft.text(`${input}.${segment(draft.signature(draft.sign(input)))}`);
}

type Mutation = (draft: Draft) => void;
const all: readonly Algorithm[] = [...ASYMMETRIC, 'HS256'];
const anyAlgorithm = fc.constantFrom(...all);

const publicKeyForms: readonly ((draft: Draft) => string | Bytes)[] = [
  (draft) => publicKeyOf(draft).export({ type: 'spki', format: 'pem' }),
  (draft) => String(publicKeyOf(draft).export({ type: 'spki', format: 'pem' })).trim(),
  (draft) => publicKeyOf(draft).export({ type: 'spki', format: 'der' }),
  (draft) => JSON.stringify(publicKeyOf(draft).export({ format: 'jwk' })),
  (draft) => JSON.stringify(published[draft.issuerIndex].keys[0]),
  () => '',
];

function publicKeyOf({ issuerIndex, algorithm }: Draft): KeyObject {
  const { pairs } = published[issuerIndex];
  return createPublicKey(pairs[algorithm === 'HS256' ? 'RS256' : algorithm].privateKey);
}

const times = fc.oneof(
  fc.constantFrom<unknown>(
    ...[undefined, null, '', '1e9', true, [], {}, 0, -1, 1e15, 8.64e12, 8.65e12, 1.5],
    ...[-31, -30.5, -30, -29, -1, 0, 1, 29, 30, 30.5, 31].map((offset) => nowSeconds + offset),
  ),
);
const identifiers = fc.constantFrom<unknown>(
  ...[
    undefined,
    null,
    '',
    'key-ES256',
    'key-RS256',
    'key-none',
    'KEY-ES256',
    1,
    [],
    '__proto__',
    'constructor',
  ],
);
const controls = fc.constantFrom(
  '\u0000',
  '\n',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ud800',
  'é',
  '\u202e',
);

/** One change of a valid token. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  // Header.
  fc.constantFrom<unknown>(undefined, null, '', 'none', 'None', 'HS512', 'es256', 'constructor', ...all).map(
    (alg): Mutation =>
      (draft) => {
        draft.header.alg = alg;
      },
  ),
  identifiers.map(
    (kid): Mutation =>
      (draft) => {
        draft.header.kid = kid;
      },
  ),
  fc
    .constantFrom<unknown>(
      ...[undefined, null, '', 'jwt', 'at+jwt', 'application/at+jwt', 'dpop+jwt', 'logout+jwt', 1, ['JWT']],
    )
    .map(
      (typ): Mutation =>
        (draft) => {
          draft.header.typ = typ;
        },
    ),
  fc
    .constantFrom<readonly [string, unknown]>(
      ['jku', 'https://evil.test/jwks'],
      ['x5u', 'https://evil.test/cert'],
      ['jwk', published[1].keys[0]],
      ['crit', ['exp']],
      ['crit', []],
      ['b64', false],
      ['b64', true],
      ['cty', 'JWT'],
      ['zip', 'DEF'],
      ['x5c', ['AA==']],
    )
    .map(
      ([name, value]): Mutation =>
        (draft) => {
          draft.header[name] = value;
        },
    ),
  // Claims.
  fc
    .constantFrom<unknown>(
      ...[
        undefined,
        null,
        '',
        'internal',
        'https://one.test/',
        'https://two.test/',
        'https://one.test',
        ['internal'],
      ],
    )
    .map(
      (iss): Mutation =>
        (draft) => {
          draft.claims.iss = iss;
        },
    ),
  fc
    .constantFrom<unknown>(
      ...[undefined, null, '', 'files', 'billing', ['uploads'], ['billing', 'files'], [], [['uploads']]],
      ...[['uploads', 1], { uploads: true }, 1, 'uploads '],
    )
    .map(
      (aud): Mutation =>
        (draft) => {
          draft.claims.aud = aud;
        },
    ),
  fc
    .constantFrom<unknown>(undefined, null, '', 1, ['alice'], 'a'.repeat(255), 'a'.repeat(256), '__proto__')
    .map(
      (sub): Mutation =>
        (draft) => {
          draft.claims.sub = sub;
        },
    ),
  controls.map(
    (character): Mutation =>
      (draft) => {
        draft.claims.sub = `a${character}b`;
      },
  ),
  fc.tuple(fc.constantFrom('exp', 'nbf', 'iat'), times).map(
    ([name, value]): Mutation =>
      (draft) => {
        draft.claims[name] = value;
      },
  ),
  // The JSON text: duplicate members, a byte order mark, numbers that are too large, bytes that are
  // not UTF-8, deep nesting.
  fc
    .constantFrom(
      ...[
        '"sub":"root"',
        '"sub":""',
        '"exp":1e400',
        '"exp":0',
        '"aud":"billing"',
        '"iss":"https://two.test/"',
        '"__proto__":{"sub":"root"}',
      ],
      `"deep":${'['.repeat(500)}${']'.repeat(500)}`,
    )
    .map(
      (member): Mutation =>
        (draft) => {
          draft.claimsJson = (json) => `${json.slice(0, -1)},${member}}`;
        },
    ),
  fc.constantFrom('"alg":"none"', '"alg":"HS256"', '"kid":"key-ES384"').map(
    (member): Mutation =>
      (draft) => {
        draft.headerJson = (json) => `${json.slice(0, -1)},${member}}`;
      },
  ),
  fc.tuple(fc.constantFrom<'headerJson' | 'claimsJson'>('headerJson', 'claimsJson'), fc.nat(4)).map(
    ([part, kind]): Mutation =>
      (draft) => {
        draft[part] = (json) =>
          [
            `\ufeff${json}`,
            ` ${json}\n`,
            `[${json}]`,
            Buffer.concat([Buffer.from(json.slice(0, -2)), Buffer.from([0xe9]), Buffer.from('"}')]),
            Buffer.from(json, 'utf16le'),
          ][kind] ?? json;
      },
  ),
  // The signing key and the algorithm.
  anyAlgorithm.map(
    (algorithm): Mutation =>
      (draft) => {
        draft.sign = (input) =>
          algorithm === 'HS256'
            ? hmacSigner(SECRET)(input)
            : signAs(algorithm, published[draft.issuerIndex].pairs[algorithm].privateKey, input);
      },
  ),
  fc.constant<Mutation>((draft) => {
    const other = published[draft.issuerIndex === 0 ? 1 : 0].pairs;
    draft.sign = (input) =>
      draft.algorithm === 'HS256'
        ? hmacSigner('another secret that is as long: 0123456')(input)
        : signAs(draft.algorithm, other[draft.algorithm].privateKey, input);
  }),
  // Key confusion: the public key as the secret.
  fc.tuple(fc.constantFrom(...publicKeyForms), fc.boolean()).map(
    ([form, declaresHmac]): Mutation =>
      (draft) => {
        const secret = form(draft);
        draft.sign = hmacSigner(secret);
        if (declaresHmac) draft.header.alg = 'HS256';
      },
  ),
  // The signature's bytes.
  fc
    .constantFrom<(signature: Bytes) => Bytes>(
      () => new Uint8Array(0),
      (signature) => new Uint8Array(signature.length),
      (signature) => signature.subarray(1),
      (signature) => Buffer.concat([signature, Buffer.alloc(1)]),
      (signature) => Buffer.concat([Buffer.alloc(1), signature]),
      (signature) =>
        Buffer.concat([
          signature.subarray(signature.length / 2),
          signature.subarray(0, signature.length / 2),
        ]),
      (signature) => Buffer.concat([signature, signature]),
      (signature) => Buffer.concat([Buffer.from([0x30, signature.length]), signature]),
      (signature) => Buffer.from(signature).reverse(),
      (signature) => addToHalf(signature, P256_ORDER),
      (signature) => addToHalf(signature, ED25519_ORDER),
    )
    .map(
      (change): Mutation =>
        (draft) => {
          draft.signature = change;
        },
    ),
  fc.nat().map(
    (position): Mutation =>
      (draft) => {
        draft.signature = (signature) => {
          const changed = Buffer.from(signature);
          const bit = position % Math.max(1, changed.length * 8);
          changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          return changed;
        };
      },
  ),
  // The text.
  fc.tuple(fc.nat(), fc.constantFrom('A', '_', '=', '.', ' ', '\n', '+', '/', 'é', '')).map(
    ([position, character]): Mutation =>
      (draft) => {
        draft.text = (token) => {
          const at = position % token.length;
          return token.slice(0, at) + character + token.slice(at + 1);
        };
      },
  ),
  fc
    .constantFrom<(token: string) => string>(
      (token) => `${token}=`,
      (token) => ` ${token}`,
      (token) => `${token}.`,
      (token) => token.split('.').slice(0, 2).join('.'),
      (token) => `${token.split('.').slice(0, 2).join('.')}.`,
      (token) => token.split('.').reverse().join('.'),
      (token) => token.toUpperCase(),
      (token) => nextLastCharacter(token),
    )
    .map(
      (change): Mutation =>
        (draft) => {
          draft.text = change;
        },
    ),
);

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** Little endian in a signature (RFC 8032 5.1.6). */
const ED25519_ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;

/**
 * Adds the order of the group to the second half: the same signature for a verifier that does not
 * check the range.
 */
function addToHalf(signature: Bytes, order: bigint): Bytes {
  const half = signature.length / 2;
  if (half !== 32) return signature;
  const isLittleEndian = order === ED25519_ORDER;
  const bytes = Buffer.from(signature.subarray(half));
  if (isLittleEndian) bytes.reverse();
  const sum = (BigInt(`0x${bytes.toString('hex')}`) + order) & ((1n << 256n) - 1n);
  const changed = Buffer.from(sum.toString(16).padStart(64, '0'), 'hex');
  if (isLittleEndian) changed.reverse();
  return Buffer.concat([signature.subarray(0, half), changed]);
}

/** Changes the last character: a decoder that ignores unused bits may read the same bytes. */
function nextLastCharacter(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1) ?? '');
  return token.slice(0, -1) + (alphabet[(last + 1) % 64] ?? '');
}

/** Verifies with jose, for the same issuer; returns undefined if jose rejects the token. */
async function verifyByJose(token: string): Promise<JWTPayload | undefined> {
  try {
    const config = configs.find(({ issuer }) => issuer === decodeJwt(token).iss);
    if (!config) return undefined;
    const options = {
      issuer: config.issuer,
      audience: [config.audience].flat(),
      algorithms: [...config.algorithms],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: 30,
      currentDate: now,
    };
    if (config.keys?.kind !== 'jwks') return (await jwtVerify(token, SECRET, options)).payload;
    try {
      const keySet = createLocalJWKSet(config.keys.jwks as JSONWebKeySet);
      return (await jwtVerify(token, keySet, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      for await (const key of error) {
        const payload = await jwtVerify(token, key, options).then(
          (verified) => verified.payload,
          () => undefined,
        );
        if (payload) return payload;
      }
      return undefined;
    }
  } catch {
    return undefined;
  }
}

/** The error details of the rules in which the service is stricter than jose. */
const STRICTER_RULES = [
  /^The token has the header parameter `(jku|x5u|jwk|crit|b64|cty)`, which is not accepted\.$/,
  /^The token has the wrong type \(`typ` header\)/,
  /^The token is not a JWT: a part is not base64url\.$/,
  /^The token's key ID \(`kid` header\) is not a string/,
  /^The token's subject \(`sub` claim\) (must be a string of|contains a control character)/,
  /^The token's audience \(`aud` claim\) is neither a string nor a list of strings\.$/,
  /^The token's `(exp|nbf|iat)` claim is not a time in seconds since 1970\.$/,
  /^The token was issued in the future/,
];

async function outcomeOf(verify: () => Caller | Promise<Caller>): Promise<Caller | string> {
  try {
    return await verify();
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'unauthenticated') throw error;
    return error.detail;
  }
}

const verifier = verifierOf(...configs);

it('accepts no token that jose rejects, and has a documented rule for each additional rejection', async () => {
  const counts = { accepted: 0, stricter: 0, rejected: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<0 | 1>(0, 1),
      anyAlgorithm,
      fc.array(mutation, { minLength: 0, maxLength: 3 }),
      async (issuerIndex, algorithm, mutations) => {
        const draft = validDraft(issuerIndex, algorithm);
        for (const mutate of mutations) mutate(draft);
        const token = render(draft);

        const outcome = await outcomeOf(() => verifier.verify(token));
        const payload = await verifyByJose(token);

        if (typeof outcome !== 'string') {
          counts.accepted++;
          expect(payload, 'jose rejects this token').toBeDefined();
          expect({ iss: outcome.issuer, sub: outcome.subject }).toStrictEqual({
            iss: payload?.iss,
            sub: payload?.sub,
          });
          for (const [name, value] of Object.entries(outcome.claims))
            expect(value).toStrictEqual(payload?.[name]);
        } else if (payload) {
          counts.stricter++;
          expect(
            STRICTER_RULES.some((rule) => rule.test(outcome)),
            outcome,
          ).toBe(true);
        } else counts.rejected++;
        // The second verification may use the cache.
        expect(await outcomeOf(() => verifier.verify(token))).toStrictEqual(outcome);
      },
    ),
    { seed: SEED, numRuns: propertyRuns(5_000) },
  );
  // The comparison is only useful if all three outcomes occur.
  expect(counts.accepted).toBeGreaterThan(propertyRuns(500));
  expect(counts.stricter).toBeGreaterThan(0);
  expect(counts.rejected).toBeGreaterThan(propertyRuns(1_000));
});
