import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { authorize } from '../../../../src/storage/oss/signing/authorize.ts';
import { createSigners } from '../../../../src/storage/oss/signing/signers.ts';

type Vector = {
  readonly name: string;
  readonly input: {
    readonly method: string;
    readonly operation: string;
    readonly region: string;
    readonly bucket: string;
    readonly key: string | null;
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly securityToken?: string;
    readonly query: Readonly<Record<string, string>>;
    readonly headers: Readonly<Record<string, string>>;
    readonly signTime: string;
  };
  readonly expected: {
    readonly canonicalRequest: string;
    readonly signature: string;
    readonly authorization: string;
    readonly signedHeaders: Readonly<Record<string, string>>;
    readonly path: string;
    readonly queryParams: Readonly<Record<string, string>>;
  };
};

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('vectors/header-calls.json', import.meta.url), 'utf8'),
).vectors;

function signerOf({ region, accessKeyId, accessKeySecret, securityToken, signTime }: Vector['input']) {
  return createSigners(region)(new Date(signTime), {
    accessKeyId,
    accessKeySecret,
    ...(securityToken !== undefined && { securityToken }),
  });
}

it('has the calls of three SDKs, HEAD by each of them with and without a token', () => {
  expect(vectors).toHaveLength(44);
  const heads = vectors.filter(({ input }) => input.method === 'HEAD');
  expect(heads.map(({ name }) => name).sort()).toStrictEqual(
    ['go', 'js', 'py'].flatMap((sdk) => [
      `hdr-${sdk}-head`,
      `hdr-${sdk}-head-sts`,
      `hdr-${sdk}-head-version`,
    ]),
  );
});

describe.each(vectors)('$name', ({ input, expected }) => {
  const authorized = authorize({ ...input, key: input.key ?? '' }, signerOf(input));

  it('has the canonical request and the signature', () => {
    expect(authorized.canonicalRequest).toBe(expected.canonicalRequest);
    expect(authorized.signature).toBe(expected.signature);
  });

  it('has the headers to send, and no other', () => {
    const sent = Object.entries(authorized.headers).map(([name, value]) => [name.toLowerCase(), value]);
    expect(Object.fromEntries(sent)).toStrictEqual({
      ...expected.signedHeaders,
      authorization: expected.authorization,
    });
    expect(sent).toHaveLength(Object.keys(expected.signedHeaders).length + 1);
  });

  it('has the path and the query', () => {
    const [path = '', query = ''] = authorized.pathAndQuery.split('?');
    expect(decodeURIComponent(`/${path}`)).toBe(decodeURIComponent(expected.path));
    expect(Object.fromEntries(new URLSearchParams(query.replaceAll('+', '%2B')))).toStrictEqual(
      expected.queryParams,
    );
  });
});

const signer = createSigners('cn-hangzhou')(new Date('2026-12-01T08:00:00Z'), {
  accessKeyId: 'LTAI5tTestKey',
  accessKeySecret: 'TestSecret0123456789',
});
const call = { method: 'HEAD', bucket: 'acme-media', key: 'a.txt' };

it('signs an additional header only if it is named, and sends it in either case', () => {
  const headers = { 'Accept-Encoding': 'identity' };
  const free = authorize({ ...call, headers }, signer);
  const bound = authorize({ ...call, headers, additionalHeaders: ['ACCEPT-ENCODING'] }, signer);
  expect(free.canonicalRequest).not.toContain('identity');
  expect(bound.canonicalRequest).toContain('\naccept-encoding:identity\n');
  expect(bound.headers.Authorization).toContain(',AdditionalHeaders=accept-encoding,Signature=');
  expect([free.headers, bound.headers]).toStrictEqual([
    expect.objectContaining(headers),
    expect.objectContaining(headers),
  ]);
});

it.each([
  ['a header that the signer sets itself', { 'X-Oss-Date': '20260101T000000Z' }, 'duplicated'],
  ['a line feed in a value', { 'x-oss-meta-a': 'b\nx-oss-meta-c: d' }, 'printable ASCII'],
  ['a name that is not a header', { 'x-oss meta': 'b' }, 'letters, digits and "-" only'],
])('rejects %s', (_, headers, message) => {
  expect(() => authorize({ ...call, headers }, signer)).toThrow(message);
});

it('rejects an access key id that cannot be in a header, without repeating it', () => {
  const broken = createSigners('cn-hangzhou')(new Date('2026-12-01T08:00:00Z'), {
    accessKeyId: 'LTAI5t\nTestKey',
    accessKeySecret: 'TestSecret0123456789',
  });
  expect(() => authorize(call, broken)).toThrow(
    new TypeError('the value of authorization must be printable ASCII and not blank'),
  );
});
