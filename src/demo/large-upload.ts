import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { CompletedUpload, UploadStatus } from '../grants/completion/response.ts';
import type { SignedParts } from '../grants/multipart/parts-response.ts';
import type { MultipartGrant } from '../grants/upload/response.ts';
import { curlPart } from './curl-command.ts';
import type { DemoEnvironment } from './demo-environment.ts';
import { putFile } from './put-file.ts';
import { sha256 } from './sha256.ts';
import { post, say, showProgress, showResponse, unexpected } from './show.ts';
import { verifyReceipt } from './verify-receipt.ts';

/** The servers of the demo, the token of its user, and the file on disk. */
export type LargeUpload = Pick<DemoEnvironment, 'serviceUrl'> & {
  readonly token: string;
  readonly file: string;
  readonly bytes: number;
};

type SignedPart = SignedParts['parts'][number];

/**
 * Begins to send a file in parts, and breaks off in the middle of part 2.
 * @returns the upload id, which is all that a client needs to resume.
 */
export async function startLargeUpload(upload: LargeUpload): Promise<string> {
  const { serviceUrl, token, file, bytes } = upload;
  const { status, body } = await post(`${serviceUrl}/v1/uploads`, token, {
    transfer: 'multipart',
    filename: 'holiday.mp4',
    contentType: 'video/mp4',
    contentLength: bytes,
  });
  if (status !== 201) throw unexpected(status, body);
  showResponse('201 Created', body);
  const { id } = body as MultipartGrant;
  say('\nThe client requests the URLs of some parts.\n');
  const [first, second] = await signParts(upload, id, [1, 2]);
  if (!first || !second) throw new Error('two parts were not signed');
  say(`Then it sends each part to its URL:\n\n${curlPart({ ...first, file })}`);
  if (!(await sendPart(upload, first))) throw new Error('part 1 was not sent');
  const isSent = await sendPart(upload, second, second.contentLength / 2);
  if (isSent) throw new Error('part 2 was sent, although its connection was to break');
  say('\nThe connection broke in the middle of part 2, and the client ended.');
  return id;
}

/** Sends the parts that are missing, confirms the upload, and compares the bytes. */
export async function resumeLargeUpload(upload: LargeUpload, id: string): Promise<void> {
  const { serviceUrl, token, file } = upload;
  const { status, body } = await post(`${serviceUrl}/v1/uploads/status`, token, { id });
  if (status !== 200) throw unexpected(status, body);
  showResponse('200 OK', body);
  const { missing = [] } = body as UploadStatus;
  const numbers = missing.flatMap(({ from, to }) =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i),
  );
  if (numbers.join() !== '2,3,4') throw new Error(`the parts ${numbers.join()} are missing`);
  say('\nPart 1 is stored, so the client sends the other three.\n');
  for (const part of await signParts(upload, id, numbers))
    if (!(await sendPart(upload, part))) throw new Error(`part ${part.partNumber} was not sent`);
  say('\n\nThe service assembles the parts, checks the object, and signs a receipt.\n');
  const completed = await post(`${serviceUrl}/v1/uploads/complete`, token, { id });
  if (completed.status !== 200) throw unexpected(completed.status, completed.body);
  const { key, contentLength } = completed.body as CompletedUpload;
  await verifyReceipt(serviceUrl, completed.body as CompletedUpload);
  const [sent, stored] = [await sha256(createReadStream(file)), await storedSha256(upload, key)];
  if (sent !== stored) throw new Error('the assembled bytes are not those of the file');
  say(`\n200 OK, ${key} has ${contentLength} bytes, those of the file, and its receipt is valid`);
}

async function signParts(
  { serviceUrl, token }: LargeUpload,
  id: string,
  partNumbers: readonly number[],
): Promise<readonly SignedPart[]> {
  const { status, body } = await post(`${serviceUrl}/v1/uploads/parts`, token, { id, partNumbers });
  if (status !== 200) throw unexpected(status, body);
  const { parts } = body as SignedParts;
  const [first] = parts;
  showResponse(`200 OK, ${parts.length} parts. The first one:`, first);
  say('');
  return parts;
}

/**
 * Sends a part.
 * @param breakAfter bytes after which the connection is broken, if it is.
 * @returns whether the part was sent.
 */
async function sendPart(
  { file, bytes }: LargeUpload,
  { url, headers, offset, contentLength }: SignedPart,
  breakAfter?: number,
): Promise<boolean> {
  const connection = new AbortController();
  try {
    const response = await putFile({
      url,
      headers,
      file,
      offset,
      bytes: contentLength,
      signal: connection.signal,
      onProgress: (sent) => {
        showProgress(offset + sent, bytes);
        if (breakAfter !== undefined && sent >= breakAfter) connection.abort();
      },
    });
    if (response.status !== 200)
      throw new Error(`the bucket responded with ${response.status}: ${response.body}`);
    return true;
  } catch (error) {
    if (connection.signal.aborted) return false;
    throw error;
  }
}

/** The SHA-256 of an object of the bucket, in hex. */
async function storedSha256({ serviceUrl, token }: LargeUpload, key: string): Promise<string> {
  const response = await fetch(`${serviceUrl}/v1/downloads`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ key }),
  });
  const { url } = (await response.json()) as { readonly url: string };
  const object = await fetch(url);
  if (!object.ok || !object.body) throw new Error(`the bucket responded to GET with ${object.status}`);
  return sha256(Readable.fromWeb(object.body));
}
