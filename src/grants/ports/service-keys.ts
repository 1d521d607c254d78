import type { KeyObject } from 'node:crypto';

/**
 * Returns the HMAC-SHA256 of a text's UTF-8 with a secret: 43 characters, the canonical base64url
 * of 32 bytes.
 */
export type Mac = (text: string) => string;

/** One private key of this service, with the secrets that are derived from it once per load. */
export type ServiceKey = {
  /** Names the key in upload ids and in the header of receipts. */
  readonly kid: string;
  /** Authenticates upload ids. */
  readonly uploadIdMac: Mac;
  /** Turns an `Idempotency-Key` into the id of a grant. */
  readonly idempotencyMac: Mac;
  /** The P-256 private key that signs receipts (ES256). */
  readonly receiptKey: KeyObject;
};

/** The service keys of one load. They never change: a replaced file is a new value. */
export type ServiceKeys = {
  /** The key that signs new upload ids and receipts: the first one of the file. */
  readonly signing: ServiceKey;
  /**
   * Returns the key of a `kid`, to verify what it signed; undefined if there is none.
   * @param kid of any length and content: a caller may have chosen it.
   */
  find(kid: string): ServiceKey | undefined;
  /** The public keys (RFC 7517 5), with `kty`, `crv`, `x`, `y`, `kid`, `use` and `alg` only. */
  readonly jwks: { readonly keys: readonly Readonly<Record<string, string>>[] };
};

/** The source of the service keys. */
export type ServiceKeysSource = {
  /**
   * Returns the keys in use. Read them once per request: the next call may return other ones. Never
   * throws and never waits.
   */
  current(): ServiceKeys;
  /**
   * Whether the keys come from `SERVICE_KEYS_FILE`, so that other replicas have the same ones. If
   * not, only this process can continue its uploads, and only until it stops.
   */
  readonly isShared: boolean;
};
