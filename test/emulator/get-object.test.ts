import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { BUCKET, REGION, readXml, startTestEmulator, type TestEmulator } from '../support/test-emulator.ts';

/** Of `0123456789`. */
const DIGITS_CRC64 = '2838902930144391966';

it.each([
  [undefined, 200, '0123456789', null],
  ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=-2', 206, '89', 'bytes 8-9/10'],
  // OSS sends the whole object if a range ends after it, unless the standard behaviour is requested.
  ['bytes=8-100', 200, '0123456789', null],
  ['bytes=10-12', 200, '0123456789', null],
  ['bytes=5-2', 200, '0123456789', null],
  ['bytes=0-1,3-4', 200, '0123456789', null],
  ['lines=1-2', 200, '0123456789', null],
])('GET with the range %s responses %i', async (range, status, body, contentRange) => {
  const emulator = await startTestEmulator();
  await emulator.put('a', '0123456789');
  const response = await fetch(emulator.presign({ method: 'GET', key: 'a' }), {
    headers: range ? { range } : {},
  });
  expect([response.status, await response.text(), response.headers.get('content-range')]).toStrictEqual([
    status,
    body,
    contentRange,
  ]);
});

it('HEAD sends the headers of GET, and an error in x-oss-err', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', 'hello');
  const found = await fetch(emulator.presign({ method: 'HEAD', key: 'a' }), { method: 'HEAD' });
  expect([found.status, found.headers.get('content-length')]).toStrictEqual([200, '5']);
  const missing = await fetch(emulator.presign({ method: 'HEAD', key: 'b' }), { method: 'HEAD' });
  expect(missing.status).toBe(404);
  const xml = Buffer.from(missing.headers.get('x-oss-err') ?? '', 'base64').toString();
  expect(readXml(xml)).toMatchObject({ Code: 'NoSuchKey', Key: 'b', EC: '0026-00000001' });
});

it.each([
  ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
  ['bytes=-100', 206, '0123456789', 'bytes 0-9/10'],
  ['bytes=10-12', 416, undefined, null],
])(
  'GET with x-oss-range-behavior: standard and the range %s responds %i',
  async (range, status, body, contentRange) => {
    const emulator = await startTestEmulator();
    await emulator.put('a', '0123456789');
    const signed = { 'x-oss-range-behavior': 'standard' };
    const response = await fetch(emulator.presign({ method: 'GET', key: 'a', headers: signed }), {
      headers: { ...signed, range },
    });
    const text = await response.text();
    expect([response.status, response.headers.get('content-range')]).toStrictEqual([status, contentRange]);
    if (body === undefined)
      expect(readXml(text)).toMatchObject({ Code: 'InvalidRange', ActualObjectSize: '10' });
    else expect([text, response.headers.get('x-oss-hash-crc64ecma')]).toStrictEqual([body, DIGITS_CRC64]);
  },
);

