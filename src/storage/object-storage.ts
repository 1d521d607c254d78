// The port to an object storage. A provider is a folder beside this file that implements it: `oss/`.

/** Id, secret and token from one response of their source. A mix of two does not verify. */
export type SigningCredentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** With temporary credentials only. */
  readonly securityToken?: string;
};

/** One object as a client will upload it. All texts are printable ASCII, trimmed and not empty, except the key. */
export type ObjectUpload = {
  readonly key: string;
  readonly contentType: string;
  /** Bytes; if present, the storage accepts exactly this many. */
  readonly contentLength?: number | undefined;
  /** Base64 of the 16 bytes; if present, the storage rejects bytes that differ. */
  readonly contentMd5?: string | undefined;
  /** By name in lower case, without the provider's prefix. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  /** Whether an existing object is replaced. */
  readonly overwrite: boolean;
};

export type Signing = {
  readonly credentials: SigningCredentials;
  /** Cut to whole seconds. */
  readonly signedAt: Date;
  /** 1…604800, from `signedAt`. */
  readonly expiresInSeconds: number;
};

export type PresignedUpload = {
  readonly method: 'PUT';
  readonly url: string;
  /** Every header that the client has to send, unchanged. */
  readonly headers: Readonly<Record<string, string>>;
};

/** A bucket with everything computed that depends on the policy only. */
export type PreparedBucket = {
  /**
   * Prepares uploads that all have `headers`, such as those of a rule.
   * @throws TypeError for headers that the provider would reject.
   */
  prepareUploads(headers: Readonly<Record<string, string>>): PreparedUploads;
};

export type PreparedUploads = {
  /**
   * Every header that the client has to send, by its usual spelling. Content-Length is not among them: browsers forbid
   * setting it, and every HTTP client sends it by itself.
   */
  headers(upload: ObjectUpload): Readonly<Record<string, string>>;
  /**
   * Signs an upload so that the storage accepts these headers and this length, and nothing else.
   * @throws TypeError for input that the storage would reject, or a key that URL parsers would change.
   */
  presign(upload: ObjectUpload, signing: Signing): PresignedUpload;
};

/** The uploads that one rule can grant, for settings of the cloud that have to allow them. */
export type GrantableUploads = {
  readonly bucket: string;
  readonly region: string;
  /** The beginning of each key, with `*` in place of what depends on the caller. */
  readonly prefixPattern: string;
  /** Each header that a client can be asked to send, in lower case. */
  readonly headers: readonly string[];
};

/** An optional ability: CORS rules that let pages upload. */
export type CorsRuleGenerator = (
  uploads: readonly GrantableUploads[],
  /** Exact origins of the pages, such as `https://app.example.com`. */
  origins: readonly string[],
) => readonly BucketCors[];

/** The one CORS rule that a bucket needs so that pages can upload what the policy grants. */
export type BucketCors = {
  readonly bucket: string;
  readonly region: string;
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  /** In lower case, sorted: every header that a response can ask a page to send, and no other. */
  readonly allowedHeaders: readonly string[];
  /** What a page may read of the storage's response. */
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds: number;
};

/** An optional ability: a policy document of the cloud with the least that the signing credentials need. */
export type AccessPolicyGenerator<Document> = (uploads: readonly GrantableUploads[]) => Document;
