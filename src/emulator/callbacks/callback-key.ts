import { createPrivateKey, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';

/** As long as that of OSS, whose key protects no secret either. Longer ones take long to make. */
const KEY_BITS = 512;

/** The key pair that signs callbacks. */
export type CallbackKey = {
  /** PEM, SPKI. */
  readonly publicKey: string;
  /** RSA PKCS#1 v1.5 with MD5 (OSS help: "Callback"), as Base64. */
  sign(data: Uint8Array): string;
};

/**
 * Makes a new RSA key pair, or takes the private key from a PEM.
 * @throws Error if the PEM is not an RSA private key.
 */
export function createCallbackKey(privateKeyPem?: string): CallbackKey {
  const privateKey =
    privateKeyPem === undefined
      ? generateKeyPairSync('rsa', { modulusLength: KEY_BITS }).privateKey
      : createPrivateKey(privateKeyPem);
  if (privateKey.asymmetricKeyType !== 'rsa') throw new Error('The private key of callbacks must be RSA.');
  return {
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
    sign: (data) => createSign('RSA-MD5').update(data).sign(privateKey, 'base64'),
  };
}

/** OSS signs the percent-decoded path, the query as sent, a line feed and the body. */
export function callbackSignedData(path: string, search: string, body: Uint8Array): Buffer {
  const decoded = path.replaceAll(/%([0-9a-f]{2})/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.concat([Buffer.from(decoded, 'latin1'), Buffer.from(`${search}\n`), body]);
}
