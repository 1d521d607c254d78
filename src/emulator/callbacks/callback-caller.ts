import { OssError } from '../oss-error.ts';
import { type CallbackKey, callbackSignedData } from './callback-key.ts';
import { exchangeHttp, type HttpResponse } from './http-exchange.ts';
import { createLookup } from './private-address.ts';
import type { Callback } from './read-callback.ts';

/** How long OSS waits for the response, over all URLs of a callback. */
const TIMEOUT_MS = 5_000;

/** Makes the calls of uploads. */
export type CallbackCaller = {
  readonly allowPrivateAddresses: boolean;
  /**
   * Calls the URLs of a callback in turn until one call succeeds, for at most 5 s in all. A call
   * succeeds if its response has status 200 and JSON of at most 1 MB.
   * @returns the JSON of that response.
   * @throws OssError `CallbackFailed` with the reason of the last call.
   */
  call(callback: Callback, body: string): Promise<Buffer>;
  /** Ends the calls in progress. */
  close(): void;
};

export function createCallbackCaller(options: {
  readonly key: CallbackKey;
  readonly publicKeyUrl: string;
  readonly allowPrivateAddresses: boolean;
  readonly ca: string | undefined;
  /** Returns a signal that aborts after so many milliseconds. */
  readonly timeout: (ms: number) => AbortSignal;
}): CallbackCaller {
  const { key, publicKeyUrl, allowPrivateAddresses, ca, timeout } = options;
  const lookup = createLookup(allowPrivateAddresses);
  const closing = new AbortController();

  const renderRequest = (callback: Callback, url: URL, body: Buffer): Buffer => {
    const { pathname, search } = url;
    const headers = {
      Host: callback.host ?? url.host,
      Connection: 'close',
      'Content-Length': String(body.length),
      'Content-Type': callback.bodyType,
      'User-Agent': 'http-client/0.0.1',
      authorization: key.sign(callbackSignedData(pathname, search, body)),
      'x-oss-pub-key-url': Buffer.from(publicKeyUrl).toString('base64'),
      ...callback.headers,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.concat([Buffer.from(`POST ${pathname}${search} HTTP/1.0\r\n${lines.join('')}\r\n`), body]);
  };

  return {
    allowPrivateAddresses,
    call: async (callback, text) => {
      const { urls, sendsServerName } = callback;
      const body = Buffer.from(text);
      const signal = AbortSignal.any([timeout(TIMEOUT_MS), closing.signal]);
      let fault = new OssError('callbackUnreachable');
      for (const url of urls) {
        try {
          const request = renderRequest(callback, url, body);
          return readJson(await exchangeHttp(url, request, { sendsServerName, lookup, ca, signal }));
        } catch (error) {
          if (signal.aborted) throw new OssError('callbackTimeout');
          fault = error instanceof OssError ? error : new OssError('callbackUnreachable');
        }
      }
      throw fault;
    },
    close: () => closing.abort(),
  };
}

function readJson({ status, body, isTooLong }: HttpResponse): Buffer {
  if (status !== 200) throw new OssError('callbackStatus', {}, `${status}.`);
  if (isTooLong) throw new OssError('callbackResponseTooLong');
  try {
    if (body === null) throw new Error('The response has no body.');
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
    return body;
  } catch {
    throw new OssError('callbackResponseNotJson');
  }
}
