import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

/** The SHA-256 of a stream, in hex. */
export async function sha256(stream: Readable): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of stream) digest.update(chunk);
  return digest.digest('hex');
}
