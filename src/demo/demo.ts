import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { systemClock } from '../clock.ts';
import type { UploadAnswer } from '../grants/upload/response.ts';
import { createLogger } from '../log/logger.ts';
import { presign } from '../storage/oss/signing/presign.ts';
import { curlCommand } from './curl-command.ts';
import { DEMO_BUCKET, DEMO_CREDENTIALS, DEMO_REGION, type Stage, setUpStage } from './demo-environment.ts';
import { renderProgress } from './progress-bar.ts';
import { putFile } from './put-file.ts';

// The main job from end to end, told step by step. It ends 0 only when the bytes that came back are those that went in and
// each of the three refusals was refused.

const FILE_BYTES = 24 * 1024 ** 2;

const stage = await setUpStage({ service: 0, emulator: 0, issuer: 0 }, createLogger('silent', systemClock));
try {
  const token = await stage.issuer.tokenFor('alice');
  say(
    'oss-presign demo: one file from a client straight into a bucket, without a cloud key on the client.\n',
  );
  say(`  service   ${stage.serviceUrl}  (the real one)`);
  say(
    `  bucket    ${stage.emulatorUrl}  (an OSS emulator for development and tests; it checks V4 signatures)`,
  );
  say(`  issuer    ${stage.issuer.issuer}  (a demo login; alice's token is good for an hour)`);

  say(
    '\nThe commands below show what the demo sends. Its servers end with it, so the commands work only while it runs;',
  );
  say('for servers that stay, use npm run dev.');
  say(`\nTOKEN='${token}'`);

  const file = join(stage.directory, 'holiday.png');
  await writeFile(file, randomBytes(FILE_BYTES));
  const grant = await askForUrl(stage, token, file);
  await upload(stage, grant, file);
  await readBack(stage, grant, file);
  await showRefusals(stage, token);
  say('\nDone: the bytes that came back are the bytes that went in, and all three refusals were refused.');
} catch (error) {
  say(`\nThe demo failed: ${error instanceof Error ? error.message : 'unknown cause'}`);
  process.exitCode = 1;
} finally {
  await stage.close();
}

async function askForUrl({ serviceUrl }: Stage, token: string, file: string): Promise<UploadAnswer> {
  step(1, 'Ask the service: may alice put this file here?');
  const { size } = await stat(file);
  const { status, body } = await ask(serviceUrl, token, {
    key: 'users/alice/holiday.png',
    contentType: 'image/png',
    contentLength: size,
    metadata: { album: '42' },
  });
  if (status !== 201) throw new Error(`the service answered ${status}: ${JSON.stringify(body)}`);
  say(`\n${status} Created\n${indent(JSON.stringify(body, null, 2))}`);
  return body as UploadAnswer;
}

async function upload(
  { emulatorUrl }: Stage,
  { method, url, headers, bucket, key }: UploadAnswer,
  file: string,
): Promise<void> {
  step(2, 'Send the bytes to that URL with exactly those headers.');
  say(curlCommand({ method, url, headers, file }));
  const { size } = await stat(file);
  const answer = await putFile({
    url,
    headers,
    file,
    bytes: size,
    onProgress: (sent) => showProgress(sent, size),
  });
  say('');
  if (answer.status !== 200) throw new Error(`the bucket answered ${answer.status}: ${answer.body}`);
  say(`\n200 OK, ETag ${answer.headers.etag}, now at ${emulatorUrl}/${bucket}/${key}`);
}

async function readBack({ emulatorUrl }: Stage, grant: UploadAnswer, file: string): Promise<void> {
  step(3, 'Read it back, as the owner of the bucket, and compare.');
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
  const answer = await fetch(url);
  if (!answer.ok || !answer.body) throw new Error(`the bucket answered ${answer.status} to GET`);
  const [sent, stored] = await Promise.all([
    sha256(createReadStream(file)),
    sha256(Readable.fromWeb(answer.body)),
  ]);
  say(`\n  sent    sha256 ${sent}\n  stored  sha256 ${stored}`);
  say(
    `  stored  ${answer.headers.get('content-type')}, x-oss-meta-album: ${answer.headers.get('x-oss-meta-album')}`,
  );
  if (sent !== stored) throw new Error('the bytes that came back are not the bytes that went in');
  if (answer.headers.get('x-oss-meta-album') !== '42') throw new Error('the metadata did not arrive');
  say('  The same bytes.');
}

async function showRefusals({ serviceUrl, directory }: Stage, token: string): Promise<void> {
  const request = { key: 'users/alice/note.txt', contentType: 'text/plain', contentLength: 5 };

  step(4, 'Refused: another user’s prefix.');
  await expectRefusal(serviceUrl, token, { ...request, key: 'users/bob/note.txt' }, 'key_outside_prefix');

  step(5, 'Refused: a type outside the rule.');
  await expectRefusal(
    serviceUrl,
    token,
    { ...request, contentType: 'text/html' },
    'content_type_not_allowed',
  );

  step(6, 'Refused: a header changed after signing.');
  const { status, body } = await ask(serviceUrl, token, request);
  if (status !== 201) throw new Error(`the service answered ${status}: ${JSON.stringify(body)}`);
  const { method, url, headers } = body as UploadAnswer;
  const changed = { ...headers, 'Content-Type': 'text/html' };
  const file = join(directory, 'note.txt');
  await writeFile(file, 'hello');
  say(
    `\nGranted for text/plain; sent as text/html:\n\n${curlCommand({ method, url, headers: changed, file })}`,
  );
  const answer = await putFile({ url, headers: changed, file, bytes: 5, onProgress: () => undefined });
  const code = /<Code>(.*?)<\/Code>/.exec(answer.body)?.[1];
  const message = /<Message>(.*?)<\/Message>/.exec(answer.body)?.[1];
  say(`\n${answer.status} ${code}: ${message}`);
  if (answer.status !== 403 || code !== 'SignatureDoesNotMatch')
    throw new Error('the changed header was not refused');
}

async function expectRefusal(
  serviceUrl: string,
  token: string,
  request: object,
  code: string,
): Promise<void> {
  const { status, body } = await ask(serviceUrl, token, request);
  say(`\n${status} Forbidden\n${indent(JSON.stringify(body, null, 2))}`);
  const codes = (body as { errors?: readonly { code: string }[] }).errors?.map((fault) => fault.code);
  if (status !== 403 || codes?.join() !== code) throw new Error(`expected a refusal with ${code}`);
}

/** `POST /v1/uploads`, shown as curl first. */
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
  const answer = await fetch(call.url, call);
  return { status: answer.status, body: await answer.json() };
}

async function sha256(stream: Readable): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of stream) digest.update(chunk);
  return digest.digest('hex');
}

function showProgress(sentBytes: number, totalBytes: number): void {
  // A terminal redraws the line; a log gets the last one only.
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
