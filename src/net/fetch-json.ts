import { callHttp, type HttpCall, hostOf } from './http-call.ts';

/** Generous: the largest key sets in the field, with certificates in them, are below 100 KiB. */
const MAX_BODY_BYTES = 1024 * 1024;

export type JsonRequest = Pick<HttpCall, 'fetch' | 'signal'>;

/**
 * Fetches one JSON document: status 200, at most 1 MiB.
 * @throws Error as {@link callHttp} does. Its message contains nothing of the response.
 */
export async function fetchJson(url: string, { fetch, signal }: JsonRequest): Promise<unknown> {
  const { body } = await callHttp(url, {
    fetch,
    signal,
    headers: { accept: 'application/json' },
    statuses: [200],
    maxBytes: MAX_BODY_BYTES,
  });
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // Without the cause: its message contains a part of the response, and it would be logged.
    throw new Error(`the response of ${hostOf(url)} is not JSON`);
  }
}
