import { createPublicKey, type KeyObject } from 'node:crypto';

/** The largest key that is parsed, in UTF-16 code units. A key of 4096 bits has 800. */
export const MAX_PEM_LENGTH = 16 * 1024;

/** Larger keys take milliseconds per signature. OSS's own key has 512 bits. */
const MIN_KEY_BITS = 512;
const MAX_KEY_BITS = 8192;

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]{1,64})-----/g;

/** Why a PEM block of another kind is not a public key, and how to get one. */
const OTHER_BLOCKS: readonly (readonly [RegExp, string])[] = [
  [
    /PRIVATE KEY$/,
    'holds a private key; the service needs the public key only, from openssl pkey -pubout -in FILE',
  ],
  [/CERTIFICATE$/, 'holds a certificate; write its public key, from openssl x509 -pubkey -noout -in FILE'],
];

/**
 * Parses the public key that verifies callbacks: RSA, in PEM (`PUBLIC KEY` or `RSA PUBLIC KEY`).
 * @returns the key, or its fault: the end of a sentence that begins with the file, without any part
 *   of the content.
 */
export function parseCallbackKey(pem: string): { readonly key: KeyObject } | { readonly fault: string } {
  if (pem.length > MAX_PEM_LENGTH)
    return { fault: `is larger than ${MAX_PEM_LENGTH / 1024} KiB, so it is not a public key` };
  if (pem.trim() === '') return { fault: 'is empty; it must hold a public RSA key in PEM' };
  const labels = [...pem.matchAll(PEM_BLOCK)].map(([, label = '']) => label);
  for (const [pattern, fault] of OTHER_BLOCKS)
    if (labels.some((label) => pattern.test(label))) return { fault };
  if (labels.length === 0) return { fault: 'is not PEM; it must begin with -----BEGIN PUBLIC KEY-----' };
  if (labels.length > 1) return { fault: `holds ${labels.length} PEM blocks; leave one public key` };
  if (labels[0] !== 'PUBLIC KEY' && labels[0] !== 'RSA PUBLIC KEY')
    return { fault: 'does not hold a public key; it must begin with -----BEGIN PUBLIC KEY-----' };
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    // The error of OpenSSL names its own functions, and nothing that helps.
    return { fault: 'is damaged: its PEM block is not a public key' };
  }
  if (key.asymmetricKeyType !== 'rsa')
    return { fault: 'holds a key of another kind; OSS signs callbacks with RSA' };
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < MIN_KEY_BITS || bits > MAX_KEY_BITS)
    return { fault: `holds an RSA key of ${bits} bits; it must have ${MIN_KEY_BITS} to ${MAX_KEY_BITS}` };
  return { key };
}
