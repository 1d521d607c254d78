import type { PresignInput } from '../../src/storage/oss/signing/presign.ts';
import { readXml, type TestEmulator } from './test-emulator.ts';

/** The smallest size of a part that is not the last. */
export const MIN_PART_BYTES = 102_400;

type Change = Partial<PresignInput>;
type Sent = { readonly body?: Buffer | string; readonly unsignedHeaders?: Readonly<Record<string, string>> };

/** The calls of a multipart upload of one object, each with a presigned URL. */
export function multipartCalls(emulator: TestEmulator, key: string) {
  const call = (
    method: string,
    query: Readonly<Record<string, string>>,
    { body, headers = {}, unsignedHeaders = {}, ...change }: Change & Sent = {},
  ): Promise<Response> => {
    const url = emulator.presign({ method, key, query, headers, ...change });
    // fetch would add a type to a text.
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    return fetch(url, { method, headers: { ...headers, ...unsignedHeaders }, ...(bytes && { body: bytes }) });
  };
  const putPart = (uploadId: string, partNumber: number, body: Buffer, change: Change = {}) =>
    call('PUT', { partNumber: String(partNumber), uploadId }, { ...change, body });
  return {
    call,
    putPart,
    /** Resolves with the id. */
    initiate: async (change: Change = {}): Promise<string> => {
      const response = await call('POST', { uploads: '' }, change);
      const { UploadId } = readXml(await response.text());
      if (UploadId === undefined) throw new Error(`no upload was initiated: ${response.status}`);
      return UploadId;
    },
    /** Sends parts with the numbers from 1. Resolves with the body of the call that completes them. */
    putParts: async (uploadId: string, parts: readonly Buffer[]): Promise<string> => {
      const responses = await Promise.all(parts.map((part, index) => putPart(uploadId, index + 1, part)));
      return completeList(responses.map(({ headers }, index) => [index + 1, headers.get('etag') ?? '']));
    },
    listParts: (uploadId: string, query: Readonly<Record<string, string>> = {}) =>
      call('GET', { ...query, uploadId }),
    complete: (uploadId: string, body: string, change: Change = {}) =>
      call('POST', { uploadId }, { ...change, body }),
    completeAll: (uploadId: string, { headers, ...change }: Change & { body?: string } = {}) =>
      call('POST', { uploadId }, { ...change, headers: { 'x-oss-complete-all': 'yes', ...headers } }),
    abort: (uploadId: string) => call('DELETE', { uploadId }),
    head: () => call('HEAD', {}),
    read: async (headers: Readonly<Record<string, string>> = {}): Promise<Buffer> => {
      const response = await fetch(emulator.presign({ method: 'GET', key }), { headers });
      return Buffer.from(await response.arrayBuffer());
    },
  };
}

/** The body of CompleteMultipartUpload for part numbers and ETags. */
export function completeList(parts: readonly (readonly [partNumber: number, etag: string])[]): string {
  const elements = parts.map(
    ([partNumber, etag]) => `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`,
  );
  return `<CompleteMultipartUpload>${elements.join('')}</CompleteMultipartUpload>`;
}

/** Status, `Code` and `EC` of a response. */
export async function faultOf(
  response: Response,
): Promise<readonly [number, string | undefined, string | undefined]> {
  const { Code, EC } = readXml(await response.text());
  return [response.status, Code, EC];
}
