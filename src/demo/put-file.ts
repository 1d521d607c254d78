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
 * Sends a file to a presigned URL with exactly the headers given, streamed from disk.
 * @param onProgress called with the bytes sent so far, after each chunk.
 */
export async function putFile(options: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly file: string;
  readonly bytes: number;
  readonly onProgress: (sentBytes: number) => void;
}): Promise<PutResponse> {
  const { url, headers, file, bytes, onProgress } = options;
  const put = request(url, { method: 'PUT', headers: { ...headers, 'Content-Length': bytes } });
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
  const sending = pipeline(createReadStream(file), counter, put).catch(() => undefined);
  const response = await received;
  await sending;
  return response;
}
