// Uploads a large file in parts through oss-presign. The same command continues an upload that broke
// off: FILE.oss-presign holds its id. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment.
import { createReadStream, existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import axios from 'axios';

const ATTEMPTS = 4;
const LONGEST_WAIT_SECONDS = 60;
const PARTS_PER_REQUEST = 20;
const PARALLEL_PARTS = 4;
const TYPES = { '.mp4': 'video/mp4', '.mov': 'video/quicktime', '.zip': 'application/zip' };
const { OSS_PRESIGN_URL: service = 'http://localhost:8080', OSS_PRESIGN_TOKEN: token } = process.env;

try {
  await main(process.argv.slice(2));
} catch (error) {
  // An error of axios holds the signed URL: print its text, never the error itself.
  fail(`The upload failed: ${error.message}`);
}

async function main([file, key, type, ...others]) {
  if (!file || file.startsWith('--') || others.length > 0 || !token) {
    fail('usage: node upload-large.mjs FILE [KEY] [TYPE]   (needs OSS_PRESIGN_TOKEN)', 2);
  }
  const { size } = await stat(file);
  const state = `${file}.oss-presign`;
  let id = existsSync(state) ? await readFile(state, 'utf8') : '';
  let upload;
  if (id) {
    upload = await ask('/status', { id }, ['upload_id_invalid', 'upload_id_expired']);
    console.error(`Unfinished upload: ${upload.state ?? upload.detail}`);
  }
  if (!upload?.state || upload.state === 'absent') {
    console.error('Starting a new upload.');
    const grant = await ask('', {
      transfer: 'multipart',
      // macOS hands out decomposed names; the service accepts composed ones (NFC).
      ...(key ? { key: key.normalize('NFC') } : { filename: basename(file).normalize('NFC') }),
      contentType: type ?? TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream',
      contentLength: size,
    });
    id = grant.id;
    await rm(state, { force: true });
    await writeFile(state, id, { mode: 0o600, flag: 'wx' });
    upload = await ask('/status', { id });
  }
  if (upload.contentLength !== size) {
    fail(`The file had ${upload.contentLength} bytes and has ${size} now. Delete ${state} to start again.`);
  }

  await sendParts(file, id, upload.missing ?? []);
  const stored = await ask('/complete', { id });
  await rm(state);
  console.log(`key:  ${stored.key}\nreceipt: ${stored.receipt ? 'yes' : 'no'}`);
}

/** Signs the parts that are missing, some at a time, and sends a few in parallel. */
async function sendParts(file, id, gaps) {
  const missing = gaps.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
  for (let start = 0; start < missing.length; start += PARTS_PER_REQUEST) {
    console.error(`Parts left: ${missing.length - start}`);
    const partNumbers = missing.slice(start, start + PARTS_PER_REQUEST);
    const { parts } = await ask('/parts', { id, partNumbers });
    const sendSome = async () => {
      for (let part = parts.shift(); part; part = parts.shift()) await sendPart(file, id, part);
    };
    await Promise.all(Array.from({ length: PARALLEL_PARTS }, sendSome));
  }
}

/** Sends one part, and signs it again if its URL has expired. */
async function sendPart(file, id, part, attempt = 1) {
  const { status, data } = await send('OSS', () => ({
    method: part.method,
    url: part.url,
    // Without a length axios would send chunks, and without false a type that is not signed.
    headers: { ...part.headers, 'Content-Length': part.contentLength, 'Content-Type': false },
    data: createReadStream(file, { start: part.offset, end: part.offset + part.contentLength - 1 }),
    // To be able to follow a redirect, axios keeps the whole body in memory. OSS does not redirect.
    maxRedirects: 0,
    maxBodyLength: Number.POSITIVE_INFINITY,
  }));
  if (status === 200) return;
  const [code, message] = ['Code', 'Message'].map((name) => `${data}`.match(`<${name}>(.*)</${name}>`)?.[1]);
  if (message !== 'Request has expired.' || attempt === ATTEMPTS) {
    fail(`OSS rejected a part: ${status} ${code}: ${message}\nRun the command again to continue.`);
  }
  const signed = await ask('/parts', { id, partNumbers: [part.partNumber] });
  await sendPart(file, id, signed.parts[0], attempt + 1);
}

/** Returns a 2xx response of the service, or a problem with one of these codes. Any other response ends the program. */
async function ask(path, question, acceptedCodes = []) {
  const { status, data } = await send('The service', () => ({
    method: 'POST',
    url: `${service}/v1/uploads${path}`,
    headers: { Authorization: `Bearer ${token}` },
    data: question,
  }));
  if ((status < 300 && typeof data === 'object') || acceptedCodes.includes(data?.code)) return data;
  const details = (data?.errors ?? [data]).map((error) => error?.detail ?? `HTTP ${status}`);
  return fail(`The service rejected the request: ${details.join(' ')}`);
}

/** Repeats a network error, 429 and 5xx. */
async function send(receiver, build) {
  for (let attempt = 1; ; attempt += 1) {
    let seconds = 2 ** (attempt - 1);
    try {
      // Without news for 90 s it is a network error. The service responds to `complete` within 75 s.
      const sent = await axios.request({ ...build(), timeout: 90_000, validateStatus: null });
      seconds = Number(sent.headers['retry-after']) || seconds;
      const isBusy =
        sent.status === 429 || sent.status >= 500 || `${sent.data}`.includes('<Code>RequestTimeout<');
      if (!isBusy || attempt === ATTEMPTS || seconds > LONGEST_WAIT_SECONDS) return sent;
    } catch (error) {
      if (attempt === ATTEMPTS) fail(`${receiver} cannot be reached: ${error.message}`);
    }
    await wait(seconds * 1000);
  }
}

function fail(reason, code = 1) {
  console.error(reason);
  process.exit(code);
}
