import { createHmac, createPublicKey, generateKeyPairSync, hkdfSync, sign, verify } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import type { ServiceKeys } from '../../src/grants/ports/service-keys.ts';
import { MAX_SERVICE_KEYS, parseServiceKeys } from '../../src/service-keys/parse-service-keys.ts';
import { rsaPair } from '../support/rsa-pairs.ts';
import { newPrivateJwk } from '../support/service-keys.ts';

const jwk = newPrivateJwk();
const other = newPrivateJwk();

function keysOf(set: unknown): ServiceKeys {
  const parsed = parseServiceKeys(JSON.stringify(set));
  if ('faults' in parsed) throw new Error(parsed.faults.join('\n'));
  return parsed.keys;
}

function faultsOf(text: string): readonly string[] {
  const parsed = parseServiceKeys(text);
  return 'faults' in parsed ? parsed.faults : [];
}

const faultsOfKey = (key: unknown) => faultsOf(JSON.stringify({ keys: [key] }));

describe('a set of keys', () => {
  it('signs with the first key, and finds each one by its kid', () => {
    const keys = keysOf({
      keys: [
        { ...jwk, kid: 'new' },
        { ...other, kid: 'old' },
      ],
    });
    expect(keys.signing.kid).toBe('new');
    expect(keys.find('new')).toBe(keys.signing);
    expect(keys.find('old')?.kid).toBe('old');
    for (const kid of ['', 'New', 'constructor', '__proto__', 'x'.repeat(100_000)])
      expect(keys.find(kid)).toBeUndefined();
  });

  it('publishes exactly the public members, in the order of the file', () => {
    const keys = keysOf({
      keys: [
        { ...jwk, kid: 'new', use: 'sig', alg: 'ES256', key_ops: ['sign', 'verify'], note: 'private' },
        { ...other, kid: 'old' },
      ],
      note: 'private',
    });
    expect(keys.jwks).toStrictEqual({
      keys: [
        { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y, kid: 'new', use: 'sig', alg: 'ES256' },
        { kty: 'EC', crv: 'P-256', x: other.x, y: other.y, kid: 'old', use: 'sig', alg: 'ES256' },
      ],
    });
  });

  it('signs receipts with the private key of the published one', () => {
    const { signing, jwks } = keysOf({ keys: [{ ...jwk, kid: 'a' }] });
    const signature = sign('sha256', Buffer.from('text'), signing.receiptKey);
    const published = createPublicKey({ key: { ...jwks.keys[0] }, format: 'jwk' });
    expect(verify('sha256', Buffer.from('text'), published, signature)).toBe(true);
  });

  it('derives two different HMAC secrets by HKDF, the same in each process', () => {
    const { signing } = keysOf({ keys: [{ ...jwk, kid: 'a' }] });
    const scalar = Buffer.from(jwk.d, 'base64url');
    for (const [mac, info] of [
      [signing.uploadIdMac, 'oss-presign upload id v1'],
      [signing.idempotencyMac, 'oss-presign idempotency key v1'],
    ] as const) {
      const secret = Buffer.from(hkdfSync('sha256', scalar, '', info, 32));
      // Short texts after long ones, so that nothing of a text remains for the next one.
      for (const text of [
        'é'.repeat(5000),
        'x'.repeat(4097),
        '語'.repeat(1365),
        'abc',
        '',
        '\0',
        'x'.repeat(1365),
      ])
        expect(mac(text)).toBe(createHmac('sha256', secret).update(text).digest('base64url'));
    }
    expect(signing.uploadIdMac('x')).not.toBe(signing.idempotencyMac('x'));
  });

  it('accepts a thumbprint, 64 characters, and every visible ASCII character as kid', async () => {
    const visible = String.fromCharCode(...Array.from({ length: 64 }, (_, index) => 33 + index));
    for (const kid of [await calculateJwkThumbprint(jwk), 'k'.repeat(64), visible, '~', '2026-11'])
      expect(keysOf({ keys: [{ ...jwk, kid }] }).signing.kid).toBe(kid);
  });

  it('accepts 16 keys and no more', () => {
    const set = Array.from({ length: MAX_SERVICE_KEYS }, (_, index) => ({
      ...newPrivateJwk(),
      kid: `${index}`,
    }));
    expect(keysOf({ keys: set }).jwks.keys).toHaveLength(MAX_SERVICE_KEYS);
    expect(faultsOf(JSON.stringify({ keys: [...set, { ...newPrivateJwk(), kid: 'more' }] }))).toStrictEqual([
      `holds ${MAX_SERVICE_KEYS + 1} keys; at most ${MAX_SERVICE_KEYS} are allowed, so remove those that no upload id needs`,
    ]);
  });
});

