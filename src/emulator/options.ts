/** One access key that the emulator believes. With a `securityToken` it is temporary (STS): requests must carry the token. */
export type EmulatorCredentials = {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken?: string;
  /** From this instant on the token is over. Never, when absent. */
  expiresAt?: Date;
};

/** One CORS rule of a bucket. Origins and headers may hold one `*` each; the first rule that matches answers. */
export type CorsRule = {
  allowedOrigins: string[];
  allowedMethods: string[];
  allowedHeaders: string[];
  exposeHeaders: string[];
  maxAgeSeconds?: number;
};

export type EmulatorBucket = {
  /** The region id that signatures must name, without `oss-`: `cn-hangzhou`. */
  region: string;
  /** Custom domains (CNAME) of the bucket, without port. */
  domains?: readonly string[];
  corsRules?: readonly CorsRule[];
};

/** What happened to one request. Made for logs: it never holds a query string, a header or a token. */
export type EmulatorEvent = {
  requestId: string;
  method: string;
  bucket: string | null;
  key: string;
  /** 499 when the client went away before it had an answer. */
  status: number;
  /** OSS's error code and error category (`EC`), for a refused request. */
  code?: string;
  ec?: string;
  /** Bytes of the object that were stored or sent. */
  bytes: number;
};

export type EmulatorOptions = {
  /** Where the objects live; created when missing. One emulator at a time may use it. */
  directory: string;
  buckets: Readonly<Record<string, EmulatorBucket>>;
  credentials: readonly EmulatorCredentials[];
  clock: () => Date;
  /** A new id for each request, 24 upper-case hex digits like OSS's own. Random by default. */
  newRequestId?: () => string;
  onRequest?: (event: EmulatorEvent) => void;
};
