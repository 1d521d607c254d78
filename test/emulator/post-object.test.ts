import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { type FormFile, type FormPolicy, postForm, signForm } from '../support/post-form.ts';
import {
  BUCKET,
  LONG_LIVED,
  readXml,
  startTestEmulator,
  TEMPORARY,
  type TestEmulator,
} from '../support/test-emulator.ts';

type Post = {
  readonly policy?: FormPolicy;
  readonly fields?: Readonly<Record<string, string>>;
  readonly file?: Partial<FormFile>;
};

function post(emulator: TestEmulator, { policy, fields, file }: Post = {}): Promise<Response> {
  return postForm(
    {
      url: `${emulator.url}/${BUCKET}/`,
      fields: { key: 'a.txt', ...signForm(policy), ...fields },
      fileField: 'file',
    },
    { body: '123456789', ...file },
  );
}

/** The parameters and headers of a part after `Content-Disposition: form-data; `, and its content. */
type Part = readonly [head: string, content: string | Uint8Array];

const partsOf = (fields: Readonly<Record<string, string>>) =>
  Object.entries(fields).map(([name, value]): Part => [`name="${name}"`, value]);

function multipart(parts: readonly Part[]) {
  const boundary = 'boundary';
  const pieces = parts.flatMap(([head, content]) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return {
    body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}

function postParts(emulator: TestEmulator, parts: readonly Part[]): Promise<Response> {
  const { body, contentType } = multipart(parts);
  const headers = { 'content-type': contentType };
  return fetch(`${emulator.url}/${BUCKET}/`, { method: 'POST', body, headers });
}

const head = (emulator: TestEmulator, key = 'a.txt') =>
  fetch(emulator.presign({ method: 'HEAD', key }), { method: 'HEAD' });

const statusAndCode = async (response: Response) => {
  const { Code, EC } = readXml(await response.text());
  return [response.status, Code, EC];
};

it('stores the file and its attributes, with an ETag that is no MD5', async () => {
  const emulator = await startTestEmulator();
  const response = await post(emulator, {
    fields: {
      'x-oss-content-type': 'text/plain; charset=UTF-8',
      'Cache-Control': 'no-cache',
      'Content-Disposition': 'attachment; filename="é.txt"',
      'content-encoding': 'identity',
      Expires: 'Fri, 24 Feb 2028 17:00:00 GMT',
      'x-oss-meta-Album': '图',
      'x-oss-storage-class': 'IA',
      'x-oss-server-side-encryption': 'KMS',
      'x-oss-server-side-encryption-key-id': 'key-1',
      unknown: 'ignored',
    },
  });
  expect([response.status, await response.text()]).toStrictEqual([204, '']);
  const digests = {
    etag: expect.stringMatching(/^"[0-9A-F]{32}"$/),
    'content-md5': 'JfnnlDI7RTiF9RgfG2JNCw==',
    'x-oss-hash-crc64ecma': '11051210869376104954',
  };
  expect(Object.fromEntries(response.headers)).toMatchObject(digests);
  expect(response.headers.get('etag')).not.toBe('"25F9E794323B453885F5181F1B624D0B"');
  expect(Object.fromEntries((await head(emulator)).headers)).toMatchObject({
    ...digests,
    etag: response.headers.get('etag'),
    'content-length': '9',
    'content-type': 'text/plain; charset=UTF-8',
    'cache-control': 'no-cache',
    'content-disposition': Buffer.from('attachment; filename="é.txt"').toString('latin1'),
    'content-encoding': 'identity',
    expires: 'Fri, 24 Feb 2028 17:00:00 GMT',
    'x-oss-meta-album': Buffer.from('图').toString('latin1'),
    'x-oss-storage-class': 'IA',
    'x-oss-server-side-encryption': 'KMS',
    'x-oss-server-side-encryption-key-id': 'key-1',
    'x-oss-object-type': 'Normal',
  });
  expect(await (await fetch(emulator.presign({ method: 'GET' }))).text()).toBe('123456789');
  expect(emulator.events[0]).toMatchObject({ method: 'POST', bucket: BUCKET, key: 'a.txt', bytes: 9 });
});

it.each<[string, Record<string, string>, string, string]>([
  ['the field x-oss-content-type', { 'x-oss-content-type': 'a/a', 'content-type': 'c/c' }, 'b/b', 'a/a'],
  ['the file', { 'content-type': 'c/c' }, 'Text/Plain;Charset=b', 'Text/Plain;Charset=b'],
  ['the field Content-Type', { 'Content-Type': 'c/c' }, '', 'c/c'],
  ['nothing', {}, '', 'application/octet-stream'],
])('takes the type from %s', async (_name, fields, type, stored) => {
  const emulator = await startTestEmulator();
  const response = await postParts(emulator, [
    ...partsOf({ key: 'a.txt', ...signForm(), ...fields }),
    [`name="file"; filename="a"${type && `\r\nContent-Type: ${type}`}`, 'hello'],
  ]);
  expect(response.status).toBe(204);
  expect((await head(emulator)).headers.get('content-type')).toBe(stored);
});

// biome-ignore lint/suspicious/noTemplateCurlyInString: OSS replaces it.
const FILENAME = '${filename}';

it.each([
  [`u/${FILENAME}`, '图 1".png', 'u/图 1".png'],
  [FILENAME, 'a$&b', 'a$&b'],
  [`u/${FILENAME}/${FILENAME}`, 'a', 'u/a/a'],
  ['u/$filename', 'a', 'u/$filename'],
])('puts the name of the file into the key %s', async (key, filename, stored) => {
  const emulator = await startTestEmulator();
  const conditions = [['eq', '$key', key]];
  const response = await post(emulator, { policy: { conditions }, fields: { key }, file: { filename } });
  expect(response.status).toBe(204);
  expect((await head(emulator, stored)).status).toBe(200);
});

describe('responds', () => {
  it.each([
    ['200', 200],
    ['204', 204],
    ['404', 204],
    ['', 204],
  ])('with success_action_status %j by %i and no body', async (status, expected) => {
    const emulator = await startTestEmulator();
    const response = await post(emulator, { fields: { success_action_status: status } });
    expect([response.status, await response.text()]).toStrictEqual([expected, '']);
    expect(response.headers.get('etag')).toMatch(/^"[0-9A-F]{32}"$/);
  });

  it('with success_action_status 201 by XML', async () => {
    const emulator = await startTestEmulator();
    const key = 'dir/<a> & 图.txt';
    const response = await post(emulator, { fields: { success_action_status: '201', key } });
    const location = `${emulator.url}/${BUCKET}/dir/%3Ca%3E%20%26%20%E5%9B%BE.txt`;
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/xml');
    expect(response.headers.get('location')).toBe(location);
    expect(readXml(await response.text())).toStrictEqual({
      Bucket: BUCKET,
      Location: location,
      Key: key,
      ETag: response.headers.get('etag'),
    });
  });

  it.each(['', 'no URL', 'javascript:alert(1)', '/relative'])(
    'with success_action_redirect %j as without it',
    async (url) => {
      const emulator = await startTestEmulator();
      const response = await post(emulator, { fields: { success_action_redirect: url } });
      expect([response.status, response.headers.get('location')]).toStrictEqual([204, null]);
    },
  );

  it('with success_action_redirect by a redirect that names the object', async () => {
    const emulator = await startTestEmulator();
    const fields = { success_action_redirect: 'https://app.example.com/done?a=1' };
    const response = await post(emulator, { fields });
    const location = new URL(response.headers.get('location') ?? '');
    expect([response.status, location.origin + location.pathname]).toStrictEqual([
      303,
      'https://app.example.com/done',
    ]);
    expect(Object.fromEntries(location.searchParams)).toStrictEqual({
      a: '1',
      bucket: BUCKET,
      key: 'a.txt',
      etag: response.headers.get('etag'),
    });
  });
});

it.each([
  ['path style', '127.0.0.1', `/${BUCKET}/`],
  ['path style without a slash', '127.0.0.1', `/${BUCKET}`],
  ['virtual-hosted', `${BUCKET}.oss-cn-hangzhou.aliyuncs.com`, '/'],
  ['a custom domain', 'upload.example.com', '/'],
])('a form reaches the bucket by %s', async (_name, host, path) => {
  const emulator = await startTestEmulator();
  const { body, contentType } = multipart([
    ...partsOf({ key: 'a.txt', ...signForm() }),
    ['name="file"; filename="a"', 'hello'],
  ]);
  const sent = request({ port: emulator.port, method: 'POST', path, agent: false });
  sent.setHeader('host', host).setHeader('content-type', contentType).end(body);
  const [response] = await once(sent, 'response');
  expect(response.resume().statusCode).toBe(204);
  expect(emulator.events).toMatchObject([{ bucket: BUCKET, key: 'a.txt', status: 204 }]);
});

it.each(['?x-oss-signature=a', '?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-signature=a'])(
  'a signature in the URL or header counts for nothing: %s',
  async (query) => {
    const emulator = await startTestEmulator();
    const form = { url: `${emulator.url}/${BUCKET}/${query}`, fileField: 'file' };
    const fields = { key: 'a.txt', ...signForm() };
    const headers = { authorization: 'OSS4-HMAC-SHA256 Credential=a,Signature=b' };
    expect((await postForm({ ...form, fields }, { body: 'a' }, headers)).status).toBe(204);
    expect((await postForm({ ...form, fields: { key: 'b' } }, { body: 'a' }, headers)).status).toBe(400);
  },
);

it('a client that waits for 100 Continue is asked for the form', async () => {
  const emulator = await startTestEmulator();
  const { body, contentType } = multipart([
    ...partsOf({ key: 'a.txt', ...signForm() }),
    ['name="file"; filename="a"', 'hello'],
  ]);
  const sent = request(`${emulator.url}/${BUCKET}/`, { method: 'POST' });
  sent.setHeader('expect', '100-continue').setHeader('content-type', contentType).flushHeaders();
  await once(sent, 'continue');
  sent.end(body);
  const [response] = await once(sent, 'response');
  expect(response.resume().statusCode).toBe(204);
});

describe('the signature', () => {
  it('of temporary credentials is accepted', async () => {
    const emulator = await startTestEmulator();
    expect((await post(emulator, { policy: { credentials: TEMPORARY } })).status).toBe(204);
  });

  const signed = signForm();
  const withoutField = (name: string) =>
    Object.fromEntries(Object.entries(signed).filter(([one]) => one !== name));
  it.each<[string, Record<string, string>, number, string, string | undefined]>([
    [
      'another secret',
      signForm({ credentials: { ...LONG_LIVED, accessKeySecret: 'x' } }),
      403,
      'SignatureDoesNotMatch',
      '0002-00000705',
    ],
    [
      'another policy',
      { ...signed, policy: signForm({ conditions: [{ key: 'a.txt' }] }).policy ?? '' },
      403,
      'SignatureDoesNotMatch',
      '0002-00000705',
    ],
    [
      'the digits in upper case',
      { ...signed, 'x-oss-signature': signed['x-oss-signature']?.toUpperCase() ?? '' },
      403,
      'SignatureDoesNotMatch',
      '0002-00000705',
    ],
    ['no signature', withoutField('x-oss-signature'), 400, 'InvalidArgument', '0002-00000703'],
    ['no credential', withoutField('x-oss-credential'), 400, 'InvalidArgument', '0002-00000706'],
    ['no fields at all', {}, 400, 'InvalidArgument', '0002-00000706'],
    ['no policy', withoutField('policy'), 400, 'InvalidArgument', undefined],
    ['no version', withoutField('x-oss-signature-version'), 400, 'InvalidArgument', '0002-00000066'],
    ['no date', withoutField('x-oss-date'), 400, 'InvalidArgument', '0002-00000502'],
    [
      'version 1',
      { OSSAccessKeyId: 'a', Signature: 'b', policy: signed.policy ?? '' },
      400,
      'InvalidArgument',
      '0002-00000034',
    ],
    [
      'half a credential',
      { ...signed, 'x-oss-credential': 'a/20261123/cn-hangzhou' },
      400,
      'InvalidArgument',
      '0002-00000710',
    ],
    [
      'another day in the credential',
      { ...signed, 'x-oss-date': '20261122T100000Z' },
      400,
      'InvalidArgument',
      '0002-00000710',
    ],
    ['another region', signForm({ region: 'cn-shanghai' }), 400, 'InvalidArgument', '0002-00000226'],
    [
      'the prefix of a region',
      signForm({ region: 'oss-cn-hangzhou' }),
      400,
      'InvalidArgument',
      '0002-00000226',
    ],
    [
      'an unknown key id',
      signForm({ credentials: { ...LONG_LIVED, accessKeyId: 'x' } }),
      403,
      'InvalidAccessKeyId',
      '0002-00000902',
    ],
    [
      'a wrong token',
      signForm({ credentials: { ...TEMPORARY, securityToken: 'x' } }),
      403,
      'InvalidSecurityToken',
      '0002-00000008',
    ],
    [
      'a token for an id that has none',
      signForm({ credentials: { ...LONG_LIVED, securityToken: 'x' } }),
      403,
      'InvalidSecurityToken',
      '0002-00000006',
    ],
    [
      'a date that is 16 minutes ahead',
      signForm({ date: '20261123T101600Z' }),
      403,
      'AccessDenied',
      '0002-00000235',
    ],
    ['a date over 7 days old', signForm({ date: '20261116T095959Z' }), 403, 'AccessDenied', '0002-00000236'],
    [
      'a policy that has expired',
      signForm({ expiration: '2026-11-23T10:00:00.000Z' }),
      403,
      'AccessDenied',
      '0006-00000213',
    ],
    ['a policy for another bucket', signForm({ bucket: 'other' }), 403, 'AccessDenied', '0006-00000227'],
    [
      'a policy that cannot be read',
      signForm({ policyText: '{' }),
      400,
      'InvalidPolicyDocument',
      '0006-00000201',
    ],
  ])('with %s is rejected', async (_name, fields, status, code, ec) => {
    const emulator = await startTestEmulator();
    const response = await postForm(
      { url: `${emulator.url}/${BUCKET}/`, fields: { key: 'a.txt', ...fields }, fileField: 'file' },
      { body: 'hello' },
    );
    expect(response.headers.get('x-oss-ec') ?? undefined).toBe(ec);
    expect(await statusAndCode(response)).toStrictEqual([status, code, ec]);
    expect(emulator.files()).toStrictEqual([]);
  });

  it.each(['20261116T100000Z', '20261123T101500Z'])('of %s is accepted', async (date) => {
    const emulator = await startTestEmulator();
    expect((await post(emulator, { policy: { date } })).status).toBe(204);
  });

  it('that does not match gets the signed text in the error', async () => {
    const emulator = await startTestEmulator();
    const fields = signForm({ credentials: { ...LONG_LIVED, accessKeySecret: 'x' } });
    const xml = readXml(await (await post(emulator, { fields })).text());
    expect(xml).toMatchObject({
      OSSAccessKeyId: LONG_LIVED.accessKeyId,
      SignatureProvided: fields['x-oss-signature'],
      StringToSign: fields.policy,
    });
    expect(Buffer.from(xml.StringToSignBytes?.replaceAll(' ', '') ?? '', 'hex').toString()).toBe(
      fields.policy,
    );
  });
});

describe('rejects, and stores nothing', () => {
  it.each<[string, Post, number, string, string | undefined]>([
    [
      'a field that breaks its condition',
      { policy: { conditions: [['eq', '$key', 'b.txt']] } },
      403,
      'AccessDenied',
      '0006-00000227',
    ],
    [
      'a file over the range',
      { policy: { conditions: [['content-length-range', 1, 8]] } },
      400,
      'EntityTooLarge',
      '0006-00000003',
    ],
    [
      'a file under the range',
      { policy: { conditions: [['content-length-range', 10, 20]] } },
      400,
      'EntityTooSmall',
      '0006-00000004',
    ],
    ['a key that begins with a slash', { fields: { key: '/a' } }, 400, 'InvalidObjectName', '0016-00000005'],
    ['an empty key', { fields: { key: '' } }, 400, 'InvalidObjectName', '0016-00000001'],
    [
      'a key of 1,024 bytes',
      { fields: { key: 'x'.repeat(1024) } },
      400,
      'InvalidObjectName',
      '0016-00000002',
    ],
    [
      'an unknown ACL',
      { fields: { 'x-oss-object-acl': 'everybody' } },
      400,
      'InvalidArgument',
      '0017-00000104',
    ],
    [
      'an unknown forbid-overwrite',
      { fields: { 'x-oss-forbid-overwrite': 'yes' } },
      400,
      'InvalidArgument',
      '0017-00000279',
    ],
    [
      'an unknown storage class',
      { fields: { 'x-oss-storage-class': 'Gold' } },
      400,
      'InvalidArgument',
      '0013-00000101',
    ],
    [
      'an unknown encryption',
      { fields: { 'x-oss-server-side-encryption': 'ROT13' } },
      400,
      'InvalidEncryptionAlgorithmError',
      '0005-00000003',
    ],
    ['tags', { fields: { 'x-oss-tagging': 'a=b' } }, 400, 'InvalidArgument', undefined],
    [
      'metadata over 8 KB',
      { fields: { 'x-oss-meta-a': 'x'.repeat(8192) } },
      400,
      'MetadataTooLarge',
      '0011-00000002',
    ],
    [
      'a line break in a stored field',
      { fields: { 'cache-control': 'a\nb' } },
      400,
      'InvalidArgument',
      undefined,
    ],
    [
      'a field of over 2 MB',
      { fields: { any: 'x'.repeat(2 * 1024 ** 2 + 1) } },
      400,
      'FieldItemTooLong',
      '0006-00000112',
    ],
    [
      'a field name of over 8 KB',
      { fields: { ['x'.repeat(8193)]: '' } },
      400,
      'FieldItemTooLong',
      '0006-00000112',
    ],
    [
      'field names of over 8 MB in all',
      {
        fields: Object.fromEntries(
          Array.from({ length: 1100 }, (_, index) => [`${index}`.padEnd(8000, 'x'), '']),
        ),
      },
      400,
      'FieldItemTooLong',
      '0006-00000112',
    ],
    [
      'fields of over 8 MB in all',
      { fields: Object.fromEntries([...'abcde'].map((name) => [name, 'x'.repeat(1_900_000)])) },
      400,
      'FieldItemTooLong',
      '0006-00000112',
    ],
  ])('%s', async (_name, change, status, code, ec) => {
    const emulator = await startTestEmulator();
    expect(await statusAndCode(await post(emulator, change))).toStrictEqual([status, code, ec]);
    expect(emulator.files()).toStrictEqual([]);
  });

  const FIELDS = partsOf({ key: 'a.txt', ...signForm() });
  const FILE: Part = ['name="file"; filename="a"\r\nContent-Type: text/plain', 'hello'];
  it.each<[string, readonly Part[], string, string | undefined]>([
    ['no file', FIELDS, 'MalformedPOSTRequest', '0006-00000104'],
    ['nothing at all', [], 'MalformedPOSTRequest', '0006-00000104'],
    [
      'a field after the file',
      [...FIELDS, FILE, ['name="submit"', 'Upload']],
      'MalformedPOSTRequest',
      '0006-00000103',
    ],
    ['two files', [...FIELDS, FILE, FILE], 'IncorrectNumberOfFilesInPOSTRequest', undefined],
    [
      'the file under another name',
      [...FIELDS, ['name="upload"; filename="a"', 'hello']],
      'MalformedPOSTRequest',
      '0006-00000103',
    ],
    [
      'File for file',
      [...FIELDS, ['name="File"; filename="a"', 'hello']],
      'MalformedPOSTRequest',
      '0006-00000103',
    ],
    [
      'a part without a name',
      [...FIELDS, ['filename="a"', 'hello']],
      'MalformedPOSTRequest',
      '0006-00000103',
    ],
    [
      'the key after the file',
      [...partsOf(signForm()), FILE, ['name="key"', 'a.txt']],
      'InvalidArgument',
      undefined,
    ],
    ['Key for key', [...partsOf({ Key: 'a.txt', ...signForm() }), FILE], 'InvalidArgument', undefined],
    [
      'the signature after the file',
      [['name="key"', 'a.txt'], FILE, ...partsOf(signForm())],
      'InvalidArgument',
      '0002-00000706',
    ],
    ['a field twice', [...FIELDS, ['name="key"', 'b.txt'], FILE], 'InvalidArgument', undefined],
    [
      'a field twice in another case',
      [...FIELDS, ['name="x-oss-meta-a"', '1'], ['name="X-Oss-Meta-A"', '2'], FILE],
      'InvalidArgument',
      undefined,
    ],
    [
      'a key that is not UTF-8',
      [...partsOf(signForm()), ['name="key"', Buffer.from([0xff])], FILE],
      'InvalidObjectName',
      '0016-00000002',
    ],
  ])('%s', async (_name, parts, code, ec) => {
    const emulator = await startTestEmulator();
    expect(await statusAndCode(await postParts(emulator, parts))).toStrictEqual([400, code, ec]);
    expect(emulator.files()).toStrictEqual([]);
  });

  it.each([
    ['without a type', {}],
    ['of another type', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['of another multipart type', { 'content-type': 'multipart/mixed; boundary=a' }],
    ['of a malformed type', { 'content-type': 'multipart' }],
  ])('a body %s', async (_name, headers) => {
    const emulator = await startTestEmulator();
    const response = await fetch(`${emulator.url}/${BUCKET}/`, {
      method: 'POST',
      body: Buffer.from('key=a'),
      headers,
    });
    expect(await statusAndCode(response)).toStrictEqual([400, 'RequestIsNotMultiPartContent', undefined]);
  });

  it('a body without its closing boundary, wherever it ends', async () => {
    const emulator = await startTestEmulator();
    const { body, contentType } = multipart([...FIELDS, FILE]);
    const end = body.indexOf('name="file"');
    const ends = [0, 10, 100, end, end + 20, end + 50, body.length - 30, body.length - 5, body.length - 4];
    const codes = await Promise.all(
      ends.map(async (length) => {
        const response = await fetch(`${emulator.url}/${BUCKET}/`, {
          method: 'POST',
          body: body.subarray(0, length),
          headers: { 'content-type': contentType },
        });
        return readXml(await response.text()).Code;
      }),
    );
    expect(codes).toStrictEqual(ends.map(() => 'MalformedPOSTRequest'));
    expect(emulator.files()).toStrictEqual([]);
  });

  it('a part whose headers do not end', async () => {
    const emulator = await startTestEmulator();
    const { body, contentType } = multipart([...FIELDS, FILE]);
    const headless = Buffer.from('--boundary\r\nContent-Disposition: form-data; name="x"\r\n');
    const response = await fetch(`${emulator.url}/${BUCKET}/`, {
      method: 'POST',
      body: Buffer.concat([headless, body]),
      headers: { 'content-type': contentType },
    });
    expect(await statusAndCode(response)).toStrictEqual([400, 'MalformedPOSTRequest', '0006-00000103']);
    expect(emulator.files()).toStrictEqual([]);
  });

  it('a whole form whose MD5 is another one than Content-MD5', async () => {
    const emulator = await startTestEmulator();
    const { body, contentType } = multipart([...FIELDS, FILE]);
    const send = (contentMd5: string) =>
      fetch(`${emulator.url}/${BUCKET}/`, {
        method: 'POST',
        body,
        headers: { 'content-type': contentType, 'content-md5': contentMd5 },
      });
    const ofFile = createHash('md5').update('hello').digest('base64');
    expect(await statusAndCode(await send(ofFile))).toStrictEqual([400, 'InvalidDigest', '0017-00000503']);
    expect(emulator.files()).toStrictEqual([]);
    expect((await send(createHash('md5').update(body).digest('base64'))).status).toBe(204);
  });

  it('a client that disconnects within the file', async () => {
    const emulator = await startTestEmulator();
    await emulator.put('a.txt', 'before');
    const { body, contentType } = multipart([
      ...FIELDS,
      ['name="file"; filename="a"', Buffer.alloc(1_000_000)],
    ]);
    const broken = request(`${emulator.url}/${BUCKET}/`, { method: 'POST' });
    broken.setHeader('content-type', contentType).setHeader('content-length', body.length);
    broken.on('error', () => undefined).write(body.subarray(0, 500_000));
    await vi.waitFor(() => expect(emulator.files()).toHaveLength(2));
    broken.destroy();
    await vi.waitFor(() => expect(emulator.events.at(-1)?.status).toBe(499));
    expect(emulator.files()).toHaveLength(1);
    expect(await (await fetch(emulator.presign({ method: 'GET' }))).text()).toBe('before');
  });

  it('over 5 GB, before the form is read', async () => {
    const emulator = await startTestEmulator();
    const sent = request(`${emulator.url}/${BUCKET}/`, { method: 'POST' });
    sent.setHeader('expect', '100-continue').setHeader('content-type', 'multipart/form-data; boundary=a');
    sent.setHeader('content-length', 5 * 1024 ** 3 + 17 * 1024 ** 2).flushHeaders();
    const [response] = await once(sent, 'response');
    const xml = readXml(await text(response));
    expect([response.statusCode, xml.Code, xml.EC]).toStrictEqual([400, 'EntityTooLarge', '0006-00000003']);
    sent.destroy();
  });

  it('a form without a length', async () => {
    const emulator = await startTestEmulator();
    const socket = connect(emulator.port, '127.0.0.1');
    socket.write(
      `POST /${BUCKET}/ HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=a\r\nConnection: close\r\n\r\n`,
    );
    const response = await text(socket);
    expect([response.split(' ')[1], readXml(response).Code]).toStrictEqual(['411', 'MissingContentLength']);
  });

  it.each([
    ['without a signature', (_emulator: TestEmulator) => `/${BUCKET}/a.txt`],
    ['by the URL of a PUT', (emulator: TestEmulator) => emulator.presign().slice(emulator.url.length)],
  ])('a form that is sent to an object, %s', async (_name, targetOf) => {
    const emulator = await startTestEmulator();
    const fields = { key: 'a.txt', ...signForm() };
    const url = `${emulator.url}${targetOf(emulator)}`;
    const response = await postForm({ url, fields, fileField: 'file' }, { body: 'hello' });
    expect([response.status, readXml(await response.text())]).toMatchObject([
      405,
      { Code: 'MethodNotAllowed', EC: '0017-00000001', Method: 'POST', ResourceType: 'Object' },
    ]);
    expect(emulator.files()).toStrictEqual([]);
  });

  it.each([
    ['key', { ...signForm() }],
    ['policy', { key: 'a', ...signForm(), policy: undefined }],
    ['OSSAccessKeyId', { key: 'a', ...signForm(), 'x-oss-credential': undefined }],
    ['x-oss-signature', { key: 'a', ...signForm(), 'x-oss-signature': undefined }],
  ])('a form without %s, which the error names', async (name, fields) => {
    const emulator = await startTestEmulator();
    const sent = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
    const url = `${emulator.url}/${BUCKET}/`;
    const response = await postForm(
      { url, fields: Object.fromEntries(sent), fileField: 'file' },
      { body: '' },
    );
    expect(readXml(await response.text())).toMatchObject({
      Code: 'InvalidArgument',
      Message: expect.stringContaining(`must contain the specified '${name}'`),
      ArgumentName: name,
    });
  });
});

it('an ACL that no condition names makes the object public', async () => {
  const emulator = await startTestEmulator();
  const url = `${emulator.url}/${BUCKET}/a.txt`;
  await post(emulator);
  expect((await fetch(url)).status).toBe(403);
  await post(emulator, { fields: { 'x-oss-object-acl': 'public-read' } });
  expect((await fetch(url)).status).toBe(200);
});

it('exactly one of twenty simultaneous forms that forbid overwriting succeeds', async () => {
  const emulator = await startTestEmulator();
  const responses = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      post(emulator, { fields: { 'x-oss-forbid-overwrite': 'true' }, file: { body: `body ${index}` } }),
    ),
  );
  const winners = responses.flatMap(({ status }, index) => (status === 204 ? [index] : []));
  expect(winners).toHaveLength(1);
  expect(responses.filter(({ status }) => status === 409)).toHaveLength(19);
  const stored = await fetch(emulator.presign({ method: 'GET' }));
  expect(await stored.text()).toBe(`body ${winners[0]}`);
});

it('overwrites an object unless x-oss-forbid-overwrite is true', async () => {
  const emulator = await startTestEmulator();
  expect((await post(emulator, { file: { body: 'one' } })).status).toBe(204);
  expect((await post(emulator, { file: { body: 'two' } })).status).toBe(204);
  const rejected = await post(emulator, {
    fields: { 'x-oss-forbid-overwrite': 'true' },
    file: { body: 'three' },
  });
  expect(await statusAndCode(rejected)).toStrictEqual([409, 'FileAlreadyExists', '0026-00000002']);
  expect(await (await fetch(emulator.presign({ method: 'GET' }))).text()).toBe('two');
});

it.each<[string, number, number]>([
  ['a file of as many bytes as a stream buffers', 65_536, 0],
  ['a file of one byte more', 65_537, 0],
  ['a file of several chunks', 1_000_000, 0],
  ['a field of several chunks', 5, 300_000],
  ['a file and a field of several chunks', 200_000, 70_000],
])('reads a form with %s', async (_title, fileBytes, fieldBytes) => {
  const emulator = await startTestEmulator();
  const body = new Uint8Array(fileBytes).map((_, index) => index % 251);
  const response = await post(emulator, { fields: { any: 'x'.repeat(fieldBytes) }, file: { body } });
  expect(response.status).toBe(204);
  const md5 = createHash('md5').update(body).digest('base64');
  expect(Object.fromEntries((await head(emulator)).headers)).toMatchObject({
    'content-length': String(fileBytes),
    'content-md5': md5,
  });
});

it.each([1, 2, 7, 1000])('reads a form that arrives in pieces of %i bytes', async (size) => {
  const emulator = await startTestEmulator();
  const content = Buffer.from('\r\n--boundar\r\n-\r\n--\0 hello'.repeat(3));
  const { body, contentType } = multipart([
    ...partsOf({ key: 'a.txt', ...signForm(), 'x-oss-meta-a': '', any: '\r\n--x' }),
    ['name="file"; filename="a"', content],
  ]);
  const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
    body.subarray(index * size, (index + 1) * size),
  );
  const sent = request(`${emulator.url}/${BUCKET}/`, { method: 'POST' });
  sent.setHeader('content-type', contentType.replace('=', '="').concat('"'));
  for (const piece of pieces) sent.write(piece);
  sent.end();
  const [response] = await once(sent, 'response');
  expect(response.resume().statusCode).toBe(204);
  const stored = await fetch(emulator.presign({ method: 'GET' }));
  expect(Buffer.from(await stored.arrayBuffer())).toStrictEqual(content);
});
