import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../../../support/policies.ts';
import { postForm } from '../../../support/post-form.ts';
import { propertyRuns } from '../../../support/property-runs.ts';
import { serviceKeysFile } from '../../../support/service-keys.ts';
import { BUCKET, REGION, startTestEmulator } from '../../../support/test-emulator.ts';
import { startTestService } from '../../../support/test-service.ts';

const METADATA = ['album', 'constructor', '0', 'x-1'];

/** Rules that differ in what they add to an object. Each has a scope and a folder of its own. */
const RULES = [
  { clientHeaders: ['cacheControl', 'contentDisposition', 'contentEncoding'] },
  { clientHeaders: [], keepFilename: true },
  { headers: { 'content-disposition': 'INLINE' }, keepFilename: true },
  { headers: { 'Content-Disposition': 'none', 'Cache-Control': 'none' }, clientHeaders: [] },
  { headers: { EXPIRES: 'Tue, 01 Dec 2026 16:00:00 GMT', 'CONTENT-ENCODING': 'gzip' } },
  { headers: { 'X-OSS-Meta-Tenant': 'a  "b" \\ $c', 'x-oss-storage-class': 'IA' } },
  { headers: { 'x-oss-object-acl': 'private', 'x-oss-server-side-encryption': 'AES256' } },
].flatMap((fields, index) =>
  [false, true].map((overwrite) => {
    const name = `r${index}-${overwrite ? 'over' : 'new'}`;
    return ownFilesRule({
      ...{ name, prefix: `${name}/`, who: { scope: name }, overwrite, maxSize: '1MiB' },
      ...{ transfers: ['put', 'form'], contentTypes: ['image/*', 'text/*', 'video/webm'] },
      ...{ metadata: { allowed: METADATA }, ...fields },
    });
  }),
);

const NAMES = [
  'a.txt',
  'q"uo\'te;%41.txt',
  '日本語 レポート.png',
  'emoji😀👨‍👩‍👧.txt',
  'עברית.txt',
  '$x{y}.txt',
].concat(['%25 +&=#?.txt', 'x'.repeat(200), 'ไทย.txt', '=?utf-8?Q?x?=']);
const TYPES = [
  'text/plain',
  'TEXT/Plain; Charset=utf-8',
  'text/plain;charset="UTF-8"; x=Y',
  'image/png',
].concat('video/webm;codecs=vp8,opus');
const VALUES = [
  'x',
  'a  b',
  '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
  `\${filename}`,
  'caf%C3%A9',
  'x'.repeat(900),
];

const uploads = fc.record({
  rule: fc.constantFrom(...RULES),
  transfer: fc.constantFrom('put', 'form'),
  name: fc.constantFrom(...NAMES),
  hasKey: fc.boolean(),
  contentType: fc.constantFrom(...TYPES),
  size: fc.constantFrom(0, 1, 1000, 65_536, 100_000),
  /** Of a form: the largest length instead of the exact one. Of a PUT: with an MD5. */
  isOther: fc.boolean(),
  metadata: fc.dictionary(fc.constantFrom(...METADATA), fc.constantFrom(...VALUES)),
  overwrite: fc.boolean(),
});

it('confirms every grant whose bytes were sent as the response states', async () => {
  const emulator = await startTestEmulator();
  const keys = serviceKeysFile('first');
  const service = await startTestService({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } },
      rules: RULES,
    }),
    env: { SERVICE_KEYS_FILE: 'keys.json', PUBLIC_URL: 'https://presign.example.com' },
    files: { 'keys.json': () => keys },
  });
  let uploadCount = 0;
  await fc.assert(
    fc.asyncProperty(uploads, async ({ rule, transfer, name, hasKey, size, isOther, ...fields }) => {
      const body = new Uint8Array(size).map((_, index) => index % 251);
      const isForm = transfer === 'form';
      uploadCount += 1;
      const token = await service.issuer.sign({ scope: rule.name });
      const post = async (path: string, json: unknown) => {
        const response = await fetch(`${service.url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(json),
        });
        return { status: response.status, body: (await response.json()) as Record<string, never> };
      };
      const { status, body: grant } = await post('/v1/uploads', {
        transfer,
        ...(hasKey && !name.includes('${')
          ? { key: `${rule.name}/${uploadCount}/${name}` }
          : { filename: name }),
        ...(isForm && isOther ? { maxContentLength: size + 10 } : { contentLength: size }),
        ...(!isForm && isOther && { contentMd5: createHash('md5').update(body).digest('base64') }),
        ...clientHeadersFor(rule.clientHeaders),
        ...fields,
        overwrite: rule.overwrite === true && fields.overwrite,
      });
      expect([status, grant]).toStrictEqual([201, expect.anything()]);
      const { url = '', headers = {}, fields: formFields = {}, fileField = '' } = grant;
      const sent = isForm
        ? await postForm({ url, fields: formFields, fileField }, { body })
        : await fetch(url, { method: 'PUT', headers, body });
      expect([sent.status, await sent.text()]).toStrictEqual([200, '']);
      const completed = await post('/v1/uploads/complete', { id: grant.id });
      expect([completed.status, completed.body]).toMatchObject([
        200,
        { state: 'stored', key: grant.key, contentLength: size, contentType: fields.contentType },
      ]);
    }),
    { numRuns: propertyRuns(250) },
  );
});

function clientHeadersFor(allowed: unknown): Readonly<Record<string, string>> {
  const all = { cacheControl: 'public, max-age=1,  x="a b"', contentDisposition: 'inline; filename="a;b"' };
  const names = Array.isArray(allowed) ? allowed : [];
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}
