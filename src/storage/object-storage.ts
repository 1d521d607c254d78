// The port to an object storage. A provider is a folder next to this file that implements it:
// `oss/`.

/**
 * Id, secret and token from one response of their source. Signatures from a mix of two responses
 * are invalid.
 */
export type SigningCredentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** With temporary credentials only. */
  readonly securityToken?: string;
};

/**
 * One object that a client will upload. Except for the key, all texts are printable ASCII, trimmed
 * and not empty.
 */
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
  /** If present, the storage reports the upload to this address when it has stored the object. */
  readonly callback?: UploadCallback | undefined;
};

/** A POST that the storage sends once an upload is stored. Its JSON has the upload id as `id`. */
export type UploadCallback = {
  /** Absolute; http or https, in the canonical form of the URL standard. */
  readonly url: string;
  /** An upload id: letters, digits, `-`, `_` and `.`. */
  readonly id: string;
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

/** One object that a client will upload by a form. */
export type FormUpload = Omit<ObjectUpload, 'contentLength' | 'contentMd5'> & {
  /** The bytes that the storage accepts, both included. */
  readonly contentLength: { readonly min: number; readonly max: number };
};

export type PresignedForm = {
  readonly method: 'POST';
  readonly url: string;
  /** Every field that the client has to send before the file, unchanged and in any order. */
  readonly fields: Readonly<Record<string, string>>;
  /** The name of the field of the file, which the client sends last. */
  readonly fileField: string;
};

/** A multipart upload that the storage has under way. */
export type MultipartUpload = {
  readonly key: string;
  /** The multipart upload ID: opaque, printable ASCII without blanks. */
  readonly uploadId: string;
};

/** A part that the storage has. */
export type StoredPart = {
  /** 1…10000. */
  readonly partNumber: number;
  /** Bytes. */
  readonly contentLength: number;
  /** Without quotation marks. */
  readonly etag: string;
};

/** One part that a client will upload. */
export type PartUpload = MultipartUpload & {
  /** 1…10000. */
  readonly partNumber: number;
  /** Bytes. The storage accepts exactly this many. */
  readonly contentLength: number;
  /** Base64 of the 16 bytes; if present, the storage rejects bytes that differ. */
  readonly contentMd5?: string | undefined;
};

export type PresignedPart = {
  readonly method: 'PUT';
  readonly url: string;
  /** Empty, or Content-MD5. The client sends no other header, not even a Content-Type. */
  readonly headers: Readonly<Record<string, string>>;
};

/** One object that a client will download. */
export type ObjectDownload = {
  readonly key: string;
  /** Replaces the stored Content-Disposition. Printable ASCII, trimmed and not empty. */
  readonly contentDisposition: string;
};

export type PresignedDownload = {
  readonly method: 'GET';
  /** A GET of it needs no headers. */
  readonly url: string;
};

/** A bucket for which everything is computed that depends only on the policy. */
export type PreparedBucket = {
  /**
   * Prepares uploads that all have `headers`, such as those of a rule.
   * @param metadata the names of the metadata that uploads usually have, in lower case.
   * @throws TypeError for headers that the provider would reject.
   */
  prepareUploads(headers: Readonly<Record<string, string>>, metadata?: readonly string[]): PreparedUploads;
  /**
   * Signs a download. The storage sends the object with this Content-Disposition only.
   * @throws TypeError for input that the storage would reject, or a key that URL parsers would
   *   change.
   */
  presignDownload(download: ObjectDownload, signing: Signing): PresignedDownload;
};

export type PreparedUploads = {
  /**
   * Every header that the client has to send, in its usual spelling. Content-Length is not among
   * them, because browsers forbid setting it and every HTTP client sends it.
   */
  headers(upload: ObjectUpload): Readonly<Record<string, string>>;
  /**
   * The attributes that the object has after the upload. A value that comes from the common headers
   * alone is the same in each result. `metadata` has no prototype.
   */
  attributes(upload: Omit<ObjectUpload, 'contentLength'>): ObjectAttributes;
  /**
   * Signs an upload. The storage accepts only these headers and this length.
   * @throws TypeError for input that the storage would reject, or a key that URL parsers would
   *   change.
   */
  presign(upload: ObjectUpload, signing: Signing): PresignedUpload;
  /**
   * Every field of a form except those of its signature. They do not include the length, which the
   * signature binds.
   * @throws TypeError as `presignForm` for the headers.
   */
  formFields(upload: FormUpload): Readonly<Record<string, string>>;
  /**
   * Signs a form (`multipart/form-data`). The storage accepts only these values of these fields,
   * and a file of this length. Other fields that a client adds are not bound.
   * @throws TypeError for input that the storage would reject, a key that it would expand, and
   *   common headers that a form cannot carry.
   */
  presignForm(upload: FormUpload, signing: Signing): PresignedForm;
  /**
   * The headers of the call that begins a multipart upload: all that describe the object.
   * @throws TypeError for common headers that no call of a multipart upload reads.
   */
  initiateHeaders(
    upload: Omit<ObjectUpload, 'contentLength' | 'contentMd5'>,
  ): Readonly<Record<string, string>>;
  /**
   * The headers of the call that completes a multipart upload. They decide whether an existing
   * object is replaced, so they are sent even if the upload began with the same ones.
   */
  completeHeaders(overwrite: boolean): Readonly<Record<string, string>>;
  /**
   * Signs one part of a multipart upload. The storage accepts only this length and this part.
   * @throws TypeError for input that the storage would reject, or a key that URL parsers would
   *   change.
   */
  presignPart(part: PartUpload, signing: Signing): PresignedPart;
};

/** The access that one rule can grant below a prefix, for the cloud settings that must allow it. */
export type PrefixAccess = {
  readonly bucket: string;
  readonly region: string;
  /** The beginning of each key, with `*` in place of what depends on the caller. */
  readonly prefixPattern: string;
  /** The beginning of each key, up to what depends on the caller. */
  readonly literalPrefix: string;
  /** The methods that clients send to the storage. */
  readonly methods: readonly ('PUT' | 'POST' | 'GET')[];
  /** Each header that a client can be asked to send, in lower case. */
  readonly headers: readonly string[];
  /** Whether the service itself reads the attributes of the objects, to confirm uploads. */
  readonly isChecked: boolean;
  /** Whether the service itself sets tags of the objects, or signs them. */
  readonly isTagged: boolean;
  /** Only if the rule has multipart uploads. */
  readonly multipart?: {
    /** How long an upload can be continued. */
    readonly expiresInSeconds: number;
  };
};

/** An optional ability: CORS rules that let pages use what is granted. */
export type CorsRuleGenerator = (
  access: readonly PrefixAccess[],
  /** Exact origins of the pages, such as `https://app.example.com`. */
  origins: readonly string[],
) => readonly BucketCors[];

/** The one CORS rule that a bucket needs so that pages can use what the policy grants. */
export type BucketCors = {
  readonly bucket: string;
  readonly region: string;
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  /** In lower case, sorted: every header that a response can ask a page to send, and no other. */
  readonly allowedHeaders: readonly string[];
  /** The response headers that a page may read. */
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds: number;
};

/** An optional ability: rules by which the storage aborts unfinished multipart uploads. */
export type LifecycleRuleGenerator = (access: readonly PrefixAccess[]) => readonly BucketLifecycle[];

/** The lifecycle rules that a bucket needs for multipart uploads. Their prefixes do not overlap. */
export type BucketLifecycle = {
  readonly bucket: string;
  readonly region: string;
  readonly rules: readonly {
    /** Begins the keys; empty for all keys of the bucket. */
    readonly prefix: string;
    /** Whole days after which parts are removed. */
    readonly days: number;
  }[];
};

/**
 * An optional ability: the cloud's policy document with the permissions that the signing
 * credentials need.
 */
export type AccessPolicyGenerator<Document> = (access: readonly PrefixAccess[]) => Document;

/** An object as the storage describes it. */
export type StoredObject = {
  /** Bytes. */
  readonly contentLength: number;
  /** As the storage has it: parameters and letter case are those of the upload. */
  readonly contentType: string | undefined;
  /** By name in lower case, without the provider's prefix. The object has no prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly cacheControl: string | undefined;
  readonly contentDisposition: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly expires: string | undefined;
  /** Base64 of the 16 bytes; only where the storage knows it. */
  readonly contentMd5: string | undefined;
  /** Without quotation marks. */
  readonly etag: string;
  /** CRC-64/ECMA of the bytes as an unsigned decimal number; only very old objects lack it. */
  readonly crc64: string | undefined;
  /** `symlink`: a GET returns the bytes of another object. `unknown`: no type, or a new one. */
  readonly objectType: 'normal' | 'multipart' | 'appendable' | 'symlink' | 'unknown';
  /** Whether the storage replaces Content-Disposition by `attachment` (`x-oss-force-download`). */
  readonly isDownloadForced: boolean;
  /** In a versioned bucket: names these bytes for good. */
  readonly versionId: string | undefined;
  /** In whole seconds. */
  readonly lastModified: Date;
};

/** The attributes of an object that an upload sets, as the storage describes them. */
export type ObjectAttributes = Pick<
  StoredObject,
  'metadata' | 'cacheControl' | 'contentDisposition' | 'contentEncoding' | 'expires'
>;

/** The calls that the service makes to a bucket itself, bounded in time, size and number. */
export type BucketClient = {
  /**
   * Asks the storage what it has under a key.
   * @param deadline the call ends by then, at the latest.
   * @returns undefined if there is no object under this key.
   * @throws StorageError if the response neither describes the object nor reports its absence.
   * @throws whatever the source of the credentials rejects with.
   */
  headObject(key: string, deadline?: Date): Promise<StoredObject | undefined>;
  /**
   * Begins a multipart upload. If the response is lost, an upload without parts stays, which the
   * storage removes by its lifecycle rule.
   * @param headers as `initiateHeaders` returns them.
   * @throws StorageError, or whatever the source of the credentials rejects with.
   */
  initiateMultipartUpload(
    key: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<MultipartUpload | 'object_exists'>;
  /**
   * Lists all parts of a multipart upload, ascending by number.
   * @param deadline the list ends by then, at the latest.
   * @returns undefined if there is no such upload: it is completed, aborted, or never began.
   * @throws StorageError, or whatever the source of the credentials rejects with.
   */
  listParts(upload: MultipartUpload, deadline?: Date): Promise<readonly StoredPart[] | undefined>;
  /**
   * Assembles the object from exactly these parts. The storage can complete it even if the call
   * fails, so a failure has to be settled by `headObject`.
   * @param parts ascending by number; at least one.
   * @param headers as `completeHeaders` returns them.
   * @param deadline the call ends by then, at the latest.
   * @returns `parts_changed` if the storage no longer has one of the parts with this ETag.
   * @throws StorageError, or whatever the source of the credentials rejects with.
   */
  completeMultipartUpload(
    upload: MultipartUpload,
    parts: readonly Pick<StoredPart, 'partNumber' | 'etag'>[],
    headers: Readonly<Record<string, string>>,
    deadline?: Date,
  ): Promise<'completed' | 'no_such_upload' | 'object_exists' | 'parts_changed'>;
  /**
   * Removes a multipart upload and its parts. Succeeds if it is gone already. A part that is being
   * uploaded can stay; the storage removes it by its lifecycle rule.
   * @throws StorageError, or whatever the source of the credentials rejects with.
   */
  abortMultipartUpload(upload: MultipartUpload): Promise<void>;
};
