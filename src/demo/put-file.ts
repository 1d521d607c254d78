import { createReadStream } from 'node:fs';
import { request } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type PutResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
};

/**
 * Sends a file, or a part of it, to a presigned URL with exactly the headers given, streamed from
 * disk.
 * @throws Error if there is no response, or `signal` is aborted before it.
 */
export async function putFile(options: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly file: string;
  /** Where in the file the bytes begin; by default at its start. */
  readonly offset?: number;
  readonly bytes: number;
  /** Called with the bytes sent so far, after each chunk. */
  readonly onProgress: (sentBytes: number) => void;
  readonly signal?: AbortSignal;
}): Promise<PutResponse> {
  const { url, headers, file, offset = 0, bytes, onProgress, signal } = options;
  const put = request(url, { method: 'PUT', headers: { ...headers, 'Content-Length': bytes }, signal });
  const received = new Promise<PutResponse>((resolve, reject) => {
    put.once('error', reject);
    put.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
  });
  let sent = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      onProgress(sent);
      done(null, chunk);
    },
  });
  // The server can reject the request and close the connection before the last byte is sent. Then
  // the response has the reason, and the error of the pipe does not count.
  // An end before the start is an error, so an empty file is read to its own end.
  const source = createReadStream(file, { start: offset, ...(bytes > 0 && { end: offset + bytes - 1 }) });
  const sending = pipeline(source, counter, put).catch(() => undefined);
  const response = await received;
  await sending;
  return response;
}
