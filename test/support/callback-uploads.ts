import { multipartCalls } from './multipart-upload.ts';
import { postForm, signForm } from './post-form.ts';
import { BUCKET, type TestEmulator } from './test-emulator.ts';

/** Every operation and place of a callback. */
export const CALLBACK_PLACES = [
  'the header of a PUT',
  'the query of a PUT',
  'a form',
  'the header of Complete',
  'the query of Complete',
] as const;
export type CallbackPlace = (typeof CALLBACK_PLACES)[number];

export type CallbackUpload = {
  /** Base64, as it is sent. */
  readonly callback: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly key?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly type?: string;
};

export function base64Json(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

/** Uploads an object with a callback in a place. Resolves with the response that has its result. */
export async function uploadWithCallback(
  emulator: TestEmulator,
  place: CallbackPlace,
  { callback, variables = {}, key = 'a.txt', body = 'hello', type = 'text/plain' }: CallbackUpload,
): Promise<Response> {
  const headers = { 'content-type': type };
  const hasVariables = Object.keys(variables).length > 0;
  const inHeader = {
    'x-oss-callback': callback,
    ...(hasVariables && { 'x-oss-callback-var': base64Json(variables) }),
  };
  const inQuery = { callback, ...(hasVariables && { 'callback-var': base64Json(variables) }) };
  if (place === 'the header of a PUT') {
    return emulator.put(key, body, { headers: { ...headers, ...inHeader } });
  }
  if (place === 'the query of a PUT') return emulator.put(key, body, { headers, query: inQuery });
  if (place === 'a form') {
    const fields = { ...signForm(), key, callback, ...variables };
    return postForm({ url: `${emulator.url}/${BUCKET}`, fields, fileField: 'file' }, { body, type });
  }
  const { initiate, putParts, call } = multipartCalls(emulator, key);
  const uploadId = await initiate({ headers });
  const list = await putParts(uploadId, [Buffer.from(body)]);
  return place === 'the header of Complete'
    ? call('POST', { uploadId }, { body: list, headers: inHeader })
    : call('POST', { uploadId, ...inQuery }, { body: list });
}
