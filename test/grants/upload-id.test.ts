import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Mac } from '../../src/grants/ports/service-keys.ts';
import {
  type GrantedUpload,
  MAX_UPLOAD_ID_LENGTH,
  openUploadId,
  sealUploadId,
} from '../../src/grants/upload-id.ts';
import { toServiceKeys } from '../../src/service-keys/parse-service-keys.ts';
import { newPrivateJwk, serviceKeysOf } from '../support/service-keys.ts';

const GRANTED: GrantedUpload = {
  grantId: '019ab000-0000-7000-8000-000000000001',
  transfer: 'put',
  rule: 'own-files',
  target: 'media',
  bucket: 'acme-media',
  region: 'cn-hangzhou',
  key: 'users/alice/photo.png',
  isMarked: true,
  contentLength: { min: 48_213, max: 48_213 },
  contentType: 'image/png',
  contentMd5: undefined,
  attributes: { metadata: '', cacheControl: '', contentDisposition: '', contentEncoding: '', expires: '' },
  multipart: undefined,
  caller: { issuer: 'https://login.test/', subject: 'alice' },
  issuedAt: 1_795_000_000,
  expiresAt: 1_795_090_000,
};

/** The longest grant that policy and request allow, with texts of the most bytes. */
const LONGEST: GrantedUpload = {
  ...GRANTED,
  rule: 'r'.repeat(64),
  target: 't'.repeat(64),
  bucket: 'b'.repeat(63),
  region: 'c'.repeat(63),
  key: '"'.repeat(1023),
  contentLength: { min: 2 ** 46, max: 2 ** 46 },
  contentType: 'x'.repeat(255),
  contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==',
  attributes: {
    metadata: 'm'.repeat(32),
    cacheControl: 'a'.repeat(16),
    contentDisposition: 'b'.repeat(16),
    contentEncoding: 'c'.repeat(16),
    expires: 'd'.repeat(16),
  },
  caller: { issuer: '語'.repeat(85), subject: '\0'.repeat(255) },
};

const MULTIPART: GrantedUpload = {
  ...GRANTED,
  transfer: 'multipart',
  contentLength: { min: 6 * 1024 ** 3, max: 6 * 1024 ** 3 },
  multipart: { uploadId: '0004B9894A22E5B1888A1E29F8236E2D', partSize: 8 * 1024 ** 2, overwrite: false },
};

/** The longest multipart upload. OSS's upload IDs have 32 characters. */
const LONGEST_MULTIPART: GrantedUpload = {
  ...LONGEST,
  ...{ transfer: 'multipart', contentMd5: undefined },
  multipart: { uploadId: 'F'.repeat(32), partSize: 5 * 1024 ** 3, overwrite: true },
};

