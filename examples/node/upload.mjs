// Uploads a file with the permission of oss-presign: asks for a URL, then sends the file to it.
// usage: node upload.mjs FILE KEY CONTENT-TYPE      OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import axios from 'axios';

const [file, key, contentType] = process.argv.slice(2);
const { OSS_PRESIGN_URL: service = 'http://localhost:8080', OSS_PRESIGN_TOKEN: token } = process.env;

const { size } = await stat(file);
const asked = await axios.post(
  `${service}/v1/uploads`,
  { key, contentType, contentLength: size, metadata: { album: 'examples' } },
  { headers: { Authorization: `Bearer ${token}` }, validateStatus: null },
);
if (asked.status !== 201) fail(`The service refused: ${asked.data.detail}`);
const grant = asked.data;

const sent = await axios.request({
  method: grant.method,
  url: grant.url,
  // A stream has no length of its own: without this one axios would send chunks.
  headers: { ...grant.headers, 'Content-Length': size },
  data: createReadStream(file),
  // To be able to follow a redirect, axios keeps the whole body in memory. OSS does not redirect.
  maxRedirects: 0,
  maxBodyLength: Number.POSITIVE_INFINITY,
  onUploadProgress: ({ loaded }) => process.stderr.write(`\r${Math.floor((100 * loaded) / (size || 1))} %`),
  validateStatus: null,
});
process.stderr.write('\n');
if (sent.status !== 200) {
  const element = (name) => sent.data.match(`<${name}>(.*)</${name}>`)?.[1];
  fail(`OSS refused: ${sent.status} ${element('Code')}: ${element('Message')}`);
}
console.log(`key:  ${grant.key}`);
console.log(`ETag: ${sent.headers.etag}`);

function fail(reason) {
  console.error(reason);
  process.exit(1);
}
