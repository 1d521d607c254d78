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
   * Calls the URLs of a callback in turn until one responds, for at most 5 s in all.
   * @returns the JSON of the response.
   * @throws OssError `CallbackFailed` if there is no response of status 200 with JSON of at most
   *   1 MB.
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
}): CallbackCaller {
  const { key, publicKeyUrl, allowPrivateAddresses, ca } = options;
  const lookup = createLookup(allowPrivateAddresses);
  const closing = new AbortController();

  const callInTurn = async (callback: Callback, body: Buffer, signal: AbortSignal): Promise<HttpResponse> => {
    const { sendsServerName } = callback;
    for (const url of callback.urls) {
      try {
        const request = renderRequest(callback, url, body);
        return await exchangeHttp(url, request, { sendsServerName, lookup, ca, signal });
      } catch {
        if (signal.aborted) throw new OssError('callbackTimeout');
      }
    }
    throw new OssError('callbackUnreachable');
  };

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
    call: async (callback, body) => {
      const ending = new AbortController();
      const timer = setTimeout(() => ending.abort(), TIMEOUT_MS);
      try {
        const signal = AbortSignal.any([ending.signal, closing.signal]);
        return readJson(await callInTurn(callback, Buffer.from(body), signal));
      } finally {
        clearTimeout(timer);
      }
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
