import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OssError } from '../../src/emulator/oss-error.ts';
import { parseRequestTarget } from '../../src/emulator/request-target.ts';
import { verifySignature } from '../../src/emulator/signature/verify-signature.ts';

type Vector = {
  readonly name: string;
  readonly quirk?: string;
  readonly input: {
    readonly method: string;
    readonly region: string;
    readonly product: string;
    readonly bucket: string;
    readonly key: string | null;
    readonly urlStyle: 'virtual' | 'cname' | 'path';
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly securityToken?: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly signTime: string;
  };
  readonly expected: {
    readonly url?: string;
    readonly authorization?: string;
    readonly signedHeaders: Readonly<Record<string, string>>;
    /** By default, that of the bucket at OSS. */
    readonly host?: string;
    readonly path: string;
    readonly queryParams: Readonly<Record<string, string>>;
    readonly stringToSign: string;
    readonly canonicalRequest: string;
  };
};

const read = (name: string): readonly Vector[] =>
  JSON.parse(readFileSync(new URL(`../storage/oss/signing/vectors/${name}.json`, import.meta.url), 'utf8'))
    .vectors;
const hostOf = ({ input, expected }: Vector) =>
  expected.host ?? `${input.bucket}.oss-${input.region}.aliyuncs.com`;

const vectors = ['query', 'header', 'header-calls', 'download', 'head', 'multipart'].flatMap(read);

/** The request of the client of a vector sends, as Node's HTTP parser hands it on: header bytes as Latin-1. */
function wireOf(
  vector: Vector,
  changedHeaders: Readonly<Record<string, string>> = {},
  parameters = vector.expected.queryParams,
) {
  const { input, expected, quirk } = vector;
  const query = Object.entries(parameters).map((pair) => pair.map(encodeURIComponent).join('='));
  const headers = {
    host: hostOf(vector),
    ...expected.signedHeaders,
    ...(expected.authorization && { authorization: expected.authorization }),
    ...(quirk && { date: expected.stringToSign.split('\n')[1] ?? '' }),
    ...changedHeaders,
  };
  return {
    method: input.method,
    url: `${expected.path}?${query.join('&')}`,
    headers: new Map(
      Object.entries(headers).map(([name, value]) => [
        name.toLowerCase(),
        Buffer.from(value).toString('latin1'),
      ]),
    ),
  };
}

function verify(
  vector: Vector,
  wire: ReturnType<typeof wireOf>,
  secret = vector.input.accessKeySecret,
): string {
  const { input } = vector;
  const domains = input.urlStyle === 'cname' ? [hostOf(vector).replace(/:\d+$/, '')] : [];
  try {
    const buckets = new Map([[input.bucket, { region: input.region, domains }]]);
    const target = parseRequestTarget(wire.url, hostOf(vector), buckets);
    verifySignature(
      { ...target, ...wire },
      {
        credentials: [
          {
            accessKeyId: input.accessKeyId,
            accessKeySecret: secret,
            ...(input.securityToken && { securityToken: input.securityToken }),
          },
        ],
        region: input.region,
        product: input.product,
        now: new Date(input.signTime),
      },
    );
    return 'accepted';
  } catch (error) {
    if (error instanceof OssError) return error.code;
    throw error;
  }
}

it('holds all vectors', () => {
  expect(vectors).toHaveLength(217);
});

describe.each(vectors)('$name', (vector) => {
  it('is accepted as it is received', () => {
    expect(verify(vector, wireOf(vector))).toBe('accepted');
  });

  it('is rejected with another secret', () => {
    expect(verify(vector, wireOf(vector), `${vector.input.accessKeySecret}x`)).toBe('SignatureDoesNotMatch');
  });

  it('is rejected with one more x-oss header', () => {
    expect(verify(vector, wireOf(vector, { 'x-oss-meta-added': '1' }))).toBe('SignatureDoesNotMatch');
  });

  it('is rejected with another method, key or type', () => {
    const wire = wireOf(vector);
    expect(verify(vector, { ...wire, method: 'PATCH' })).toBe('SignatureDoesNotMatch');
    expect(verify(vector, { ...wire, url: wire.url.replace(/[a-z]?\?/, 'X?') })).toBe(
      'SignatureDoesNotMatch',
    );
    expect(verify(vector, wireOf(vector, { 'content-type': 'x/changed' }))).toBe('SignatureDoesNotMatch');
  });

  it('is rejected if any parameter is changed, left out or added', () => {
    const { queryParams } = vector.expected;
    for (const [name, value] of Object.entries(queryParams)) {
      const { [name]: _leftOut, ...others } = queryParams;
      expect(verify(vector, wireOf(vector, {}, others)), `without ${name}`).not.toBe('accepted');
      const changed = { ...queryParams, [name]: `${value}1` };
      expect(verify(vector, wireOf(vector, {}, changed)), `with another ${name}`).not.toBe('accepted');
    }
    for (const name of ['uploads', 'uploadId', 'partNumber', 'x-oss-traffic-limit', 'max-parts']) {
      if (name in queryParams) continue;
      const added = { ...queryParams, [name]: '' };
      expect(verify(vector, wireOf(vector, {}, added)), name).toBe('SignatureDoesNotMatch');
    }
  });

  it('is rejected if any signed header is changed', () => {
    for (const [name, value] of Object.entries(vector.expected.signedHeaders)) {
      expect(verify(vector, wireOf(vector, { [name]: `${value}1` })), name).not.toBe('accepted');
    }
  });
});
