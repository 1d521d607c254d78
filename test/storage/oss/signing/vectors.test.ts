import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { prepareBucket } from '../../../../src/storage/oss/bucket.ts';
import type { Endpoint } from '../../../../src/storage/oss/endpoint.ts';
import {
  canonicalHeaders,
  header,
  headerName,
} from '../../../../src/storage/oss/signing/canonical-headers.ts';
import { canonicalQuery, canonicalRequest } from '../../../../src/storage/oss/signing/canonical-request.ts';
import { percentEncodePath } from '../../../../src/storage/oss/signing/percent-encode.ts';
import { postPolicy } from '../../../../src/storage/oss/signing/post-policy.ts';
import { type PresignInput, presign } from '../../../../src/storage/oss/signing/presign.ts';
import { SigningKey } from '../../../../src/storage/oss/signing/signing-key.ts';
import { ossInstant, stringToSign } from '../../../../src/storage/oss/signing/string-to-sign.ts';

type Vector = {
  readonly name: string;
  readonly input: {
    readonly method: string;
    readonly operation?: string;
    readonly region: string;
    readonly product: string;
    readonly bucket: string;
    /** null: the bucket itself. */
    readonly key: string | null;
    readonly endpoint: string;
    readonly urlStyle: 'virtual' | 'cname' | 'path';
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly securityToken?: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly query: Readonly<Record<string, string>>;
    readonly additionalHeaders: readonly string[];
    readonly signTime: string;
    readonly expires: number;
    readonly host: string;
  };
  readonly expected: {
    readonly canonicalRequest: string;
    readonly stringToSign: string;
    readonly signature: string;
    readonly additionalHeaders: readonly string[];
    readonly signedHeaders: Readonly<Record<string, string>>;
    readonly scheme: string;
    readonly host: string;
    readonly path: string;
    readonly queryParams: Readonly<Record<string, string>>;
    readonly url: string;
  };
};

function read<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), 'utf8')).vectors;
}

const queryVectors = read<Vector>('query');
const downloadVectors = read<Vector>('download');
const multipartVectors = read<Vector>('multipart');
const callbackVectors = read<Vector>('callback');
const headerVectors = read<Vector>('header');

function endpointOf({ endpoint, urlStyle }: Vector['input']): Endpoint {
  return { url: endpoint, addressing: urlStyle };
}

function presignInput({ input }: Vector): PresignInput {
  const { accessKeyId, accessKeySecret, securityToken, headers, additionalHeaders } = input;
  // A vector that names host signs the value that every client sends by itself.
  const needsHost = additionalHeaders.some((name) => name.toLowerCase() === 'host');
  const carriesHost = Object.keys(headers).some((name) => name.toLowerCase() === 'host');
  return {
    ...input,
    credentials: { accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) },
    key: input.key ?? '',
    endpoint: endpointOf(input),
    headers: needsHost && !carriesHost ? { ...headers, host: input.host } : headers,
    signedAt: new Date(input.signTime),
    expiresInSeconds: input.expires,
  };
}

it('has all vectors', () => {
  expect([queryVectors.length, headerVectors.length, read('post-policy').length]).toStrictEqual([85, 19, 8]);
  expect([downloadVectors, multipartVectors, callbackVectors].map(({ length }) => length)).toStrictEqual([
    12, 55, 6,
  ]);
});

describe.each([...queryVectors, ...downloadVectors, ...multipartVectors, ...callbackVectors])(
  'presigned URL: $name',
  (vector) => {
    const { expected } = vector;
    const presigned = presign(presignInput(vector));

    it('has the canonical request', () => {
      expect(presigned.canonicalRequest).toBe(expected.canonicalRequest);
    });

    it('has the string to sign', () => {
      expect(presigned.stringToSign).toBe(expected.stringToSign);
    });

    it('has the signature', () => {
      expect(presigned.signature).toBe(expected.signature);
    });

    it('has the URL', () => {
      const [address = '', query = ''] = presigned.url.split('?');
      const [, scheme, host, path = ''] = /^(https?):\/\/([^/]+)(\/.*)$/s.exec(address) ?? [];
      expect({ scheme, host, path: decodeURIComponent(path) }).toStrictEqual({
        scheme: expected.scheme,
        host: expected.host,
        path: decodeURIComponent(expected.path),
      });
      const parameters = query.split('&').map((part) => part.split('=').map(decodeURIComponent));
      expect(Object.fromEntries(parameters.map(([name, value]) => [name, value ?? '']))).toStrictEqual(
        expected.queryParams,
      );
      expect(parameters).toHaveLength(Object.keys(expected.queryParams).length);
    });
  },
);

it('signs the downloads whose only parameter is a Content-Disposition', () => {
  const parameter = 'response-content-disposition';
  const vectors = downloadVectors.filter(({ input }) => Object.keys(input.query).join() === parameter);
  expect(vectors.map(({ name }) => name)).toStrictEqual([
    'get-attachment-ascii',
    'get-attachment-utf8',
    'get-response-sts',
  ]);
  for (const vector of vectors) {
    const { bucket, region, endpoint, key, credentials, signedAt, expiresInSeconds } = presignInput(vector);
    const contentDisposition = vector.input.query[parameter] ?? '';
    const signing = { credentials, signedAt, expiresInSeconds };
    const bucketOfVector = prepareBucket({ bucket, region, endpoint });
    const { method, url } = bucketOfVector.presignDownload({ key, contentDisposition }, signing);
    const { searchParams } = new URL(url);
    expect(Object.fromEntries(searchParams)).toStrictEqual(vector.expected.queryParams);
    expect([method, url]).toStrictEqual(['GET', presign(presignInput(vector)).url]);
  }
});

