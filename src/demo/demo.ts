import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { systemClock } from '../clock.ts';
import type { CompletedUpload } from '../grants/completion/response.ts';
import type { FormGrant, PutGrant } from '../grants/upload/response.ts';
import { createLogger } from '../log/logger.ts';
import { curlCommand, curlForm } from './curl-command.ts';
import { type DemoEnvironment, startDemoEnvironment } from './demo-environment.ts';
import { resumeLargeUpload, startLargeUpload } from './large-upload.ts';
import { putFile } from './put-file.ts';
import { sha256 } from './sha256.ts';
import { post, say, showProgress, showResponse, step, unexpected } from './show.ts';
import { verifyReceipt } from './verify-receipt.ts';

// The main job from end to end, step by step. Exits with 0 only if the downloaded bytes are those
// of the files, the receipts are valid, and the three forbidden uploads were rejected.

const FILE_BYTES = 24 * 1024 ** 2;
const LARGE_FILE_BYTES = 30 * 1024 ** 2;

const demo = await startDemoEnvironment(
  { service: 0, emulator: 0, issuer: 0 },
  createLogger('silent', systemClock),
);
try {
  const token = await demo.issuer.tokenFor('alice');
  say(
    'oss-presign demo: one file from a client straight into a bucket, without an access key on the client.\n',
  );
  say(`  service   ${demo.serviceUrl}  (the real one)`);
  say(
    `  bucket    ${demo.emulatorUrl}  (an OSS emulator for development and tests; it checks V4 signatures)`,
  );
  say(`  issuer    ${demo.issuer.issuer}  (a demo login; alice's token is valid for 1 h)`);

  say(
    '\nThe commands below show what the demo sends. They work only while it runs, because its servers stop with it.',
  );
  say('To keep the servers running, use npm run dev.');
  say(`\nTOKEN='${token}'`);

  const file = join(demo.directory, 'holiday.png');
  await writeFile(file, randomBytes(FILE_BYTES));
  const grant = await askForUrl(demo, token, file);
  await upload(demo, grant, file);
  await confirm(demo, token, grant);
  await download(demo, token, grant, file);
  await uploadByForm(demo, token);
  await uploadInParts(demo, token);
  await showRejections(demo, token);
  say(
    '\nDone: the bucket has the bytes of the files, the receipts are valid, and all three forbidden uploads were rejected.',
  );
} catch (error) {
  say(`\nThe demo failed: ${error instanceof Error ? error.message : 'unknown cause'}`);
  process.exitCode = 1;
} finally {
  await demo.close();
}

async function askForUrl({ serviceUrl }: DemoEnvironment, token: string, file: string): Promise<PutGrant> {
  step(1, 'Request an upload URL for alice.');
  const { size } = await stat(file);
  const { status, body } = await post(`${serviceUrl}/v1/uploads`, token, {
    key: 'users/alice/holiday.png',
    contentType: 'image/png',
    contentLength: size,
    metadata: { album: '42' },
  });
  if (status !== 201) throw unexpected(status, body);
  showResponse('201 Created', body);
  return body as PutGrant;
}

async function upload(
  { emulatorUrl }: DemoEnvironment,
  { method, url, headers, bucket, key }: PutGrant,
  file: string,
): Promise<void> {
  step(2, 'Send the file to that URL with exactly those headers.');
  say(curlCommand({ method, url, headers, file }));
  const { size } = await stat(file);
  const response = await putFile({
    url,
    headers,
    file,
    bytes: size,
    onProgress: (sent) => showProgress(sent, size),
  });
  say('');
  if (response.status !== 200)
    throw new Error(`the bucket responded with ${response.status}:  ${response.body}`);
  say(`\n200 OK, ETag ${response.headers.etag}, now at ${emulatorUrl}/${bucket}/${key}`);
}

async function confirm({ serviceUrl }: DemoEnvironment, token: string, { id }: PutGrant): Promise<void> {
  step(3, 'Confirm the upload. The service looks at the object, and signs a receipt.');
  const { status, body } = await post(`${serviceUrl}/v1/uploads/complete`, token, { id });
  if (status !== 200) throw unexpected(status, body);
  showResponse('200 OK', body);
  const keys = `${serviceUrl}/.well-known/jwks.json`;
  say(`\nAny backend can verify the receipt with the public keys at ${keys}:\n`);
  for (const [name, value] of Object.entries(await verifyReceipt(serviceUrl, body as CompletedUpload)))
    say(`  ${name.padEnd(14)}  ${value}`);
}

