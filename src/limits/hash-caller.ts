import { createHash } from 'node:crypto';

/**
 * Names one caller under one rule without telling who it is: SHA-256 in base64url, 43 characters. Subjects are often
 * e-mail addresses, which have no business in a shared store or its dumps.
 */
export function hashCaller(issuer: string, subject: string, rule: string): string {
  // JSON quotes each part, so that no two different triples are written alike, whatever characters they hold.
  return createHash('sha256')
    .update(JSON.stringify([issuer, subject, rule]))
    .digest('base64url');
}
