import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import OSS from 'ali-oss';
import { prepareBucket } from '../../src/storage/oss/bucket.ts';
import type { SigningInput } from './signing-input.ts';

/**
 * Each signs one PUT per call, with the type, the length and the header that forbids overwriting.
 */
export type Signer = () => unknown;

export function ourSigner(input: SigningInput): Signer {
  return signerOf(input, input.key, {});
}

/** The largest request: 32 metadata headers, and a key of 1,000 bytes. */
export function ourSignerOfMuch(input: SigningInput): Signer {
  const metadata = Array.from({ length: 32 }, (_, index) => [`name-${index}`, `value ${index}`]);
  return signerOf(input, input.key.padEnd(1000, 'k'), Object.fromEntries(metadata));
}

function signerOf(
  {
    accessKeyId,
    accessKeySecret,
    bucket,
    region,
    contentType,
    contentLength,
    expiresInSeconds,
  }: SigningInput,
  key: string,
  metadata: Readonly<Record<string, string>>,
): Signer {
  const uploads = prepareBucket({ bucket, region, endpoint: 'public' }).prepareUploads(
    {},
    Object.keys(metadata),
  );
  const credentials = { accessKeyId, accessKeySecret };
  const upload = { key, contentType, contentLength, metadata, overwrite: false };
  return () => uploads.presign(upload, { credentials, signedAt: new Date(), expiresInSeconds });
}

export function aliOssSigner(input: SigningInput): Signer {
  const client = new OSS({
    accessKeyId: input.accessKeyId,
    accessKeySecret: input.accessKeySecret,
    bucket: input.bucket,
    region: `oss-${input.region}`,
    secure: true,
  });
  const headers = {
    'Content-Type': input.contentType,
    'Content-Length': input.contentLength,
    'x-oss-forbid-overwrite': 'true',
  };
  return () =>
    client.signatureUrlV4('PUT', input.expiresInSeconds, { headers }, input.key, ['content-length']);
}

/** The part of `getSignedUrl` that signs, without the client, and with the hashes of Node. */
export function awsSigner(input: SigningInput): Signer {
  const { accessKeyId, accessKeySecret, contentType, contentLength, bucket, key } = input;
  const presigner = new S3RequestPresigner({
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: accessKeySecret },
    sha256: NodeSha256,
  });
  const hostname = `${bucket}.s3.us-east-1.amazonaws.com`;
  return () =>
    presigner.presign(
      {
        method: 'PUT',
        protocol: 'https:',
        hostname,
        path: `/${key}`,
        query: {},
        headers: {
          host: hostname,
          'content-type': contentType,
          'content-length': String(contentLength),
          'if-none-match': '*',
        },
      },
      {
        expiresIn: input.expiresInSeconds,
        signableHeaders: new Set(['host', 'content-type', 'content-length', 'if-none-match']),
      },
    );
}

class NodeSha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('reset is not supported');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
