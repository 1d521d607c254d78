import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { MIMEType } from 'node:util';
import { readFormCallback } from '../callbacks/read-callback.ts';
import { sendCallbackResult } from '../callbacks/send-callback-result.ts';
import { checkPolicy, type LengthRange } from '../forms/check-policy.ts';
import { type FormFields, MAX_FIELDS_BYTES, readFormFields } from '../forms/form-fields.ts';
import { readFormHeaders } from '../forms/form-headers.ts';
import { type FormPart, readFormParts } from '../forms/form-parts.ts';
import { parsePolicyDocument } from '../forms/policy-document.ts';
import type { ObjectRecord } from '../objects/object-file.ts';
import { checkObjectName } from '../objects/object-name.ts';
import { digestHeaders } from '../objects/object-response.ts';
import { MAX_BODY_BYTES, readContentMd5 } from '../objects/put-headers.ts';
import { storeBody } from '../objects/store-body.ts';
import { OssError } from '../oss-error.ts';
import { verifyFormSignature } from '../signature/verify-signature.ts';
import { renderXml } from '../xml.ts';
import type { BucketOperation, BucketRequest } from './operation.ts';

/** The longest file, the longest fields, and as much again for the headers of the parts. */
const MAX_FORM_BYTES = MAX_BODY_BYTES + 2 * MAX_FIELDS_BYTES;

/**
 * PostObject, the upload by a form: checks the fields against the signed policy, streams the file
 * to disk, and stores it once the whole form has arrived. A signature in the URL or in a header
 * counts for nothing. After any error the bucket is as it was.
 * @throws OssError, or an Error if the client disconnects.
 */
export const postObject: BucketOperation = async (call) => {
  const { request, response, awaitsContinue, event } = call;
  const boundary = readBoundary(call);
  const checkBody = startBodyCheck(request, call.wire.headers.get('content-md5'));
  if (awaitsContinue) response.writeContinue();
  const parts = readFormParts(request, boundary);
  try {
    const { fields, file } = await readFormFields(parts);
    const key = expandKey(fields, file);
    const range = checkForm(fields, call);
    event.key = key;
    checkObjectName(key);
    const callback = readFormCallback(fields, call.callbacks.allowPrivateAddresses);
    const record = await storeBody(call, {
      key,
      // Of no use as a checksum, as in OSS.
      etag: randomUUID().replaceAll('-', '').toUpperCase(),
      headers: readFormHeaders(fields, file.contentType),
      body: limitLength(file.content, range.max),
      confirm: async (_md5, sizeBytes) => {
        if (sizeBytes < range.min) throw new OssError('formFileTooSmall');
        await expectEnd(parts);
        checkBody();
      },
    });
    event.bytes = record.sizeBytes;
    if (callback) await sendCallbackResult(call, callback, { record, operation: 'PostObject' });
    else sendResult(call, fields, record);
  } finally {
    await parts.return(undefined);
  }
};

/**
 * Verifies the signature of a form, and its fields against its policy.
 * @returns the sizes that its file may have.
 */
export function checkForm(
  fields: FormFields,
  { bucket, region, credentials, clock }: Pick<BucketRequest, 'bucket' | 'region' | 'credentials' | 'clock'>,
): LengthRange {
  const now = clock();
  const policy = fields.get('policy');
  if (fields.has('x-oss-credential') && policy === undefined) {
    throw new OssError('formPolicyMissing', { ArgumentName: 'policy', ArgumentValue: '' });
  }
  verifyFormSignature(fields, policy ?? '', { region, credentials, now });
  return checkPolicy(parsePolicyDocument(policy ?? ''), { bucket, fields, now });
}

function readBoundary({ wire: { headers } }: BucketRequest): string {
  if (!headers.has('content-length') && !headers.has('transfer-encoding')) {
    throw new OssError('missingContentLength');
  }
  if (Number(headers.get('content-length') ?? 0) > MAX_FORM_BYTES) throw new OssError('formFileTooLarge');
  const type = parseMediaType(headers.get('content-type') ?? '');
  if (type?.essence !== 'multipart/form-data') throw new OssError('formNotMultipart');
  const boundary = type.params.get('boundary');
  if (!boundary) throw new OssError('formMalformed');
  return boundary;
}

function parseMediaType(text: string): MIMEType | null {
  try {
    return new MIMEType(text);
  } catch {
    return null;
  }
}

/** `Content-MD5` is that of the whole body. Returns what checks it after the last byte. */
function startBodyCheck(request: IncomingMessage, contentMd5: string | undefined): () => void {
  const expected = readContentMd5(contentMd5);
  if (expected === null) return () => undefined;
  const md5 = createHash('md5');
  request.on('data', (chunk) => md5.update(chunk));
  return () => {
    if (!expected.equals(md5.digest())) throw new OssError('contentMd5Wrong');
  };
}

/** The policy is checked against the key as it was sent, before the name of the file is in it. */
function expandKey(fields: FormFields, { filename = '' }: FormPart): string {
  const key = fields.get('key');
  if (key === undefined) throw new OssError('formKeyMissing', { ArgumentName: 'key', ArgumentValue: '' });
  return key.replaceAll(/\$\{filename\}/g, () => filename);
}

async function* limitLength(content: AsyncIterable<Uint8Array>, max: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > max) throw new OssError('formFileTooLarge');
    yield chunk;
  }
}

/** The file has to be the last part. */
async function expectEnd(parts: AsyncGenerator<FormPart>): Promise<void> {
  const { value: part, done } = await parts.next();
  if (done) return;
  throw new OssError(part.name === 'file' ? 'formFileTwice' : 'formMalformed');
}

function sendResult(
  { request, response, bucket, wire }: BucketRequest,
  fields: FormFields,
  record: ObjectRecord,
): void {
  const headers = digestHeaders(record);
  const redirect = parseUrl(fields.get('success_action_redirect'));
  if (redirect) {
    for (const [name, value] of Object.entries({ bucket, key: record.key, etag: headers.ETag })) {
      redirect.searchParams.append(name, value);
    }
    response.writeHead(303, { ...headers, Location: redirect.href, 'Content-Length': 0 }).end();
    return;
  }
  const status = fields.get('success_action_status');
  if (status !== '201') {
    response.writeHead(status === '200' ? 200 : 204, headers).end();
    return;
  }
  // In path style the request names the bucket; otherwise the host does.
  const folder = new URL(request.url ?? '/', `http://${wire.headers.get('host')}`);
  const path = record.key.split('/').map(encodeURIComponent).join('/');
  const location = `${folder.origin}${folder.pathname.replace(/\/?$/, '/')}${path}`;
  const xml = renderXml([
    'PostResponse',
    [
      ['Bucket', bucket],
      ['Location', location],
      ['Key', record.key],
      ['ETag', headers.ETag],
    ],
  ]);
  response.writeHead(201, { ...headers, Location: location, 'Content-Type': 'application/xml' }).end(xml);
}

function parseUrl(text: string | undefined): URL | null {
  const url = text === undefined ? null : URL.parse(text);
  return url && /^https?:$/.test(url.protocol) ? url : null;
}
