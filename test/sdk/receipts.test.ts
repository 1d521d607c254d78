import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { serviceKeysFile } from '../support/service-keys.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';
import { RECEIPT_VERIFIERS } from './build-programs.ts';
import type { ReceiptJob, ReceiptResult } from './receipts/receipt-program.ts';
import { startProgram } from './sdk-program.ts';

const PUBLIC_URL = 'https://presign.example.com';
const HOUR_MS = 3_600_000;
const BODY = 'hello world';

let addresses = 0;

/** A service by the clock of the machine, because the libraries use that, and an upload of `alice` that is stored. */
async function setUp(fields: Readonly<Record<string, unknown>> = {}) {
  let offsetMs = 0;
  const clock = () => new Date(Date.now() + offsetMs);
  const emulator = await startTestEmulator({ clock });
  const file = { keys: serviceKeysFile('first') };
  const service = await startTestService({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } },
      rules: [ownFilesRule(fields)],
    }),
    env: {
      OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId,
      OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret,
      SERVICE_KEYS_FILE: 'keys.json',
      PUBLIC_URL,
    },
    files: { 'keys.json': () => file.keys },
    clock,
  });
  const accessToken = await service.issuer.sign({ exp: Math.floor(Date.now() / 1000) + 24 * 3600 });
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
    const response = await fetch(`${service.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return (await response.json()) as {
      readonly [name in 'id' | 'url' | 'receipt' | 'key']: string;
    } & { readonly headers: Record<string, string> };
  };
  const grant = await post('/v1/uploads', {
    ...{ key: 'users/alice/日本語.txt', contentType: 'text/plain', contentLength: BODY.length },
  });
  const sent = await fetch(grant.url, { method: 'PUT', headers: grant.headers, body: BODY });
  expect(sent.status).toBe(200);
  addresses += 1;
  return {
    accessToken,
    /** Its own address in each test, because the libraries keep the keys of an address. */
    jwks: `${service.url}/.well-known/jwks.json?${addresses}`,
    async receipt(atOffsetMs = 0): Promise<string> {
      offsetMs = atOffsetMs;
      const { receipt } = await post('/v1/uploads/complete', { id: grant.id });
      offsetMs = 0;
      return receipt;
    },
    keys: () => JSON.parse(file.keys).keys as readonly Readonly<Record<string, string>>[],
    replaceKeys(keys: readonly object[]) {
      file.keys = JSON.stringify({ keys });
      service.reloadFiles();
    },
  };
}

/** A receipt with another payload and the signature of the first one. */
function withClaims(receipt: string, change: object): string {
  const [header, payload = '', signature] = receipt.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...change };
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
}

describe.each(RECEIPT_VERIFIERS)('%s', (name) => {
  let program: ReturnType<typeof startProgram>;
  beforeAll(() => {
    program = startProgram(name);
  });
  afterAll(() => program.stop());

  const verify = async (job: Pick<ReceiptJob, 'jwks' | 'receipt'> & Partial<ReceiptJob>) =>
    (await program.ask({ issuer: PUBLIC_URL, audience: PUBLIC_URL, ...job })) as ReceiptResult;
  const isRejected = async (job: Parameters<typeof verify>[0]) => 'rejected' in (await verify(job));

  it('verifies a receipt with the published keys', async () => {
    const { jwks, receipt } = await setUp();
    expect(await verify({ jwks, receipt: await receipt() })).toMatchObject({
      claims: {
        ...{ iss: PUBLIC_URL, sub: 'alice', caller_issuer: 'https://login.test/', rule: 'own-files' },
        ...{ bucket: BUCKET, key: 'users/alice/日本語.txt', content_length: BODY.length },
        content_type: 'text/plain',
      },
    });
  });

  it('verifies the audience of the rule, and no other', async () => {
    const { jwks, receipt } = await setUp({ receiptAudience: 'https://app.example.com/' });
    const job = { jwks, receipt: await receipt() };
    expect(await verify({ ...job, audience: 'https://app.example.com/' })).toHaveProperty('claims');
    expect(await verify(job)).toHaveProperty('rejected');
    expect(await verify({ ...job, audience: 'https://app.example.com' })).toHaveProperty('rejected');
  });

  it('rejects another issuer', async () => {
    const { jwks, receipt } = await setUp();
    expect(await isRejected({ jwks, receipt: await receipt(), issuer: 'https://other.example.com' })).toBe(
      true,
    );
  });

  it('rejects a receipt that has expired', async () => {
    const { jwks, receipt } = await setUp();
    expect(await isRejected({ jwks, receipt: await receipt(-HOUR_MS + 60_000) })).toBe(false);
    expect(await isRejected({ jwks, receipt: await receipt(-HOUR_MS - 60_000) })).toBe(true);
  });

  it('rejects a receipt whose payload or signature was changed', async () => {
    const { jwks, receipt } = await setUp();
    const good = await receipt();
    for (const change of [{ key: 'users/bob/a.txt' }, { sub: 'bob' }, { exp: 9_999_999_999 }])
      expect(await isRejected({ jwks, receipt: withClaims(good, change) })).toBe(true);
    const [header, payload] = good.split('.');
    expect(await isRejected({ jwks, receipt: `${header}.${payload}.${'A'.repeat(86)}` })).toBe(true);
    expect(await isRejected({ jwks, receipt: `${header}.${payload}.` })).toBe(true);
  });

  it('rejects the access token of the caller that uploads', async () => {
    const { jwks, accessToken } = await setUp();
    for (const audience of [PUBLIC_URL, 'uploads'])
      expect(await isRejected({ jwks, receipt: accessToken, audience, issuer: 'https://login.test/' })).toBe(
        true,
      );
  });

  it('rejects a token that the same key signed for something else', async () => {
    const { jwks, receipt, keys } = await setUp();
    const [, payload = ''] = (await receipt()).split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const [jwk = {}] = keys();
    const key = createPrivateKey({ key: jwk, format: 'jwk' });
    const sign = (typ: string) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'first', typ }).sign(key);
    expect(await isRejected({ jwks, receipt: await sign('upload-receipt+jwt') })).toBe(false);
    expect(await isRejected({ jwks, receipt: await sign('JWT') })).toBe(true);
  });

  it('rejects a token without a signature, and one with a secret made of the public key', async () => {
    const { jwks, receipt, keys } = await setUp();
    const [, payload = ''] = (await receipt()).split('.');
    const header = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url');
    const typ = 'upload-receipt+jwt';
    const unsigned = `${header({ alg: 'none', typ, kid: 'first' })}.${payload}.`;
    expect(await isRejected({ jwks, receipt: unsigned })).toBe(true);
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const secret = Buffer.from(JSON.stringify(keys()[0]));
    const symmetric = new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ, kid: 'first' })
      .sign(secret);
    expect(await isRejected({ jwks, receipt: await symmetric })).toBe(true);
  });

  it('verifies old and new receipts while a key is added and moved to the front', async () => {
    const { jwks, receipt, keys, replaceKeys } = await setUp();
    const old = await receipt();
    expect(await isRejected({ jwks, receipt: old })).toBe(false);
    const [first] = keys();
    const [added] = JSON.parse(serviceKeysFile('second')).keys;
    replaceKeys([first, added] as object[]);
    const appended = await receipt();
    replaceKeys([added, first] as object[]);
    const moved = await receipt();
    for (const one of [old, appended, moved]) expect(await isRejected({ jwks, receipt: one })).toBe(false);
    const kids = [old, appended, moved].map(
      (one) => JSON.parse(Buffer.from(one.split('.')[0] ?? '', 'base64url').toString()).kid,
    );
    expect(kids).toStrictEqual(['first', 'first', 'second']);
  });
});
