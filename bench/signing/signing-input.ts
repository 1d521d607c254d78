import { BENCH_CREDENTIALS, BUCKET, REGION } from '../setup/setup.ts';

/** The request to sign, in a form for all signers. `bench/peers/go/sign.go` has the same fields. */
export type SigningInput = {
  readonly region: string;
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
  readonly contentLength: number;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly expiresInSeconds: number;
  /** The duration of signing, after a warm-up of half of it. */
  readonly milliseconds: number;
};

export function signingInput(milliseconds: number): SigningInput {
  return {
    ...BENCH_CREDENTIALS,
    region: REGION,
    bucket: BUCKET,
    key: 'users/caller-000001/photos/IMG_20261123_101500.jpg',
    contentType: 'image/jpeg',
    contentLength: 48_213,
    expiresInSeconds: 600,
    milliseconds,
  };
}