describe('a file that is no set of keys', () => {
  it.each([
    ['nothing', '', 'is not JSON; create it with oss-presign keygen'],
    ['PEM', '-----BEGIN PRIVATE KEY-----\nMIG…', 'is not JSON; create it with oss-presign keygen'],
    ['JSON that ends early', '{"keys": [', 'is not JSON; create it with oss-presign keygen'],
    ['a list', '[]', 'must be a JWK set, {"keys": […]}; create it with oss-presign keygen'],
    ['null', 'null', 'must be a JWK set, {"keys": […]}; create it with oss-presign keygen'],
    ['a text', '"secret"', 'must be a JWK set, {"keys": […]}; create it with oss-presign keygen'],
    ['another object', '{}', 'must be a JWK set, {"keys": […]}; create it with oss-presign keygen'],
    [
      'keys that are no list',
      '{"keys": {}}',
      'must be a JWK set, {"keys": […]}; create it with oss-presign keygen',
    ],
    ['no keys', '{"keys": []}', 'holds no key; create it with oss-presign keygen'],
    [
      'one key alone',
      JSON.stringify({ ...jwk, kid: 'a' }),
      'is a single key; write it into a JWK set, {"keys": […]}',
    ],
    ['more than 64 KiB', ' '.repeat(65_537), 'is larger than 64 KiB'],
  ])('%s', (_name, text, fault) => {
    expect(faultsOf(text)).toStrictEqual([fault]);
  });
});

const rsa = rsaPair('first').privateKey.export({ format: 'jwk' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'jwk' });
const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey.export({ format: 'jwk' });
const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
const { d: _, ...publicJwk } = jwk;
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
/** The same bytes with other trailing bits: 43 characters have two bits too many. */
const otherSpelling = (text: string) =>
  `${text.slice(0, -1)}${String.fromCharCode(text.charCodeAt(text.length - 1) + 1)}`;

const NOT_P256 = 'must be a key of the curve P-256 ("kty": "EC", "crv": "P-256")';
const NOT_SCALARS = 'keys[0] must have x, y and d, each as base64url of 32 bytes, without "="';
const DAMAGED = 'keys[0] is damaged: x and y are not the public key of d';

