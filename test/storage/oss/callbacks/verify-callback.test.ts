import { createSign, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCallbackKey } from '../../../../src/storage/oss/callbacks/callback-key.ts';
import { createCallbackKeys } from '../../../../src/storage/oss/callbacks/callback-keys.ts';
import { createCallbackVerifier } from '../../../../src/storage/oss/callbacks/verify-callback.ts';
import { fixedClock, now } from '../../../support/fixed-clock.ts';

type Vector = {
  readonly name: string;
  readonly input: {
    readonly requestPath: string;
    readonly requestQuery: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly publicKeyPem: string;
  };
  readonly expected: { readonly valid: boolean; readonly keyUrlAcceptable: boolean | null };
};

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../signing/vectors/callback-calls.json', import.meta.url), 'utf8'),
).vectors;

const DEADLINE = new Date(now.getTime() + 4000);

/** A verifier that fetches its keys, and the addresses that it fetches. */
function createVerifier(pem: string, { path = '/v1/callbacks/oss', isKeyGiven = false } = {}) {
  const fetched: string[] = [];
  const parsed = parseCallbackKey(pem);
  if ('fault' in parsed) throw new Error(parsed.fault);
  const verifier = createCallbackVerifier({
    url: `https://presign.example.com${path}`,
    key: isKeyGiven ? parsed.key : undefined,
    findKey: createCallbackKeys({
      fetch: async (url) => {
        fetched.push(String(url));
        return new Response(pem);
      },
      clock: fixedClock,
      timeout: () => new AbortController().signal,
    }),
  });
  return { ...verifier, fetched };
}

const callOf = ({ input: { headers, requestQuery, body } }: Vector) => ({
  authorization: headers.authorization,
  keyUrl: headers['x-oss-pub-key-url'],
  query: requestQuery,
  body: Buffer.from(body),
});

it('has the nine calls of OSS’s documented rule', () => {
  expect(vectors.filter(({ name }) => name.startsWith('cb-'))).toHaveLength(9);
});

it.each(vectors.map((vector) => [vector.name, vector] as const))(
  'verifies the call %s with the key that it names',
  async (_name, vector) => {
    const { requestPath: path, publicKeyPem } = vector.input;
    const { valid, keyUrlAcceptable } = vector.expected;
    const { verify, fetched } = createVerifier(publicKeyPem, { path });
    const isNamed = keyUrlAcceptable !== false && vector.input.headers['x-oss-pub-key-url'] !== undefined;
    const { result } = await verify(callOf(vector), DEADLINE);
    if (isNamed) expect(result).toBe(valid ? 'verified' : 'signature');
    else expect(result).toBe('key_url');
    expect(fetched).toHaveLength(isNamed ? 1 : 0);
  },
);

it.each(vectors.map((vector) => [vector.name, vector] as const))(
  'verifies the call %s with the configured key, whatever key it names',
  async (_name, vector) => {
    const { requestPath: path, publicKeyPem } = vector.input;
    const { verify, fetched } = createVerifier(publicKeyPem, { path, isKeyGiven: true });
    const result = vector.expected.valid ? 'verified' : 'signature';
    expect(await verify(callOf(vector), DEADLINE)).toStrictEqual({ result });
    const foreign = { ...callOf(vector), keyUrl: base64('https://attacker.example/key.pem') };
    expect(await verify(foreign, DEADLINE)).toStrictEqual({ result });
    expect(fetched).toStrictEqual([]);
  },
);

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
const KEY_URL = 'https://gosspublic.alicdn.com/callback_pub_key_v1.pem';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const BODY = Buffer.from('{"id":"x"}');
const sign = (data: string | Buffer, hash = 'RSA-MD5') =>
  createSign(hash).update(data).sign(privateKey, 'base64');
const SIGNATURE = sign(`/v1/callbacks/oss\n${BODY}`);
const CALL = { authorization: SIGNATURE, keyUrl: base64(KEY_URL), query: '', body: BODY };

it.each([KEY_URL, KEY_URL.replace('https', 'http')])('fetches the key of %s over https', async (url) => {
  const { verify, fetched } = createVerifier(PEM);
  expect(await verify({ ...CALL, keyUrl: base64(url) }, DEADLINE)).toStrictEqual({ result: 'verified' });
  expect(fetched).toStrictEqual([KEY_URL]);
});