describe('the parameters response-…', () => {
  const OVERRIDES = {
    'response-content-disposition': "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf",
    'response-cache-control': 'no-store',
    'response-expires': 'Fri, 24 Feb 2028 17:00:00 GMT',
    'response-content-language': 'zh-CN',
    'response-content-encoding': 'identity',
  };
  const overridden = Object.fromEntries(
    Object.entries(OVERRIDES).map(([name, value]) => [name.replace('response-', ''), value]),
  );

  it.each<[string, Record<string, string>, number]>([
    ['a whole object', {}, 200],
    ['a range', { range: 'bytes=0-3' }, 206],
  ])('replace headers of %s', async (_name, headers, status) => {
    const emulator = await startTestEmulator();
    await emulator.put('a', '0123456789', { headers: { 'cache-control': 'no-cache', 'x-oss-meta-a': '1' } });
    const response = await fetch(emulator.presign({ method: 'GET', key: 'a', query: OVERRIDES }), {
      headers,
    });
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      ...overridden,
      'content-type': 'text/plain',
      'x-oss-meta-a': '1',
    });
    const stored = await fetch(emulator.presign({ method: 'GET', key: 'a' }));
    expect(stored.headers.get('cache-control')).toBe('no-cache');
    expect(stored.headers.get('content-disposition')).toBeNull();
  });

  it('replace no header of a response without the object', async () => {
    const emulator = await startTestEmulator();
    await emulator.put('a', '0123456789');
    const url = emulator.presign({ method: 'GET', key: 'a', query: OVERRIDES });
    const etag = (await fetch(url)).headers.get('etag') ?? '';
    const unchanged = await fetch(url, { headers: { 'if-none-match': etag } });
    const missing = await fetch(emulator.presign({ method: 'GET', key: 'b', query: OVERRIDES }));
    expect([unchanged.status, missing.status]).toStrictEqual([304, 404]);
    for (const { headers } of [unchanged, missing]) {
      expect(Object.keys(Object.fromEntries(headers))).not.toContain('content-disposition');
    }
  });

  it.each<[string, Record<string, string>, string, string | undefined]>([
    ['the type', { 'response-content-type': 'text/html' }, 'InvalidRequest', '0017-00000902'],
    [
      'the type among others',
      { ...OVERRIDES, 'response-content-type': 'text/plain' },
      'InvalidRequest',
      '0017-00000902',
    ],
    ['a header that cannot be replaced', { 'response-etag': 'a' }, 'InvalidRequest', undefined],
    ['no header', { 'response-': 'a' }, 'InvalidRequest', undefined],
    ['a header in another case', { 'response-Content-Disposition': 'a' }, 'InvalidRequest', undefined],
    ['a line break', { 'response-content-disposition': 'a\r\nb: c' }, 'InvalidArgument', undefined],
  ])('are rejected with %s', async (_name, query, code, ec) => {
    const emulator = await startTestEmulator();
    await emulator.put('a', '0123456789');
    const response = await fetch(emulator.presign({ method: 'GET', key: 'a', query }));
    const { Code, EC } = readXml(await response.text());
    expect([response.status, Code, EC]).toStrictEqual([400, code, ec]);
  });

  it('are rejected without a signature, and with one that does not cover them', async () => {
    const emulator = await startTestEmulator();
    await emulator.put('a', 'public', { headers: { 'x-oss-object-acl': 'public-read' } });
    const url = `${emulator.url}/acme-media/a`;
    expect((await fetch(url)).status).toBe(200);
    const statusAndCode = async (link: string) => {
      const response = await fetch(link);
      return [response.status, readXml(await response.text()).Code];
    };
    expect(await statusAndCode(`${url}?response-content-disposition=inline`)).toStrictEqual([
      400,
      'InvalidRequest',
    ]);
    const signed = emulator.presign({ method: 'GET', key: 'a', query: OVERRIDES });
    expect(await statusAndCode(signed.replace('no-store', 'public'))).toStrictEqual([
      403,
      'SignatureDoesNotMatch',
    ]);
    expect(await statusAndCode(signed.replace(/response-cache-control=[^&]*&/, ''))).toStrictEqual([
      403,
      'SignatureDoesNotMatch',
    ]);
    expect(
      await statusAndCode(`${emulator.presign({ method: 'GET', key: 'a' })}&response-expires=0`),
    ).toStrictEqual([403, 'SignatureDoesNotMatch']);
  });
});

it('a URL for GET does not work for HEAD, nor the other way round', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', 'hello');
  const head = await fetch(emulator.presign({ method: 'GET', key: 'a' }), { method: 'HEAD' });
  const get = await fetch(emulator.presign({ method: 'HEAD', key: 'a' }));
  expect([head.status, head.headers.get('x-oss-ec'), get.status]).toStrictEqual([403, '0002-00000201', 403]);
});

it('a URL with a signed Range works only with exactly this range', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', '0123456789');
  const url = emulator.presign({
    method: 'GET',
    key: 'a',
    headers: { range: 'bytes=0-3' },
    additionalHeaders: ['range'],
  });
  const statuses = await Promise.all(
    [{ range: 'bytes=0-3' }, { range: 'bytes=0-4' }, {}].map(
      async (headers) => (await fetch(url, { headers: headers as Record<string, string> })).status,
    ),
  );
  expect(statuses).toStrictEqual([206, 403, 400]);
});

it('HEAD sends everything that was stored, as it was sent, and ignores a range', async () => {
  const emulator = await startTestEmulator();
  const headers = {
    'content-type': 'Text/Plain; Charset="UTF-8"',
    'content-md5': 'eB5eJF1ptWaXm4bijSPyxw==',
    'cache-control': 'no-cache, Private',
    'content-disposition': 'attachment; filename="a b.txt"',
    'content-encoding': 'identity',
    expires: 'Fri, 24 Feb 2028 17:00:00 GMT',
    'x-oss-meta-Taken-By': 'A B',
    'x-oss-storage-class': 'IA',
  };
  expect((await emulator.put('a', '0123456789', { headers })).status).toBe(200);
  const head = await fetch(emulator.presign({ method: 'HEAD', key: 'a' }), {
    method: 'HEAD',
    headers: { range: 'bytes=0-3' },
  });
  expect([head.status, await head.text()]).toStrictEqual([200, '']);
  const { date, connection, 'keep-alive': _, ...rest } = Object.fromEntries(head.headers);
  expect(rest).toStrictEqual({
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    'content-length': '10',
    etag: '"781E5E245D69B566979B86E28D23F2C7"',
    'x-oss-hash-crc64ecma': DIGITS_CRC64,
    'x-oss-object-type': 'Normal',
    'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
    'accept-ranges': 'bytes',
    server: 'AliyunOSS',
    'x-oss-request-id': expect.stringMatching(/^[0-9A-F]{24}$/),
    'x-oss-server-time': '0',
  });
});

