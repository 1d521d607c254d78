import { createHmac } from 'node:crypto';

/** The parts of a notification that its signature covers. */
export type SignedMessage = {
  /** Has no dot. */
  readonly id: string;
  /** Since 1970. */
  readonly timestampSeconds: number;
  readonly body: string;
};

/**
 * Returns the headers that authenticate a notification: HMAC-SHA256 over `id.timestamp.body`, one
 * signature for each secret in their order. Source: Standard Webhooks, "Signature scheme".
 * @param secrets the decoded bytes.
 */
export function signatureHeaders(
  { id, timestampSeconds, body }: SignedMessage,
  secrets: readonly Uint8Array[],
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const content = `${id}.${timestampSeconds}.${body}`;
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(content).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  };
}