describe('makes no request for a key address that', () => {
  it.each<[string, string | undefined]>([
    ['is missing', undefined],
    ['is empty', ''],
    ['is not base64', KEY_URL],
    ['is base64 without padding', base64(KEY_URL).replace(/=+$/, '')],
    ['is base64url', base64('https://gosspublic.alicdn.com/?>?>').replaceAll('/', '_').replaceAll('+', '-')],
    ['has a blank', `${base64(KEY_URL)} `],
    ['occurs twice', `${base64(KEY_URL)}, ${base64(KEY_URL)}`],
    ['has bits that mean nothing', `${base64(`${KEY_URL}aa`).slice(0, -2)}B=`],
    ['is too long', base64(`${KEY_URL}${'a'.repeat(2000)}`)],
    ...[
      'https://attacker.example/callback_pub_key_v1.pem',
      'https://gosspublic.alicdn.com.attacker.example/key.pem',
      'https://gosspublic.alicdn.com@attacker.example/key.pem',
      'https://gosspublic.alicdn.com:443@attacker.example/key.pem',
      'https://attacker.example@gosspublic.alicdn.com/key.pem',
      'https://user:pw@gosspublic.alicdn.com/key.pem',
      'https://@gosspublic.alicdn.com/key.pem',
      'https://gosspublic.alicdn.com:8443/key.pem',
      'https://gosspublic.alicdn.com:443/key.pem',
      'http://gosspublic.alicdn.com:80/key.pem',
      'https://gosspublic.alicdn.com:/key.pem',
      'https://gosspublic.alicdn.com./key.pem',
      'https://xgosspublic.alicdn.com/key.pem',
      'https://x.gosspublic.alicdn.com/key.pem',
      'https://gosspublicXalicdn.com/key.pem',
      'https://attacker.example/https://gosspublic.alicdn.com/key.pem',
      'https://attacker.example/?gosspublic.alicdn.com/',
      'https://attacker.example#gosspublic.alicdn.com/',
      'https://attacker.example\\gosspublic.alicdn.com/key.pem',
      'https:\\\\gosspublic.alicdn.com\\key.pem',
      'https:/gosspublic.alicdn.com/key.pem',
      'https:gosspublic.alicdn.com/key.pem',
      '//gosspublic.alicdn.com/key.pem',
      'ftp://gosspublic.alicdn.com/key.pem',
      'file://gosspublic.alicdn.com/etc/passwd',
      'javascript://gosspublic.alicdn.com/%0aalert(1)',
      'https://gosspublic.alicdn.com',
      'https://gosspublic.alicdn.com/key.pem\n',
      ' https://gosspublic.alicdn.com/key.pem',
      'https://gosspublic.alicdn.com/\tkey.pem',
      'https://gosspublic.alicdn.com/key.pem\0',
      'https://gosspublic.alicdn.com/a/../key.pem',
      'https://gosspublic.alicdn.com/./key.pem',
      'https://gosspublic.alicdn.com/%63allback_pub_key_v1.pem',
      'https://gosspublic.alicdn.com/key.pem?x=1',
      'https://gosspublic.alicdn.com/key.pem#x',
      'https://gosspublic.alicdn.com/\xe9.pem',
      'https://127.0.0.1/key.pem',
      'https://[::1]/key.pem',
      'http://169.254.169.254/latest/meta-data/',
    ].map((url): [string, string] => [`is ${JSON.stringify(url)}`, base64(url)]),
  ])('%s', async (_title, keyUrl) => {
    const { verify, fetched } = createVerifier(PEM);
    expect(await verify({ ...CALL, keyUrl }, DEADLINE)).toStrictEqual({ result: 'key_url' });
    expect(fetched).toStrictEqual([]);
  });
});

describe('rejects a signature that', () => {
  it.each<[string, string | undefined]>([
    ['is missing', undefined],
    ['is empty', ''],
    ['has a scheme', `Bearer ${SIGNATURE}`],
    ['is without padding', SIGNATURE.replace(/=+$/, '')],
    ['is too long', 'AAAA'.repeat(1000)],
  ])('%s, and makes no request', async (_title, authorization) => {
    const { verify, fetched } = createVerifier(PEM);
    expect(await verify({ ...CALL, authorization }, DEADLINE)).toStrictEqual({ result: 'signature' });
    expect(fetched).toStrictEqual([]);
  });

  it.each<[string, string]>([
    ['is that of another path', sign(`/v1/callbacks/osS\n${BODY}`)],
    ['is that of another body', sign('/v1/callbacks/oss\n{"id":"y"}')],
    ['is that of a query', sign(`/v1/callbacks/oss?a=1\n${BODY}`)],
    ['is that of an empty query', sign(`/v1/callbacks/oss?\n${BODY}`)],
    ['uses another hash', sign(`/v1/callbacks/oss\n${BODY}`, 'RSA-SHA256')],
    ['is of another length', base64('short')],
  ])('%s', async (_title, authorization) => {
    const { verify } = createVerifier(PEM);
    expect(await verify({ ...CALL, authorization }, DEADLINE)).toStrictEqual({ result: 'signature' });
  });
});

it('verifies the path of PUBLIC_URL decoded, and bytes of the body that are not UTF-8', async () => {
  const { verify } = createVerifier(PEM, { path: '/%E5%9B%9E%20a%2Bb/v1/callbacks/oss' });
  const body = Buffer.from([0xff, 0x00, 0x0a]);
  const data = Buffer.concat([Buffer.from('/回 a+b/v1/callbacks/oss?t=%2F\n'), body]);
  const call = { ...CALL, authorization: sign(data), query: 't=%2F', body };
  expect(await verify(call, DEADLINE)).toStrictEqual({ result: 'verified' });
  expect(await verify({ ...call, query: 't=/' }, DEADLINE)).toStrictEqual({ result: 'signature' });
});