describe('sealing', () => {
  const keys = serviceKeysOf('k'.repeat(64));

  it('needs at most 3 KiB for the longest grant, with every kind of character', () => {
    for (const character of ['"', '\\', 'a']) {
      const granted = { ...LONGEST, key: character.repeat(1023) };
      const id = sealUploadId(keys.signing, granted);
      expect(id.length).toBeLessThanOrEqual(MAX_UPLOAD_ID_LENGTH);
      expect(openUploadId(keys, id)).toStrictEqual(granted);
    }
    for (const longest of [LONGEST, LONGEST_MULTIPART]) {
      const granted = { ...longest, key: `${'語'.repeat(341)}` };
      expect(openUploadId(keys, sealUploadId(keys.signing, granted))).toStrictEqual(granted);
    }
  });

  it('holds every field of a multipart upload', () => {
    const all = { ...MULTIPART, isMarked: false, attributes: LONGEST.attributes };
    for (const granted of [MULTIPART, all])
      for (const change of [
        {},
        { overwrite: true },
        { partSize: 102_400 },
        { uploadId: 'a' },
        { uploadId: 'é"\0語' },
      ]) {
        const changed = { ...granted, multipart: { ...granted.multipart, ...change } } as GrantedUpload;
        expect(openUploadId(keys, sealUploadId(keys.signing, changed))).toStrictEqual(changed);
      }
  });

  it('keeps the bytes of the ids of forms and PUTs that earlier versions have sealed', () => {
    const signing = { kid: 'k', uploadIdMac: () => 'mac' };
    const sha = (granted: GrantedUpload) =>
      createHash('sha256').update(sealUploadId(signing, granted)).digest('hex').slice(0, 16);
    expect([sha(GRANTED), sha({ ...LONGEST, transfer: 'form' })]).toStrictEqual([
      '55a583d6e19733b9',
      'a5ed5d2c76330881',
    ]);
  });

  it('throws for a grant that is too long, or that no id can hold', () => {
    const tooLong = { ...LONGEST, caller: { issuer: '語'.repeat(85), subject: '語'.repeat(255) } };
    expect(() => sealUploadId(keys.signing, tooLong)).toThrow(TypeError);
    const uploadId = 'F'.repeat(100);
    const multipart = { ...LONGEST_MULTIPART.multipart, uploadId, partSize: 1, overwrite: true };
    expect(() => sealUploadId(keys.signing, { ...LONGEST_MULTIPART, multipart })).toThrow(TypeError);
    for (const change of [
      { key: '\ud800' },
      { caller: { issuer: 'a', subject: '\udc00' } },
      { rule: 'r'.repeat(256) },
      { contentLength: { min: -1, max: 1 } },
      { contentLength: { min: 0, max: 2 ** 48 } },
      { issuedAt: -1 },
      { expiresAt: 2 ** 32 },
    ])
      expect(() => sealUploadId(keys.signing, { ...GRANTED, ...change }), JSON.stringify(change)).toThrow();
    for (const change of [
      { contentLength: { min: 0, max: 1 } },
      { contentLength: { min: 1, max: null } },
      { contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==' },
      { transfer: 'put' as const },
      { multipart: { uploadId: 'F'.repeat(256), partSize: 1, overwrite: true } },
      { multipart: { uploadId: 'F', partSize: -1, overwrite: true } },
    ])
      expect(() => sealUploadId(keys.signing, { ...MULTIPART, ...change }), JSON.stringify(change)).toThrow();
  });

  it('gives the same id for the same grant, in each process with the same key', () => {
    const jwk = newPrivateJwk();
    const ids = [1, 2].map(() => sealUploadId(toServiceKeys([{ kid: 'a', jwk }]).signing, GRANTED));
    expect(ids[0]).toBe(ids[1]);
  });

  it('appends the HMAC-SHA256 of the payload’s text', () => {
    const jwk = newPrivateJwk();
    const [payload = '', mac] = sealUploadId(toServiceKeys([{ kid: 'a', jwk }]).signing, GRANTED).split('.');
    const secret = hkdfSync('sha256', Buffer.from(jwk.d, 'base64url'), '', 'oss-presign upload id v1', 32);
    expect(mac).toBe(createHmac('sha256', Buffer.from(secret)).update(payload).digest('base64url'));
  });
});

describe('opening', () => {
  const keys = serviceKeysOf('new', 'old');

  it('accepts ids of every key of the set, and no other', () => {
    const old = keys.find('old');
    if (!old) throw new Error('no key');
    expect(openUploadId(keys, sealUploadId(old, GRANTED))).toStrictEqual(GRANTED);
    // The same kid, another key.
    expect(openUploadId(serviceKeysOf('new', 'old'), sealUploadId(old, GRANTED))).toBeUndefined();
    // The same key, another kid.
    expect(openUploadId(keys, sealUploadId({ ...old, kid: 'new' }, GRANTED))).toBeUndefined();
    expect(openUploadId(keys, sealUploadId({ ...old, kid: 'unknown' }, GRANTED))).toBeUndefined();
    // The MAC of another purpose.
    const misused = { ...old, uploadIdMac: old.idempotencyMac };
    expect(openUploadId(keys, sealUploadId(misused, GRANTED))).toBeUndefined();
  });

  it('looks at no text that is longer than 3 KiB', () => {
    let asked = 0;
    const watched = {
      find: (kid: string) => {
        asked++;
        return keys.find(kid);
      },
    };
    const id = sealUploadId(keys.signing, GRANTED);
    expect(openUploadId(watched, id)).toBeDefined();
    expect(asked).toBe(1);
    expect(openUploadId(watched, id.padEnd(MAX_UPLOAD_ID_LENGTH + 1, 'A'))).toBeUndefined();
    expect(openUploadId(watched, 'A'.repeat(50_000_000))).toBeUndefined();
    expect(asked).toBe(1);
  });

  it.each([
    '',
    '.',
    '.'.repeat(44),
    `.${'A'.repeat(43)}`,
    `AQ.${'A'.repeat(43)}`,
    'null',
    'a.b',
    'a.b.c',
    `${'A'.repeat(100)}.${'A'.repeat(43)}`,
  ])('rejects %j', (id) => {
    expect(openUploadId(keys, id)).toBeUndefined();
  });

  /** An id with a valid MAC of a payload whose bytes were changed: no service has sealed it. */
  function withBytes(change: (bytes: Buffer) => Buffer, granted = GRANTED): string {
    const [payload = ''] = sealUploadId(keys.signing, granted).split('.');
    const changed = change(Buffer.from(payload, 'base64url')).toString('base64url');
    return `${changed}.${keys.signing.uploadIdMac(changed)}`;
  }
  const setByte = (offset: number, value: number) => (bytes: Buffer) => {
    bytes[offset] = value;
    return bytes;
  };

  it('accepts the payload unchanged', () => {
    for (const granted of [GRANTED, MULTIPART]) {
      const id = withBytes((bytes) => bytes, granted);
      expect(openUploadId(keys, id)).toStrictEqual(granted);
    }
  });

  it.each([
    ['another version', setByte(0, 2)],
    ['no transfer', setByte(1, 0)],
    ['an unknown transfer', setByte(1, 9)],
    ['a digest that is not there', setByte(2, 1 | 2 | 8)],
    ['an MD5 that is not there', setByte(2, 1 | 2 | 4)],
    ['a longer rule', setByte(4, 10)],
    ['a shorter subject', setByte(15, 4)],
    ['a least length above the greatest', setByte(16, 1)],
    ['a greatest length that is not there', setByte(2, 1)],
    ['an end before its beginning', setByte(32, 0)],
    ['more text at its end', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ['less text', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['no text', (bytes: Buffer) => bytes.subarray(0, 36)],
    ['less than its fixed part', (bytes: Buffer) => bytes.subarray(0, 35)],
    ['nothing', (bytes: Buffer) => bytes.subarray(0, 0)],
    ['a grant id that is no UUID', setByte(40, 0x2f)],
    ['bytes that are not UTF-8', (bytes: Buffer) => setByte(bytes.length - 1, 0xff)(bytes)],
  ])('rejects a payload with %s, even with a valid MAC', (_name, change) => {
    expect(openUploadId(keys, withBytes(change))).toBeUndefined();
  });

  it.each([
    ['an unknown transfer', setByte(1, 9)],
    ['the transfer of a PUT', setByte(1, 1)],
    ['no greatest length', setByte(2, 1)],
    ['an MD5 that is not there', setByte(2, 1 | 2 | 4)],
    ['a digest that is not there', setByte(2, 1 | 2 | 8)],
    ['no part size', (bytes: Buffer) => bytes.fill(0, 22, 28)],
    ['an overwrite that is neither 0 nor 1', setByte(52, 2)],
    ['a longer upload ID', setByte(53, 33)],
    ['a shorter upload ID', setByte(53, 31)],
    ['a longer subject', setByte(15, 6)],
    ['more text at its end', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ['no upload ID', (bytes: Buffer) => setByte(53, 0)(bytes.subarray(0, -32))],
    ['no text', (bytes: Buffer) => bytes.subarray(0, 54)],
    ['less than its fixed part', (bytes: Buffer) => bytes.subarray(0, 53)],
    ['bytes that are not UTF-8', (bytes: Buffer) => setByte(bytes.length - 1, 0xff)(bytes)],
  ])('rejects a payload of a multipart upload with %s, even with a valid MAC', (_name, change) => {
    expect(openUploadId(keys, withBytes(change, MULTIPART))).toBeUndefined();
  });

  it('rejects a second spelling of a MAC, even one with the same bytes', () => {
    const id = sealUploadId(keys.signing, GRANTED);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(id.slice(-1));
    // 43 characters have 2 bits more than 32 bytes.
    const spellings = [1, 2, 3].map((bits) => id.slice(0, -1) + alphabet[last ^ bits]);
    const sameBytes = spellings.filter((one) =>
      Buffer.from(one.slice(-43), 'base64url').equals(Buffer.from(id.slice(-43), 'base64url')),
    );
    expect(sameBytes).toStrictEqual(spellings);
    for (const one of [...spellings, `${id}=`]) expect(openUploadId(keys, one)).toBeUndefined();
  });

  it('rejects characters that a byte-wise conversion would make equal', () => {
    const id = sealUploadId(keys.signing, GRANTED);
    const shifted = Array.from(id, (character) => String.fromCharCode(character.charCodeAt(0) + 256));
    for (let index = 0; index < id.length; index++)
      expect(openUploadId(keys, id.slice(0, index) + shifted[index] + id.slice(index + 1))).toBeUndefined();
  });

  it('does not ask a key for the MAC of an id of another one', () => {
    const never: Mac = () => {
      throw new Error('asked');
    };
    const id = sealUploadId(keys.signing, GRANTED);
    const find = (kid: string) => (kid === 'old' ? { ...keys.signing, uploadIdMac: never } : undefined);
    expect(openUploadId({ find }, id)).toBeUndefined();
  });
});