describe('a key that cannot be used', () => {
  it.each([
    ['no object', 'key', 'keys[0] must be a JWK, which is an object'],
    ['RSA', { ...rsa, kid: 'a' }, `keys[0] ${NOT_P256}; RSA and other kinds cannot be used`],
    ['Ed25519', { ...ed25519, kid: 'a' }, `keys[0] ${NOT_P256}; RSA and other kinds cannot be used`],
    ['P-384', { ...p384, kid: 'a' }, `keys[0] ${NOT_P256}; other curves cannot be used`],
    ['secp256k1', { ...k1, kid: 'a' }, `keys[0] ${NOT_P256}; other curves cannot be used`],
    [
      'a secret',
      { kty: 'oct', k: 'c2VjcmV0', kid: 'a' },
      `keys[0] ${NOT_P256}; RSA and other kinds cannot be used`,
    ],
    [
      'a public key',
      { ...publicJwk, kid: 'a' },
      'keys[0] has no private key (d); /.well-known/jwks.json has public keys, which cannot sign',
    ],
    ['no kid', jwk, 'keys[0].kid is missing; give each key another one'],
    ['an empty kid', { ...jwk, kid: '' }, 'keys[0].kid is missing; give each key another one'],
    ['a number as kid', { ...jwk, kid: 1 }, 'keys[0].kid is missing; give each key another one'],
    ['a long kid', { ...jwk, kid: 'k'.repeat(65) }, 'keys[0].kid must have at most 64 characters'],
    ['a blank in kid', { ...jwk, kid: 'a b' }, 'keys[0].kid must be ASCII without blanks'],
    ['a kid that is not ASCII', { ...jwk, kid: 'clé' }, 'keys[0].kid must be ASCII without blanks'],
    ['a line break in kid', { ...jwk, kid: 'a\n' }, 'keys[0].kid must be ASCII without blanks'],
    ['use enc', { ...jwk, kid: 'a', use: 'enc' }, 'keys[0].use must be "sig", or left out'],
    ['use null', { ...jwk, kid: 'a', use: null }, 'keys[0].use must be "sig", or left out'],
    ['alg ES384', { ...jwk, kid: 'a', alg: 'ES384' }, 'keys[0].alg must be "ES256", or left out'],
    ['alg ECDH-ES', { ...jwk, kid: 'a', alg: 'ECDH-ES' }, 'keys[0].alg must be "ES256", or left out'],
    [
      'key_ops verify',
      { ...jwk, kid: 'a', key_ops: ['verify'] },
      'keys[0].key_ops must be a list with "sign", or left out',
    ],
    [
      'key_ops as text',
      { ...jwk, kid: 'a', key_ops: 'sign' },
      'keys[0].key_ops must be a list with "sign", or left out',
    ],
    ['no x', { ...jwk, kid: 'a', x: undefined }, NOT_SCALARS],
    ['padding', { ...jwk, kid: 'a', d: `${jwk.d}=` }, NOT_SCALARS],
    ['31 bytes', { ...jwk, kid: 'a', d: base64url(new Uint8Array(31).fill(1)) }, NOT_SCALARS],
    ['33 bytes', { ...jwk, kid: 'a', d: base64url(new Uint8Array(33).fill(1)) }, NOT_SCALARS],
    ['a huge d', { ...jwk, kid: 'a', d: 'A'.repeat(60_000) }, NOT_SCALARS],
    ['another spelling of d', { ...jwk, kid: 'a', d: otherSpelling(jwk.d) }, NOT_SCALARS],
    ['another spelling of x', { ...jwk, kid: 'a', x: otherSpelling(jwk.x) }, NOT_SCALARS],
    ['d = 0', { ...jwk, kid: 'a', d: base64url(new Uint8Array(32)) }, DAMAGED],
    ['d = the order of the curve', { ...jwk, kid: 'a', d: base64url(ORDER) }, DAMAGED],
    ['d of another key', { ...jwk, kid: 'a', d: other.d }, DAMAGED],
    ['y of another key, which is no point', { ...jwk, kid: 'a', y: other.y }, DAMAGED],
    ['x and y exchanged', { ...jwk, kid: 'a', x: jwk.y, y: jwk.x }, DAMAGED],
  ])('%s', (_name, key, fault) => {
    expect(faultsOfKey(key)).toStrictEqual([fault]);
  });

  it('reports every fault of every key', () => {
    const set = { keys: [{ ...jwk, use: 'enc' }, { ...jwk, kid: 'a' }, { ...other, kid: 'a' }, rsa] };
    expect(faultsOf(JSON.stringify(set))).toStrictEqual([
      'keys[0].kid is missing; give each key another one',
      'keys[0].use must be "sig", or left out',
      'keys[3].kid is missing; give each key another one',
      `keys[3] ${NOT_P256}; RSA and other kinds cannot be used`,
      'keys[2].kid is that of keys[1]; give each key another one',
      'keys[1] is the same key as keys[0]; remove one of them',
    ]);
  });

  it('shows no part of any member in a fault', () => {
    const secret = 'TOPSECRET';
    const members = ['kty', 'crv', 'x', 'y', 'd', 'kid', 'use', 'alg', 'key_ops'];
    const texts = [
      ...members.map((member) => JSON.stringify({ keys: [{ ...jwk, kid: 'a', [member]: `${secret} ` }] })),
      ...members.map((member) => JSON.stringify({ keys: [{ ...jwk, kid: 'a', [member]: { [secret]: 1 } }] })),
      `{"keys": [{"d": "${secret}"`,
      `{"keys": [${secret}]}`,
      secret,
      JSON.stringify({ keys: secret }),
      JSON.stringify([secret]),
    ];
    for (const text of texts) {
      const faults = faultsOf(text);
      expect(faults.length, text).toBeGreaterThan(0);
      for (const part of [secret, jwk.d, jwk.x, jwk.y]) expect(faults.join(), text).not.toContain(part);
    }
  });
});
