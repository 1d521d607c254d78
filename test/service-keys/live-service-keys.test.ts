import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  createFileServiceKeys,
  createProcessServiceKeys,
  type LiveServiceKeys,
} from '../../src/service-keys/live-service-keys.ts';
import { createServiceKeysReader } from '../../src/service-keys/read-service-keys-file.ts';
import { decodeTextFile } from '../../src/text/text-file.ts';
import { fixedClock, now } from '../support/fixed-clock.ts';
import { serviceKeysFile } from '../support/service-keys.ts';

function follow(first = serviceKeysFile('first')): {
  readonly keys: LiveServiceKeys;
  readonly log: readonly (readonly [string, object, string])[];
  /** Replaces the file: by bytes, or by the error of reading it. */
  put(file: string | Uint8Array | Error): void;
  /** Replaces the file, and polls twice. */
  replace(file: string | Uint8Array | Error): void;
} {
  let inFile: string | Uint8Array | Error = first;
  const read = createServiceKeysReader('keys.json', () => {
    if (inFile instanceof Error) throw inFile;
    return decodeTextFile(Buffer.from(inFile));
  });
  const reading = read();
  if ('faults' in reading) throw new Error(reading.faults.join('\n'));
  const log: [string, object, string][] = [];
  const keys = createFileServiceKeys({
    first: reading,
    read,
    clock: fixedClock,
    log: {
      info: (fields, message) => void log.push(['info', fields, message]),
      error: (fields, message) => void log.push(['error', fields, message]),
    },
  });
  const put = (file: string | Uint8Array | Error) => {
    inFile = file;
  };
  return {
    keys,
    log,
    put,
    replace: (file) => {
      put(file);
      keys.poll();
      keys.poll();
    },
  };
}

const noFile = Object.assign(new Error('no such file'), { code: 'ENOENT' });

describe('the keys of a file', () => {
  it('are shared by all replicas with that file', () => {
    const { keys } = follow(serviceKeysFile('a', 'b'));
    expect(keys.isShared).toBe(true);
    expect(keys.status()).toStrictEqual({
      signingKid: 'a',
      keys: 2,
      isShared: true,
      loadedAt: now,
      isFileRejected: false,
    });
  });

  it('are replaced on the second poll that reads the same content', () => {
    const { keys, log, put } = follow();
    put(serviceKeysFile('second', 'first'));
    keys.poll();
    expect(keys.current().signing.kid).toBe('first');
    keys.poll();
    expect(keys.current().signing.kid).toBe('second');
    keys.poll();
    expect(log).toStrictEqual([
      ['info', { signingKid: 'second', keys: 2 }, 'the new service keys are in use'],
    ]);
  });

  it('are not replaced by a file that is being written', () => {
    const { keys, log, put } = follow();
    for (const kid of ['a', 'b', 'c']) {
      put(serviceKeysFile(kid));
      keys.poll();
    }
    expect([keys.current().signing.kid, log]).toStrictEqual(['first', []]);
  });

  it('are replaced at once by a reload', () => {
    const { keys, put } = follow();
    put(serviceKeysFile('second'));
    keys.reload();
    expect(keys.current().signing.kid).toBe('second');
  });

  it('keep their value between two calls, so that a request may read them once', () => {
    const { keys, replace } = follow();
    const before = keys.current();
    keys.poll();
    expect(keys.current()).toBe(before);
    replace(serviceKeysFile('second'));
    expect(before.signing.kid).toBe('first');
    expect(keys.current()).not.toBe(before);
  });

  it.each([
    ['a missing file', noFile, 'SERVICE_KEYS_FILE cannot be read (ENOENT): keys.json.'],
    ['nothing', '', 'SERVICE_KEYS_FILE keys.json: is not JSON; create it with oss-presign keygen.'],
    [
      'a set without keys',
      '{"keys":[]}',
      'SERVICE_KEYS_FILE keys.json: holds no key; create it with oss-presign keygen.',
    ],
    [
      'other bytes than UTF-8',
      Buffer.from('{"é":1}', 'latin1'),
      'SERVICE_KEYS_FILE is not UTF-8: line 1 has other bytes; save it as UTF-8: keys.json.',
    ],
    [
      'UTF-16',
      Buffer.from('\ufeff{}', 'utf16le'),
      'SERVICE_KEYS_FILE is UTF-16 or binary; save it as UTF-8: keys.json.',
    ],
  ])('stay in use after %s, which is logged once', (_name, file, fault) => {
    const { keys, log, replace } = follow();
    const before = keys.current();
    for (let poll = 0; poll < 3; poll++) replace(file);
    expect(keys.current()).toBe(before);
    expect(keys.status()).toMatchObject({ signingKid: 'first', isFileRejected: true });
    expect(log).toStrictEqual([
      ['error', { faults: [fault] }, 'the new service keys file is rejected; the previous keys stay in use'],
    ]);
  });

  it('are no longer reported as rejected when the bad file is reverted or replaced by a good one', () => {
    const first = serviceKeysFile('first');
    const { keys, replace } = follow(first);
    replace('broken');
    replace(first);
    expect(keys.status().isFileRejected).toBe(false);
    replace('broken');
    replace(serviceKeysFile('second'));
    expect(keys.status()).toMatchObject({ signingKid: 'second', isFileRejected: false });
  });

  it('never reach the log', () => {
    const { log, replace } = follow();
    const file = serviceKeysFile('second');
    replace(file.replace('"kid":"second"', '"kid":""'));
    replace(file);
    expect(log).toHaveLength(2);
    const { d, x } = JSON.parse(file).keys[0];
    expect(JSON.stringify(log)).not.toContain(d);
    expect(JSON.stringify(log)).not.toContain(x);
  });
});

it('a process without a file has one key of its own, named by its thumbprint, which never changes', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = await createProcessServiceKeys(privateKey, fixedClock);
  const kid = (await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }))).slice(0, 16);
  const before = keys.current();
  keys.poll();
  keys.reload();
  expect(keys.current()).toBe(before);
  expect(keys.isShared).toBe(false);
  expect(keys.current().jwks.keys).toStrictEqual([
    { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' },
  ]);
  expect(keys.status()).toStrictEqual({
    signingKid: kid,
    keys: 1,
    isShared: false,
    loadedAt: now,
    isFileRejected: false,
  });
});