it('on a host of OSS itself, every object is a download', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', 'hello', { headers: { 'content-disposition': 'inline' } });
  const read = async (
    host: string,
    method: 'GET' | 'HEAD',
    query: Record<string, string> = {},
    key = 'a',
  ) => {
    const endpoint = { url: `http://${host}`, addressing: 'cname' } as const;
    const path = emulator.presign({ method, key, endpoint, query }).slice(`http://${host}`.length);
    const sent = request({ port: emulator.port, method, path, headers: { host }, agent: false }).end();
    const [response] = await once(sent, 'response');
    const { 'content-disposition': disposition, 'x-oss-force-download': isForced } =
      response.resume().headers;
    return [response.statusCode, disposition, isForced];
  };
  const host = 'acme-media.oss-cn-hangzhou.aliyuncs.com';
  const named = { 'response-content-disposition': 'attachment; filename="a.txt"' };
  expect(await read(host, 'GET')).toStrictEqual([200, 'attachment', 'true']);
  expect(await read(host, 'HEAD')).toStrictEqual([200, 'attachment', 'true']);
  expect(await read(host, 'GET', named)).toStrictEqual([200, 'attachment; filename="a.txt"', 'true']);
  expect(await read('upload.example.com', 'GET')).toStrictEqual([200, 'inline', undefined]);
  await emulator.put('app.APK', 'hello');
  expect(await read(host, 'GET', {}, 'app.APK')).toStrictEqual([400, undefined, undefined]);
  expect(await read('upload.example.com', 'GET', {}, 'app.APK')).toStrictEqual([200, undefined, undefined]);
});

describe('a bucket with versions', () => {
  const start = () => startTestEmulator({ buckets: { [BUCKET]: { region: REGION, isVersioned: true } } });

  it('gives each upload an id, by which the newest can be read', async () => {
    const emulator = await start();
    const first = (await emulator.put('a', 'one')).headers.get('x-oss-version-id') ?? '';
    const forbid = { headers: { 'x-oss-forbid-overwrite': 'true' } };
    const second = (await emulator.put('a', 'two', forbid)).headers.get('x-oss-version-id') ?? '';
    expect(new Set([first, second, '']).size).toBe(3);
    const read = (versionId: string) =>
      fetch(emulator.presign({ method: 'GET', key: 'a', query: { versionId } }));
    const found = await read(second);
    expect([found.status, await found.text(), found.headers.get('x-oss-version-id')]).toStrictEqual([
      200,
      'two',
      second,
    ]);
    const replaced = await read(first);
    expect([replaced.status, readXml(await replaced.text()).Code]).toStrictEqual([404, 'NoSuchVersion']);
  });

  it('is needed for a version id: without versions, the only id is null', async () => {
    const emulator = await startTestEmulator();
    const put = await emulator.put('a', 'one');
    expect(put.headers.get('x-oss-version-id')).toBeNull();
    const statuses = await Promise.all(
      ['null', 'x'].map(async (versionId) => {
        const url = emulator.presign({ method: 'HEAD', key: 'a', query: { versionId } });
        return (await fetch(url, { method: 'HEAD' })).status;
      }),
    );
    expect(statuses).toStrictEqual([200, 404]);
  });
});

describe('a symbolic link', () => {
  const link = (emulator: TestEmulator, key: string, target: string) => {
    const headers = { 'x-oss-symlink-target': encodeURIComponent(target), 'x-oss-meta-kind': 'link' };
    return fetch(emulator.presign({ key, headers, query: { symlink: '' } }), { method: 'PUT', headers });
  };

  it('has the bytes of its target and its own attributes', async () => {
    const emulator = await startTestEmulator();
    await emulator.put('dir/图.txt', '123456789', { headers: { 'x-oss-meta-a': '1' } });
    expect((await link(emulator, 'link', 'dir/图.txt')).status).toBe(200);
    const get = await fetch(emulator.presign({ method: 'GET', key: 'link' }));
    expect(await get.text()).toBe('123456789');
    const head = await fetch(emulator.presign({ method: 'HEAD', key: 'link' }), { method: 'HEAD' });
    for (const { headers } of [get, head]) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-length': '9',
        etag: '"25F9E794323B453885F5181F1B624D0B"',
        'x-oss-hash-crc64ecma': '11051210869376104954',
        'x-oss-object-type': 'Symlink',
        'x-oss-meta-kind': 'link',
      });
      expect(headers.get('x-oss-meta-a')).toBeNull();
    }
  });

  it('to nothing or to another link cannot be read', async () => {
    const emulator = await startTestEmulator();
    await emulator.put('a', 'hello');
    for (const [key, target] of [
      ['one', 'a'],
      ['two', 'one'],
      ['lost', 'b'],
    ] as const) {
      expect((await link(emulator, key, target)).status).toBe(200);
    }
    const read = async (key: string) => {
      const response = await fetch(emulator.presign({ method: 'GET', key }));
      const { Code, EC } = readXml(await response.text());
      return [response.status, Code, EC];
    };
    expect(await read('two')).toStrictEqual([400, 'InvalidTargetType', '0026-00000011']);
    expect(await read('lost')).toStrictEqual([404, 'SymlinkTargetNotExist', undefined]);
  });

  it('needs a target that is a name of an object', async () => {
    const emulator = await startTestEmulator();
    const responses = [
      await link(emulator, 'link', '/a'),
      await fetch(emulator.presign({ query: { symlink: '' } }), { method: 'PUT' }),
    ];
    const codes = await Promise.all(responses.map(async (one) => readXml(await one.text()).Code));
    expect(codes).toStrictEqual(['InvalidObjectName', 'MissingArgument']);
    expect(emulator.files()).toStrictEqual([]);
  });
});

