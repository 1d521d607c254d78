import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { systemClock } from '../clock.ts';
import type { PutGrant } from '../grants/upload/response.ts';
import { createLogger } from '../log/logger.ts';
import { presign } from '../storage/oss/signing/presign.ts';
import { curlCommand } from './curl-command.ts';
import {
  DEMO_BUCKET,
  DEMO_CREDENTIALS,
  DEMO_REGION,
  type DemoEnvironment,
  startDemoEnvironment,
} from './demo-environment.ts';
import { renderProgress } from './progress-bar.ts';
import { putFile } from './put-file.ts';

// The main job from end to end, step by step. Exits with 0 only if the stored bytes are those of
// the file, and the three forbidden uploads were rejected.

const FILE_BYTES = 24 * 1024 ** 2;

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
  await readBack(demo, grant, file);
  await showRejections(demo, token);
  say('\nDone: the bucket has the bytes of the file, and all three forbidden uploads were rejected.');
} catch (error) {
  say(`\nThe demo failed: ${error instanceof Error ? error.message : 'unknown cause'}`);
  process.exitCode = 1;
} finally {
  await demo.close();
}

async function askForUrl({ serviceUrl }: DemoEnvironment, token: string, file: string): Promise<PutGrant> {
  step(1, 'Request an upload URL for alice.');
  const { size } = await stat(file);
  const { status, body } = await ask(serviceUrl, token, {
    key: 'users/alice/holiday.png',
    contentType: 'image/png',
    contentLength: size,
    metadata: { album: '42' },
  });
  if (status !== 201) throw new Error(`the service responded with ${status}: ${JSON.stringify(body)}`);
  say(`\n${status} Created\n${indent(JSON.stringify(body, null, 2))}`);
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

async function readBack({ emulatorUrl }: DemoEnvironment, grant: PutGrant, file: string): Promise<void> {
  step(3, 'Read the object as the owner of the bucket, and compare.');
  const { url } = presign({
    credentials: DEMO_CREDENTIALS,
    method: 'GET',
    region: DEMO_REGION,
    bucket: DEMO_BUCKET,
    endpoint: { url: emulatorUrl, addressing: 'path' },
    key: grant.key,
    headers: {},
    signedAt: systemClock(),
    expiresInSeconds: 60,
  });
  say(curlCommand({ method: 'GET', url, headers: {} }));
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`the bucket responded to GET with ${response.status}`);
  const [sent, stored] = await Promise.all([
    sha256(createReadStream(file)),
    sha256(Readable.fromWeb(response.body)),
  ]);
  say(`\n  sent    sha256 ${sent}\n  stored  sha256 ${stored}`);
  say(
    `  stored  ${response.headers.get('content-type')}, x-oss-meta-album: ${response.headers.get('x-oss-meta-album')}`,
  );
  if (sent !== stored) throw new Error('the stored bytes are not those of the file');
  if (response.headers.get('x-oss-meta-album') !== '42') throw new Error('the metadata did not arrive');
  say('  The same bytes.');
}

async function showRejections({ serviceUrl, directory }: DemoEnvironment, token: string): Promise<void> {
  const request = { key: 'users/alice/note.txt', contentType: 'text/plain', contentLength: 5 };

  step(4, 'Denied: the prefix of another user.');
  await expectDenial(serviceUrl, token, { ...request, key: 'users/bob/note.txt' }, 'key_outside_prefix');

  step(5, 'Denied: a type that the rule does not allow.');
  await expectDenial(serviceUrl, token, { ...request, contentType: 'text/html' }, 'content_type_not_allowed');

  step(6, 'Rejected by the bucket: a header that was changed after signing.');
  const { status, body } = await ask(serviceUrl, token, request);
  if (status !== 201) throw new Error(`the service responded with ${status}: ${JSON.stringify(body)}`);
  const { method, url, headers } = body as PutGrant;
  const changed = { ...headers, 'Content-Type': 'text/html' };
  const file = join(directory, 'note.txt');
  await writeFile(file, 'hello');
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
  const { status, body } = await ask(serviceUrl, token, request);
  say(`\n${status} Forbidden\n${indent(JSON.stringify(body, null, 2))}`);
  const codes = (body as { errors?: readonly { code: string }[] }).errors?.map((fault) => fault.code);
  if (status !== 403 || codes?.join() !== code) throw new Error(`expected a denial with ${code}`);
}

/** Prints `POST /v1/uploads` as a curl command, and sends it. */
async function ask(
  serviceUrl: string,
  token: string,
  request: object,
): Promise<{ status: number; body: unknown }> {
  const call = {
    method: 'POST',
    url: `${serviceUrl}/v1/uploads`,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
  };
  say(curlCommand({ ...call, headers: { ...call.headers, Authorization: 'Bearer $TOKEN' } }));
  const response = await fetch(call.url, call);
  return { status: response.status, body: await response.json() };
}

async function sha256(stream: Readable): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of stream) digest.update(chunk);
  return digest.digest('hex');
}

function showProgress(sentBytes: number, totalBytes: number): void {
  // A terminal redraws the line; a file gets only the last one.
  if (process.stdout.isTTY) process.stdout.write(`\r${renderProgress(sentBytes, totalBytes)}`);
  else if (sentBytes === totalBytes) process.stdout.write(renderProgress(sentBytes, totalBytes));
}

function step(number: number, title: string): void {
  say(`\n${'─'.repeat(80)}\n${number}. ${title}\n`);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