describe('a part as the service signs it', () => {
  const parts = multipartVectors.filter(({ input }) => input.operation === 'UploadPart');

  /** Signs the part of a vector, which has this length. */
  function signPart({ input }: Vector, contentLength: number) {
    const { bucket, region, key, query, headers, signTime, expires } = input;
    const { uploadId = '', partNumber, ...parameters } = query;
    const { accessKeyId, accessKeySecret, securityToken } = input;
    const signing = {
      credentials: { accessKeyId, accessKeySecret, ...(securityToken !== undefined && { securityToken }) },
      signedAt: new Date(signTime),
      expiresInSeconds: expires,
    };
    return prepareBucket({ bucket, region, endpoint: endpointOf(input) })
      .prepareUploads(parameters)
      .presignPart(
        {
          key: key ?? '',
          uploadId,
          partNumber: Number(partNumber),
          contentLength,
          contentMd5: headers['Content-MD5'],
        },
        signing,
      );
  }

  it.each(
    parts.filter(
      ({ input }) => input.additionalHeaders.join() === 'Content-Length' && !input.headers['Content-Type'],
    ),
  )('has the URL of the SDK: $name', (vector) => {
    const { url, headers } = signPart(vector, Number(vector.input.headers['Content-Length']));
    const [address, query = ''] = url.split('?');
    expect(Object.fromEntries(new URLSearchParams(query.replaceAll('+', '%2B')))).toStrictEqual(
      vector.expected.queryParams,
    );
    expect([address, headers]).toStrictEqual([vector.expected.url.split('?')[0], {}]);
  });

  it.each(parts)('has the URL of the same part with a length, and no header but the MD5: $name', (vector) => {
    const contentMd5 = vector.input.headers['Content-MD5'];
    const md5 = contentMd5 === undefined ? {} : { 'Content-MD5': contentMd5 };
    const { url } = presign({
      ...presignInput(vector),
      headers: { ...md5, 'Content-Length': '102400' },
      additionalHeaders: ['content-length'],
    });
    expect(signPart(vector, 102_400)).toStrictEqual({ method: 'PUT', url, headers: md5 });
  });
});

describe.each(headerVectors)('Authorization header: $name', ({ input, expected }) => {
  const headers = Object.fromEntries(
    Object.entries({ ...input.headers, ...expected.signedHeaders }).map(([name, value]) => [
      name.toLowerCase(),
      value.trim(),
    ]),
  );
  const instant = ossInstant(new Date(input.signTime));
  const scope = { date: instant.date, region: input.region, product: input.product };

  // Our signer rejects such a name, because no client of ours sends one, and OSS rejects it.
  const isRejected = Object.keys(headers).some((name) => name.includes('_'));

  it(isRejected ? 'is rejected for a name with "_"' : 'has the canonical request', () => {
    const read = () => Object.entries(headers).map(([name, value]) => header(headerName(name), value));
    if (isRejected) {
      expect(read).toThrow('letters, digits and "-" only');
      return;
    }
    const named = input.additionalHeaders.map((name) => name.toLowerCase());
    const signed = canonicalHeaders(
      read().filter(({ name }) => !name.isAdditional || named.includes(name.lowerCase)),
    );
    expect(signed.additionalNames).toBe(expected.additionalHeaders.join(';'));
    const uri = `/${input.bucket}/${percentEncodePath(input.key ?? '')}`;
    const query = canonicalQuery(input.query ?? {});
    expect(canonicalRequest(input.method, uri, query, signed)).toBe(expected.canonicalRequest);
  });

  it('has the string to sign and the signature', () => {
    expect(stringToSign(instant.text, scope, expected.canonicalRequest)).toBe(expected.stringToSign);
    const key = new SigningKey(input.accessKeySecret, scope);
    expect(key.sign(instant.text, expected.canonicalRequest)).toBe(expected.signature);
  });
});

type FormVector = {
  readonly name: string;
  readonly input: Vector['input'] & { readonly policyJson: string };
  readonly expected: Vector['expected'] & { readonly formFields: Readonly<Record<string, string>> };
};

describe.each(read<FormVector>('post-policy'))('form upload: $name', ({ input, expected }) => {
  it('has the signature', () => {
    const { date } = ossInstant(new Date(input.signTime));
    const policy = Buffer.from(input.policyJson).toString('base64');
    const key = new SigningKey(input.accessKeySecret, {
      date,
      region: input.region,
      product: input.product,
    });
    expect(policy).toBe(expected.stringToSign);
    expect(key.signPolicy(policy)).toBe(expected.signature);
  });
});

it('writes the policy of a form as the SDK does', () => {
  const vector = read<FormVector>('post-policy').find(({ name }) => name === 'post-range-and-key');
  const { formFields } = vector?.expected ?? expect.fail();
  const signature = ['x-oss-signature-version', 'x-oss-credential', 'x-oss-date'];
  const text = postPolicy(new Date('2026-12-01T09:00:00Z'), [
    { bucket: 'examplebucket' },
    ...signature.map((name) => ({ [name]: formFields[name] ?? '' })),
    ['content-length-range', 1, 10_485_760],
    ['eq', '$key', 'users/alice/a.png'],
    ['eq', '$content-type', 'image/png'],
  ]);
  expect(text).toBe(vector?.input.policyJson);
});
