// Uploads a file through oss-presign: asks the service for a signed URL, then sends the file to
// that URL. Without KEY the service creates the object key. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL
// come from the environment.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import axios from 'axios';

const TYPES = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.mp4': 'video/mp4',
  '.mp3': 'audio/mpeg',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
  '.json': 'application/json',
  '.csv': 'text/csv',
  '.txt': 'text/plain',
};
const { OSS_PRESIGN_URL: service = 'http://localhost:8080', OSS_PRESIGN_TOKEN: token } = process.env;

try {
  await main(readArguments());
} catch (error) {
  // An error of axios holds the signed URL: print its text, never the error itself.
  fail(`The upload failed: ${error.message}`);
}

async function main({ file, key, type, metadata }) {
  const { size } = await stat(file);
  const grant = await askService({
    // macOS hands out decomposed names; the service accepts composed ones (NFC).
    ...(key ? { key: key.normalize('NFC') } : { filename: basename(file).normalize('NFC') }),
    contentType: type ?? TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream',
    contentLength: size,
    ...(Object.keys(metadata).length > 0 && { metadata }),
  });

  const { sent, attempt } = await sendFile(file, size, grant);
  process.stderr.write('\n');
  if (sent.status === 203) {
    console.error('Stored, but OSS could not notify the application. Do not upload the file again.');
  } else if (sent.status === 409 && attempt === 2) {
    console.error('Stored by the first attempt, whose response was lost.');
  } else if (sent.status !== 200) {
    const element = (name) => String(sent.data).match(`<${name}>(.*)</${name}>`)?.[1];
    const advice = sent.status === 409 ? '\nThe key is taken: choose another one, or leave KEY out.' : '';
    fail(`OSS rejected the upload: ${sent.status} ${element('Code')}: ${element('Message')}${advice}`);
  }
  console.log(`key:  ${grant.key}`);
  if (sent.status !== 409) console.log(`ETag: ${sent.headers.etag}`);
}

function readArguments() {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { meta: { type: 'string', multiple: true, default: [] } },
    });
    const [file, key, type] = positionals;
    const pairs = values.meta.map((text) => text.match(/^([^=]+)=(.*)$/s));
    if (!file || positionals.length > 3 || pairs.includes(null) || !token) throw new Error();
    return { file, key, type, metadata: Object.fromEntries(pairs.map(([, name, value]) => [name, value])) };
  } catch {
    console.error(
      'usage: node upload.mjs FILE [KEY] [TYPE] [--meta NAME=VALUE]...   (needs OSS_PRESIGN_TOKEN)',
    );
    process.exit(2);
  }
}

/**
 * Sends the request up to three times: 429 and 503 are repeated after `Retry-After` of at most
 * 30 s, a network error once.
 */
async function askService(request) {
  let networkErrors = 0;
  for (let attempt = 1; ; attempt += 1) {
    let seconds = 1;
    try {
      const { status, headers, data } = await axios.post(`${service}/v1/uploads`, request, {
        headers: { Authorization: `Bearer ${token}` },
        validateStatus: null,
      });
      if (status === 201 && data.url) return data;
      seconds = Number(headers['retry-after']) || 1;
      if (![429, 503].includes(status) || attempt === 3 || seconds > 30) {
        const details = (data?.errors ?? [data]).map((error) => error?.detail ?? `HTTP ${status}`);
        fail(`The service rejected the request: ${details.join(' ')}`);
      }
    } catch (error) {
      networkErrors += 1;
      if (networkErrors === 2 || attempt === 3) fail(`The service cannot be reached: ${error.message}`);
    }
    await wait(seconds * 1000);
  }
}

/** Sends the file up to two times: a network error and a 5xx response are repeated once. */
async function sendFile(file, size, { method, url, headers }) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const sent = await axios.request({
        method,
        url,
        // A stream has no length of its own: without this header axios would send chunks.
        headers: { ...headers, 'Content-Length': size },
        data: createReadStream(file),
        // To be able to follow a redirect, axios keeps the whole body in memory. OSS does not
        // redirect.
        maxRedirects: 0,
        maxBodyLength: Number.POSITIVE_INFINITY,
        onUploadProgress: ({ loaded }) =>
          process.stderr.write(`\r${Math.floor((100 * loaded) / (size || 1))} %`),
        validateStatus: null,
      });
      if (sent.status < 500 || attempt === 2) return { sent, attempt };
    } catch (error) {
      if (attempt === 2) fail(`\nOSS cannot be reached: ${error.message}`);
    }
    await wait(1000);
  }
}

function fail(reason) {
  console.error(reason);
  process.exit(1);
}
