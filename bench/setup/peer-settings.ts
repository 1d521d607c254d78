/** The settings of the peers. `bench/peers/go/serve.go` has the same fields. */
export type PeerSettings = {
  readonly audience: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** SPKI, PEM. */
  readonly publicKeys: { readonly RS256: string; readonly ES256: string };
  /** For HS256. */
  readonly secret: string;
  readonly contentTypes: readonly string[];
  /** Bytes. */
  readonly maxSize: number;
  readonly expiresInSeconds: number;
};
