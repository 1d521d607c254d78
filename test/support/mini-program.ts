import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';

type Callbacks<Result> = {
  readonly success?: ((result: Result) => void) | undefined;
  readonly fail?: ((error: Readonly<Record<string, string>>) => void) | undefined;
};

type UploadOptions = Callbacks<Readonly<Record<string, unknown>>> & {
  readonly url: string;
  readonly filePath: string;
  readonly name?: string;
  readonly fileName?: string;
  readonly fileType?: string;
  readonly formData?: Readonly<Record<string, string>>;
  readonly timeout?: number;
};

type RequestOptions = Callbacks<Readonly<Record<string, unknown>>> & {
  readonly url: string;
  readonly method: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data: string;
};

export type MiniProgram = Readonly<Record<string, unknown>>;

const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.mp4': 'video/mp4',
};

/** The object `wx` of a WeChat mini program: what its `request` and `uploadFile` send and report. */
export function weChat(): MiniProgram {
  return {
    request: ({ url, method, header = {}, data, success, fail }: RequestOptions) =>
      report({ success, fail }, 'errMsg', async () => {
        const response = await fetch(url, { method, headers: header, body: data });
        return { statusCode: response.status, data: parseJson(await response.text()) };
      }),
    uploadFile: ({ url, filePath, name, formData, success, fail }: UploadOptions) =>
      report({ success, fail }, 'errMsg', async () => {
        const response = await postForm(url, formData, required(name), filePath, { isLikeAndroid: true });
        return { statusCode: response.status, data: await response.text() };
      }),
  };
}

/** The object `my` of an Alipay mini program. It rejects an upload without `fileType`. */
export function alipay(): MiniProgram {
  return {
    request: ({ url, method, headers = {}, data, success, fail }: RequestOptions) =>
      report({ success, fail }, 'errorMessage', async () => {
        const response = await fetch(url, { method, headers, body: data });
        return { status: response.status, data: parseJson(await response.text()) };
      }),
    uploadFile: ({ url, filePath, name, fileType, formData, success, fail }: UploadOptions) =>
      report({ success, fail }, 'errorMessage', async () => {
        requireFileType(fileType);
        const response = await postForm(url, formData, required(name), filePath);
        return { statusCode: response.status, data: await response.text() };
      }),
  };
}

/** The object `dd` of a DingTalk mini program: the field is `fileName`, and the status is text. */
export function dingTalk(): MiniProgram {
  return {
    httpRequest: ({ url, method, headers = {}, data, success, fail }: RequestOptions) =>
      report({ success, fail }, 'errorMessage', async () => {
        const response = await fetch(url, { method, headers, body: data });
        return { status: response.status, data: await response.text() };
      }),
    uploadFile: ({ url, filePath, fileName, fileType, formData, success, fail }: UploadOptions) =>
      report({ success, fail }, 'errorMessage', async () => {
        requireFileType(fileType);
        const response = await postForm(url, formData, required(fileName), filePath);
        return { statusCode: String(response.status), data: await response.text() };
      }),
  };
}

async function report<Result>(
  { success, fail }: Callbacks<Result>,
  member: 'errMsg' | 'errorMessage',
  send: () => Promise<Result>,
): Promise<void> {
  let result: Result;
  try {
    result = await send();
  } catch (error) {
    fail?.({ [member]: `uploadFile:fail ${error instanceof Error ? error.message : ''}` });
    return;
  }
  success?.(result);
}

function required(field: string | undefined): string {
  if (field === undefined) throw new Error('parameter error: the name of the field is missing');
  return field;
}

function requireFileType(fileType: string | undefined): void {
  if (!['image', 'video', 'audio'].includes(fileType ?? '')) throw new Error('invalid parameter fileType');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Sends the fields of `formData` in their order, then the file, whose name is that of its temporary
 * path and whose type follows from the extension. Android adds headers to each field.
 */
async function postForm(
  url: string,
  formData: Readonly<Record<string, string>> = {},
  fileField: string,
  filePath: string,
  { isLikeAndroid = false } = {},
): Promise<Response> {
  const boundary = `----WebKitFormBoundary${randomBytes(8).toString('hex')}`;
  const parts = Object.entries(formData).map(([name, value]) => {
    const added = isLikeAndroid
      ? `\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\nContent-Length: ${Buffer.byteLength(value)}`
      : '';
    return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${added}\r\n\r\n${value}\r\n`;
  });
  const type = TYPES[extname(filePath)] ?? 'application/octet-stream';
  const start = `--${boundary}\r\nContent-Disposition: form-data; name="${fileField}"; filename="${basename(filePath)}"\r\nContent-Type: ${type}\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(parts.join('')),
    Buffer.from(start),
    await readFile(filePath),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      referer: 'https://servicewechat.com/wx0000000000000000/1/page-frame.html',
    },
    body,
  });
}
