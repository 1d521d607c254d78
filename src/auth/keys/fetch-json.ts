/** Generous: the largest key sets in the field, with certificates in them, are below 100 KiB. */
const MAX_BODY_BYTES = 1024 * 1024;

export type JsonRequest = { readonly fetch: typeof fetch; readonly signal: AbortSignal };

/**
 * Fetches one JSON document: status 200, at most 1 MiB (after decompression). Redirects are not followed, since they
 * would move the trust that the operator put into one address to another one.
 * @throws Error whose message may be shown to operators; it holds no address and nothing of the answer.
 */
export async function fetchJson(url: string, { fetch, signal }: JsonRequest): Promise<unknown> {
  const body = await fetchBody(url, { fetch, signal });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new Error('The answer is not JSON.', { cause });
  }
}

async function fetchBody(url: string, { fetch, signal }: JsonRequest): Promise<Uint8Array> {
  try {
    const response = await fetch(url, {
      signal,
      redirect: 'manual',
      headers: { accept: 'application/json' },
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new AnswerError(`The answer has status ${response.status}, not 200.`);
    }
    return await readAtMost(MAX_BODY_BYTES, response);
  } catch (error) {
    if (error instanceof AnswerError) throw error;
    throw new Error(signal.aborted ? 'No answer came in time.' : 'No answer could be had.', { cause: error });
  }
}

class AnswerError extends Error {}

async function readAtMost(maxBytes: number, { body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of body ?? []) {
    lengthBytes += chunk.length;
    // Leaving the loop cancels the rest of the answer.
    if (lengthBytes > maxBytes) throw new AnswerError(`The answer is longer than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