async function download(
  { serviceUrl }: DemoEnvironment,
  token: string,
  { key }: PutGrant,
  file: string,
): Promise<void> {
  step(4, 'Request a download URL, and compare the bytes.');
  const { status, body } = await post(`${serviceUrl}/v1/downloads`, token, {
    key,
    filename: 'Holiday 2026.png',
  });
  if (status !== 200) throw unexpected(status, body);
  showResponse('200 OK', body);
  const { url } = body as { readonly url: string };
  say(`\n${curlCommand({ method: 'GET', url, headers: {} })}`);
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`the bucket responded to GET with ${response.status}`);
  const [sent, stored] = await Promise.all([
    sha256(createReadStream(file)),
    sha256(Readable.fromWeb(response.body)),
  ]);
  const album = response.headers.get('x-oss-meta-album');
  say(`\n  sent    sha256 ${sent}\n  stored  sha256 ${stored}`);
  say(`  stored  ${response.headers.get('content-type')}, x-oss-meta-album: ${album}`);
  say(`  offered as ${response.headers.get('content-disposition')}`);
  if (sent !== stored) throw new Error('the stored bytes are not those of the file');
  if (album !== '42') throw new Error('the metadata did not arrive');
  say('  The same bytes.');
}

async function uploadByForm({ serviceUrl, directory }: DemoEnvironment, token: string): Promise<void> {
  step(5, 'Upload by an HTML form, as mini programs do.');
  const file = join(directory, 'note.txt');
  await writeFile(file, 'hello');
  const request = {
    transfer: 'form',
    filename: 'note.txt',
    contentType: 'text/plain',
    maxContentLength: 1024,
  };
  const { status, body } = await post(`${serviceUrl}/v1/uploads`, token, request);
  if (status !== 201) throw unexpected(status, body);
  showResponse('201 Created', body);
  const { url, fields, fileField, id } = body as FormGrant;
  say(`\n${curlForm({ url, fields, fileField, file })}`);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append(fileField, new Blob([await readFile(file)]), 'note.txt');
  const response = await fetch(url, { method: 'POST', body: form });
  if (response.status !== 200) throw new Error(`the bucket responded with ${await response.text()}`);
  say('\n200 OK from the bucket. Then the client confirms this upload too:\n');
  const completed = await post(`${serviceUrl}/v1/uploads/complete`, token, { id });
  if (completed.status !== 200) throw unexpected(completed.status, completed.body);
  const { key, contentLength } = completed.body as CompletedUpload;
  await verifyReceipt(serviceUrl, completed.body as CompletedUpload);
  say(`\n200 OK, ${key} has ${contentLength} bytes, and its receipt is valid`);
}

async function uploadInParts({ serviceUrl, directory }: DemoEnvironment, token: string): Promise<void> {
  const file = join(directory, 'holiday.mp4');
  await writeFile(file, randomBytes(LARGE_FILE_BYTES));
  const upload = { serviceUrl, token, file, bytes: LARGE_FILE_BYTES };
  step(6, 'Upload a large file in parts, and break off.');
  const id = await startLargeUpload(upload);
  step(7, 'Resume: a new client that has only the id asks what is missing.');
  await resumeLargeUpload(upload, id);
}

async function showRejections({ serviceUrl, directory }: DemoEnvironment, token: string): Promise<void> {
  const request = { key: 'users/alice/note.txt', contentType: 'text/plain', contentLength: 5 };

  step(8, 'Denied: the prefix of another user.');
  await expectDenial(serviceUrl, token, { ...request, key: 'users/bob/note.txt' }, 'key_outside_prefix');

  step(9, 'Denied: a type that the rule does not allow.');
  await expectDenial(serviceUrl, token, { ...request, contentType: 'text/html' }, 'content_type_not_allowed');

  step(10, 'Rejected by the bucket: a header that was changed after signing.');
  const { status, body } = await post(`${serviceUrl}/v1/uploads`, token, request);
  if (status !== 201) throw unexpected(status, body);
  const { method, url, headers } = body as PutGrant;
  const changed = { ...headers, 'Content-Type': 'text/html' };
  const file = join(directory, 'note.txt');
  say(
    `\nGranted for text/plain; sent as text/html:\n\n${curlCommand({ method, url, headers: changed, file })}`,
  );
  const response = await putFile({ url, headers: changed, file, bytes: 5, onProgress: () => undefined });
  const code = /<Code>(.*?)<\/Code>/.exec(response.body)?.[1];
  const message = /<Message>(.*?)<\/Message>/.exec(response.body)?.[1];
  say(`\n${response.status} ${code}: ${message}`);
  if (response.status !== 403 || code !== 'SignatureDoesNotMatch')
    throw new Error('the changed header was not rejected');
}

async function expectDenial(serviceUrl: string, token: string, request: object, code: string): Promise<void> {
  const { status, body } = await post(`${serviceUrl}/v1/uploads`, token, request);
  showResponse(`${status} Forbidden`, body);
  const codes = (body as { errors?: readonly { code: string }[] }).errors?.map((fault) => fault.code);
  if (status !== 403 || codes?.join() !== code) throw new Error(`expected a denial with ${code}`);
}
