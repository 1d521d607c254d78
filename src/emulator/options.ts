/**
 * One access key that the emulator accepts. With a `securityToken` it is temporary (STS), and
 * requests must send the token.
 */
export type EmulatorCredentials = {
  accessKeyId: string;
  accessKeySecret: string;
  securityToken?: string;
  /** When the token expires. Without it, never. */
  expiresAt?: Date;
};

/**
 * One CORS rule of a bucket. Origins and headers may contain one `*` each. The first rule that
 * matches applies.
 */
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
  /**
   * Whether objects get a version id, as with versioning in OSS. Only the newest version is kept,
   * and a deleted object leaves no delete marker.
   */
  isVersioned?: boolean;
};

/** The outcome of one request, for logs. It never contains a query string, a header or a token. */
export type EmulatorEvent = {
  requestId: string;
  method: string;
  bucket: string | null;
  key: string;
  /** 499 if the client disconnected before the response. */
  status: number;
  /** OSS's error code and error category (`EC`), if the request was rejected. */
  code?: string;
  ec?: string;
  /** Bytes of the object that were stored or sent. */
  bytes: number;
};

/** How the emulator calls back after an upload. Every default is the behaviour of OSS. */
export type EmulatorCallbacks = {
  /** The RSA key that signs calls (PEM). Default: a new one of 512 bits. */
  privateKey?: string;
  /**
   * The URL of the public key that calls name. Default: that of OSS, where no key of an emulator
   * is.
   */
  publicKeyUrl?: string;
  /** Also calls loopback and private addresses. Default false. */
  allowPrivateAddresses?: boolean;
  /** The authorities (PEM) to trust for https. Default: those of Node.js. */
  ca?: string;
};

export type EmulatorOptions = {
  /** The folder of the objects, created if missing. Only one emulator at a time may use it. */
  directory: string;
  buckets: Readonly<Record<string, EmulatorBucket>>;
  credentials: readonly EmulatorCredentials[];
  clock: () => Date;
  /**
   * Returns a new id for each request: 24 upper-case hex digits, as OSS sends. Random by default.
   */
  newRequestId?: () => string;
  onRequest?: (event: EmulatorEvent) => void;
  callbacks?: EmulatorCallbacks;
};