it('GetObjectMeta sends the size and checksums alone, and 404 for a missing object', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', '123456789', { headers: { 'x-oss-meta-a': '1' } });
  const ask = (method: 'GET' | 'HEAD', key: string) =>
    fetch(emulator.presign({ method, key, query: { objectMeta: '' } }), { method });
  const head = await ask('HEAD', 'a');
  const names = Object.keys(Object.fromEntries(head.headers));
  expect(Object.fromEntries(head.headers)).toMatchObject({
    'content-length': '9',
    etag: '"25F9E794323B453885F5181F1B624D0B"',
    'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
    'x-oss-hash-crc64ecma': '11051210869376104954',
  });
  expect(names.filter((name) => /^content-type$|^x-oss-(meta|storage|object)/.test(name))).toStrictEqual([]);
  const get = await ask('GET', 'a');
  expect([get.status, await get.text(), get.headers.get('etag')]).toStrictEqual([
    200,
    '',
    head.headers.get('etag'),
  ]);
  const missing = [await ask('HEAD', 'b'), await ask('GET', 'b')];
  expect(missing.map(({ status }) => status)).toStrictEqual([404, 404]);
  expect(missing[0]?.headers.get('x-oss-ec')).toBe('0026-00000001');
});

it('a missing object is a 404, but 403 without a signature, and DELETE succeeds', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', 'hello');
  const missing = await fetch(emulator.presign({ method: 'GET', key: 'b' }));
  expect([missing.status, readXml(await missing.text()).Code]).toStrictEqual([404, 'NoSuchKey']);
  for (const key of ['a', 'b']) {
    const stranger = await fetch(`${emulator.url}/acme-media/${key}`);
    expect([stranger.status, readXml(await stranger.text()).Code]).toStrictEqual([403, 'AccessDenied']);
    const deleted = await fetch(emulator.presign({ method: 'DELETE', key }), { method: 'DELETE' });
    expect(deleted.status).toBe(204);
  }
  expect(emulator.files()).toStrictEqual([]);
});

it('a read stays complete while the object is replaced repeatedly', async () => {
  const emulator = await startTestEmulator();
  const bodyOf = (letter: string) => letter.repeat(50_000);
  await emulator.put('a', bodyOf('a'));
  const writes = Promise.all([...'bcdefgh'].map((letter) => emulator.put('a', bodyOf(letter))));
  const reads = await Promise.all(
    Array.from({ length: 30 }, async () =>
      (await fetch(emulator.presign({ method: 'GET', key: 'a' }))).text(),
    ),
  );
  await writes;
  for (const body of reads) expect(body).toBe(bodyOf(body.charAt(0)));
  expect(emulator.files()).toHaveLength(1);
});

it('DELETE of a version is not done', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('a', 'hello');
  const url = emulator.presign({ method: 'DELETE', key: 'a', query: { versionId: 'null' } });
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(501);
  expect(emulator.files()).toHaveLength(1);
});

it.each(['uploads', 'acl', 'tagging', 'append&position=0'])(
  '?%s, which is another operation, is not done',
  async (query) => {
    const emulator = await startTestEmulator();
    const parameters = Object.fromEntries(new URLSearchParams(query));
    const response = await fetch(emulator.presign({ query: parameters }), {
      method: 'PUT',
      body: Buffer.from('a'),
    });
    expect([response.status, readXml(await response.text()).Code]).toStrictEqual([501, 'NotImplemented']);
    expect(emulator.files()).toStrictEqual([]);
  },
);
