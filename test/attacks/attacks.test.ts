import { generateKeyPairSync } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ecSigner, forgeToken, hmacSigner } from '../support/forge-token.ts';
import { mediaTarget, ownFilesRule, policyWith, testIssuerEntry } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { startTestService, type TestService } from '../support/test-service.ts';
import { createTestIssuer, defaultClaims, nowSeconds } from '../support/tokens.ts';

// Attacks on the running service from outside. Each gets no URL, but a rejection that is a
// problem document with a code, and nothing in it that the attacker did not know.

const SECRET = 'the-shared-secret-of-the-second-issuer-0123';
const POLICY = policyWith({
  issuers: [
    testIssuerEntry(),
    { issuer: 'https://internal.test/', audience: 'uploads', secretEnv: 'INTERNAL_SECRET' },
  ],
  targets: { media: mediaTarget(), vault: { bucket: 'acme-vault', region: 'cn-shanghai' } },
  rules: [
    ownFilesRule({
      who: { issuer: 'https://login.test/', scope: 'uploads:write' },
      contentTypes: ['image/*', 'text/plain', '*/*'],
      clientHeaders: undefined,
    }),
    {
      name: 'tenant-files',
      who: { issuer: 'https://login.test/', scope: 'uploads:tenant', claims: { role: 'admin' } },
      target: 'media',
      prefix: 'tenants/{tenant}/shared/',
      contentTypes: ['application/pdf'],
      maxSize: '5MB',
    },
    {
      name: 'vault',
      who: { issuer: 'https://internal.test/' },
      target: 'vault',
      prefix: 'vault-of-secrets/',
      contentTypes: ['application/zip'],
      maxSize: 'unlimited',
    },
  ],
});
let service: TestService;
let stop: () => Promise<void>;

beforeAll(async () => {
  service = await startTestService({
    policyYaml: POLICY,
    env: { INTERNAL_SECRET: SECRET },
    onStop: (stopService) => {
      stop = stopService;
    },
  });
});
afterAll(() => stop());

/** The service's response to a body, with any headers, over a connection of its own. */
async function send(
  body: string | Buffer,
  headers: Record<string, string>,
  path = '/v1/uploads',
  method = 'POST',
) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    // The path goes out as it stands here: a URL would be tidied up first.
    const { hostname, port } = new URL(service.url);
    const request = httpRequest({ hostname, port, path, method, agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.once('error', reject);
    request.end(body);
  });
}

async function ask(body: unknown, claims?: Record<string, unknown>, headers: Record<string, string> = {}) {
  return send(typeof body === 'string' ? body : JSON.stringify(body), {
    authorization: `Bearer ${await service.issuer.sign(claims)}`,
    'content-type': 'application/json',
    ...headers,
  });
}

function expectRejection(
  { status, text }: { status: number; text: string },
  allowed: readonly number[],
): void {
  expect(allowed, text).toContain(status);
  expect(text).not.toMatch(
    /aliyuncs|x-oss-signature|vault-of-secrets|acme-|LTAI|TestSecret|the-shared-secret/,
  );
  const problem = JSON.parse(text);
  expect(problem).toMatchObject({ status, code: expect.any(String), detail: expect.any(String) });
  expect(Object.keys(problem).sort()).toStrictEqual([
    'code',
    'detail',
    ...(problem.errors ? ['errors'] : []),
    'requestId',
    'status',
    'title',
    'type',
  ]);
}

it('grants the unchanged requests of these attacks', async () => {
  const { status, text } = await ask(PHOTO);
  expect(status).toBe(201);
  expect(JSON.parse(text).url).toContain('x-oss-signature=');
});

describe('tokens', () => {
  const header = { alg: 'ES256', kid: 'key-1', typ: 'JWT' };
  const claims = defaultClaims('https://login.test/');
  const stranger = createTestIssuer();
  const own = () => ecSigner(service.issuer.privateKey);
  const publicPem = () => JSON.stringify(service.issuer.jwks.keys[0]);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const nothing = () => '';

  it.each<[string, () => string | Promise<string>]>([
    ['nothing', () => ''],
    ['a word', () => 'token'],
    ['three empty parts', () => '..'],
    ['two parts', () => 'e30.e30'],
    ['four parts', () => 'e30.e30.e30.e30'],
    ['five parts, encrypted', () => 'e30.e30.e30.e30.e30'],
    ['alg none', () => forgeToken({ alg: 'none' }, claims, nothing)],
    ['alg None', () => forgeToken({ alg: 'None' }, claims, nothing)],
    ['alg NONE with a signature', () => forgeToken({ alg: 'NONE', kid: 'key-1' }, claims, own())],
    ['no alg', () => forgeToken({ typ: 'JWT' }, claims, own())],
    ['alg as a list', () => forgeToken({ ...header, alg: ['ES256'] }, claims, own())],
    [
      'HS256 with the public key as secret',
      () => forgeToken({ ...header, alg: 'HS256' }, claims, hmacSigner(publicPem())),
    ],
    ['HS256 with an empty secret', () => forgeToken({ ...header, alg: 'HS256' }, claims, hmacSigner(''))],
    [
      'HS256 with the other issuer’s secret',
      () => forgeToken({ ...header, alg: 'HS256' }, claims, hmacSigner(SECRET)),
    ],
    ['ES384', () => forgeToken({ ...header, alg: 'ES384' }, claims, own())],
    ['RS256 over an EC signature', () => forgeToken({ ...header, alg: 'RS256' }, claims, own())],
    ['a signature in DER form', () => forgeToken(header, claims, ecSigner(service.issuer.privateKey, 'der'))],
    ['an all-zero signature', () => forgeToken(header, claims, () => Buffer.alloc(64))],
    ['an empty signature', () => forgeToken(header, claims, nothing)],
    ['a stranger’s key', () => stranger.sign()],
    ['a stranger’s key under another kid', () => stranger.sign({}, { kid: 'key-2' })],
    ['a kid that is a path', () => stranger.sign({}, { kid: '../../../../dev/null' })],
    ['a kid that is SQL', () => stranger.sign({}, { kid: "' OR 1=1 --" })],
    [
      'its own key in the header',
      () =>
        forgeToken(
          { ...header, jwk: other.publicKey.export({ format: 'jwk' }) },
          claims,
          ecSigner(other.privateKey),
        ),
    ],
    [
      'an address of keys (jku)',
      () => forgeToken({ ...header, jku: 'https://evil.test/jwks' }, claims, own()),
    ],
    [
      'an address of a certificate (x5u)',
      () => forgeToken({ ...header, x5u: 'https://evil.test/cert' }, claims, own()),
    ],
    ['an unknown critical extension', () => forgeToken({ ...header, crit: ['exp'] }, claims, own())],
    ['an unencoded payload', () => forgeToken({ ...header, b64: false, crit: ['b64'] }, claims, own())],
    ['a nested token', () => forgeToken({ ...header, cty: 'JWT' }, claims, own())],
    ['an id token’s type', () => forgeToken({ ...header, typ: 'id_token+jwt' }, claims, own())],
    ['claims that are a list', () => forgeToken(header, [claims], own())],
    ['claims that are not JSON', () => forgeToken(header, '{"iss":', own())],
    ['another issuer’s name', () => service.issuer.sign({ iss: 'https://evil.test/' })],
    ['the second issuer’s name', () => service.issuer.sign({ iss: 'https://internal.test/' })],
    ['the issuer without its slash', () => service.issuer.sign({ iss: 'https://login.test' })],
    ['the issuer as a list', () => service.issuer.sign({ iss: ['https://login.test/'] })],
    ['no issuer', () => service.issuer.sign({ iss: undefined })],
    ['another audience', () => service.issuer.sign({ aud: 'downloads' })],
    ['an audience that begins alike', () => service.issuer.sign({ aud: 'uploads2' })],
    ['no audience', () => service.issuer.sign({ aud: undefined })],
    ['an empty list of audiences', () => service.issuer.sign({ aud: [] })],
    ['no subject', () => service.issuer.sign({ sub: undefined })],
    ['an empty subject', () => service.issuer.sign({ sub: '' })],
    ['a subject that is a number', () => service.issuer.sign({ sub: 7 })],
    ['a subject that is an object', () => service.issuer.sign({ sub: { toString: 'alice' } })],
    ['no expiry', () => service.issuer.sign({ exp: undefined })],
    ['an expiry beyond the tolerance', () => service.issuer.sign({ exp: nowSeconds - 31 })],
    ['an expiry as text', () => forgeToken(header, { ...claims, exp: String(nowSeconds + 600) }, own())],
    [
      'an expiry of infinity',
      () =>
        forgeToken(header, JSON.stringify({ ...claims, exp: 0 }).replace('"exp":0', '"exp":1e999'), own()),
    ],
    ['a beginning in the future', () => service.issuer.sign({ nbf: nowSeconds + 31 })],
    ['an issue in the future', () => service.issuer.sign({ iat: nowSeconds + 31 })],
    [
      'a changed claim under the old signature',
      async () => {
        const [head, , signature] = (await service.issuer.sign()).split('.');
        return `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: 'bob' })).toString('base64url')}.${signature}`;
      },
    ],
    ['padding', async () => `${await service.issuer.sign()}==`],
    [
      'a second token behind a comma',
      async () => `${await service.issuer.sign()}, ${await service.issuer.sign()}`,
    ],
    ['more bytes than headers may have', () => service.issuer.sign({ filler: 'x'.repeat(13_000) })],
  ])('rejects a token with %s', async (_name, token) => {
    const response = await send(JSON.stringify(PHOTO), {
      authorization: `Bearer ${await token()}`,
      'content-type': 'application/json',
    });
    expectRejection(response, [401, 431]);
  });

  it.each([
    ['Basic', 'Basic YWxpY2U6c2VjcmV0'],
    ['Digest', 'Digest username="alice"'],
    ['the bare scheme', 'Bearer'],
    ['an OSS signature', 'OSS LTAI:abc'],
  ])('rejects %s in place of a bearer token', async (_name, authorization) => {
    expectRejection(
      await send(JSON.stringify(PHOTO), { authorization, 'content-type': 'application/json' }),
      [401],
    );
  });

  it('rejects a token in the query, in a cookie and in the body', async () => {
    const token = await service.issuer.sign();
    const headers = { 'content-type': 'application/json' };
    expectRejection(await send(JSON.stringify(PHOTO), headers, `/v1/uploads?access_token=${token}`), [401]);
    expectRejection(await send(JSON.stringify(PHOTO), { ...headers, cookie: `token=${token}` }), [401]);
    expectRejection(
      await send(`access_token=${token}`, { 'content-type': 'application/x-www-form-urlencoded' }),
      [401],
    );
  });
});

describe('keys', () => {
  it.each([
    ['empty', ''],
    ['of another caller', 'users/bob/photo.png'],
    ['of a caller whose name begins alike', 'users/alice2/photo.png'],
    ['of a caller whose name differs in case', 'users/Alice/photo.png'],
    ['the bare prefix', 'users/alice/'],
    ['the prefix without its slash', 'users/alice'],
    ['the prefix above', 'users/'],
    ['at the top', 'photo.png'],
    ['of another rule', 'vault-of-secrets/a.zip'],
    ['of the tenants', 'tenants/acme/shared/a.pdf'],
    ['with ..', 'users/alice/../bob/photo.png'],
    ['with .. at its end', 'users/alice/..'],
    ['with .', 'users/alice/./photo.png'],
    ['with an empty segment', 'users/alice//photo.png'],
    ['with a slash at its end', 'users/alice/folder/'],
    ['with a slash at its start', '/users/alice/photo.png'],
    ['with a backslash', 'users/alice/..\\bob\\photo.png'],
    ['with a backslash at its start', '\\users/alice/photo.png'],
    ['whose prefix is percent-encoded', 'users%2Falice%2Fphoto.png'],
    ['with NUL', 'users/alice/a\0.png'],
    ['with a line break', 'users/alice/a\r\nx-oss-object-acl: public-read'],
    ['with DEL', 'users/alice/a\x7f.png'],
    ['with a C1 control', 'users/alice/a\x85.png'],
    ['with a line separator', 'users/alice/a\u2028.png'],
    ['with a right-to-left override', 'users/alice/gnp\u202e.exe'],
    ['with a directional isolate', 'users/alice/\u2066a\u2069.png'],
    ['not in NFC', 'users/alice/u\u0308.png'],
    ['whose prefix is in fullwidth letters', 'ｕsers/alice/photo.png'],
    ['of 1024 bytes', `users/alice/${'k'.repeat(1012)}`],
    ['of 1023 characters but more bytes', `users/alice/${'图'.repeat(1011)}`],
    ['of 60,000 bytes', `users/alice/${'k'.repeat(60_000)}`],
  ])('denies a key %s', async (_name, key) => {
    expectRejection(await ask({ ...PHOTO, key }), [403]);
  });

  it('rejects half a surrogate pair', async () => {
    expectRejection(
      await ask('{"key":"users/alice/\\ud83d.png","contentType":"image/png","contentLength":1}'),
      [403],
    );
  });

  it.each<[string, unknown]>([
    ['a number', 7],
    ['null', null],
    ['a list', ['users/alice/photo.png']],
    ['an object', { toString: 'users/alice/photo.png' }],
    ['true', true],
  ])('rejects a key that is %s', async (_name, key) => {
    expectRejection(await ask({ ...PHOTO, key }), [400]);
  });
});

describe('subjects and claims', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a subject of ..', { sub: '..' }],
    ['a subject of .', { sub: '.' }],
    ['a subject with a slash', { sub: 'alice/../bob' }],
    ['a subject with a backslash', { sub: 'a\\b' }],
    ['a subject that is not ASCII', { sub: 'älice' }],
    ['a subject of 129 characters', { sub: 'a'.repeat(129) }],
    ['no scope', { scope: undefined }],
    ['a scope that begins alike', { scope: 'uploads:write2' }],
    ['a scope in another case', { scope: 'Uploads:Write' }],
    ['a scope as an object', { scope: { 'uploads:write': true } }],
    ['a role without the scope', { scope: 'x', role: 'admin', tenant: 'acme' }],
  ])('denies a caller with %s', async (_name, claims) => {
    const sub = typeof claims.sub === 'string' ? claims.sub : 'alice';
    expectRejection(await ask({ ...PHOTO, key: `users/${sub}/photo.png` }, claims), [403]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a missing tenant', {}],
    ['an empty tenant', { tenant: '' }],
    ['a tenant that climbs', { tenant: '../acme' }],
    ['a tenant that is a list', { tenant: ['acme'] }],
    ['a tenant that is an object', { tenant: { a: 1 } }],
    ['another tenant', { tenant: 'other' }],
    ['a role that is not admin', { tenant: 'acme', role: 'member' }],
    ['a role that only holds admin', { tenant: 'acme', role: 'not-admin' }],
  ])('denies a tenant’s file with %s', async (_name, claims) => {
    const body = { key: 'tenants/acme/shared/a.pdf', contentType: 'application/pdf', contentLength: 1 };
    expectRejection(await ask(body, { scope: 'uploads:tenant', role: 'admin', ...claims }), [403]);
  });

  it('denies the vault to a caller of another issuer', async () => {
    const body = { key: 'vault-of-secrets/a.zip', contentType: 'application/zip', target: 'vault' };
    const { status, text } = await ask(body, { role: 'admin' });
    expect(status).toBe(403);
    expect(text).not.toContain('vault-of-secrets');
  });
});

describe('content types', () => {
  it.each([
    'text/html',
    'TEXT/HTML',
    'text/html; charset=utf-8',
    'image/svg+xml',
    'Image/SVG+XML;charset=utf-8',
    'application/xhtml+xml',
    'text/xml',
    'application/xml',
    'application/rss+xml',
    'application/mathml+xml',
    'text/javascript',
    'application/javascript',
    'application/x-javascript',
    'application/ecmascript',
    'text/jscript',
    'text/livescript',
    'text/javascript1.5',
    'text/vbscript',
    'text/xsl',
    'application/wasm',
    'application/x-shockwave-flash',
    'multipart/x-mixed-replace',
    'multipart/related',
    'message/rfc822',
    'unknown/unknown',
    'application/unknown',
    'text/x-component',
    'application/hta',
  ])('denies %s, which no wildcard allows', async (contentType) => {
    expectRejection(await ask({ ...PHOTO, contentType }), [403]);
  });

  it.each([
    '',
    ' ',
    'image',
    'image/',
    '/png',
    'image/*',
    '*/*',
    'image/png,text/html',
    'image/png;',
    'image/png; charset',
    'image/png\ttext/html',
    'image/png\r\nx-oss-object-acl: public-read',
    'image/png; a="\r\n"',
    'image /png',
    'image/png ',
    'imäge/png',
    `image/${'x'.repeat(300)}`,
  ])('rejects %j, which is no media type', async (contentType) => {
    expectRejection(await ask({ ...PHOTO, contentType }), [400]);
  });
});

describe('lengths, times and options', () => {
  it.each<[string, Record<string, unknown>, number]>([
    ['no length', { contentLength: undefined }, 403],
    ['one byte too many', { contentLength: 1024 ** 2 + 1 }, 403],
    ['5 GiB and one byte', { contentLength: 5 * 1024 ** 3 + 1 }, 403],
    ['the greatest whole number', { contentLength: Number.MAX_SAFE_INTEGER }, 403],
    ['a negative length', { contentLength: -1 }, 400],
    ['a fraction of a byte', { contentLength: 0.5 }, 400],
    ['a length as text', { contentLength: '1' }, 400],
    ['a length as a list', { contentLength: [1] }, 400],
    ['null as length', { contentLength: null }, 400],
    ['a second more than the rule allows', { expiresIn: 3601 }, 403],
    ['more than seven days', { expiresIn: 604_801 }, 403],
    ['no time at all', { expiresIn: 0 }, 400],
    ['a negative time', { expiresIn: -600 }, 400],
    ['overwriting', { overwrite: true }, 403],
    ['overwriting as text', { overwrite: 'true' }, 400],
    ['another target', { target: 'vault' }, 403],
    ['a target that is a prototype’s', { target: '__proto__' }, 403],
    ['a header that the rule does not allow', { cacheControl: 'public' }, 403],
    ['a disposition that the rule does not allow', { contentDisposition: 'inline' }, 403],
    ['an encoding that the rule does not allow', { contentEncoding: 'gzip' }, 403],
    ['an MD5 of 15 bytes', { contentMd5: Buffer.alloc(15).toString('base64') }, 400],
    ['an MD5 of 17 bytes', { contentMd5: Buffer.alloc(17).toString('base64') }, 400],
    ['an MD5 in URL-safe base64', { contentMd5: '____________________-w==' }, 400],
    ['a headers field', { headers: { 'x-oss-object-acl': 'public-read' } }, 400],
    ['a bucket of its own', { bucket: 'evil' }, 400],
    ['an ACL', { acl: 'public-read' }, 400],
    ['a field in another case', { Key: 'users/bob/photo.png' }, 400],
    ['key and filename', { filename: 'a.png' }, 400],
    ['neither key nor filename', { key: undefined }, 400],
  ])('rejects %s', async (_name, change, status) => {
    expectRejection(await ask({ ...PHOTO, ...change }), [status]);
  });
});

describe('metadata', () => {
  it.each<[string, unknown, number]>([
    ['a name that is not allowed', { camera: 'x' }, 403],
    ['a name of Object’s prototype', { constructor: 'x' }, 403],
    ['__proto__', JSON.parse('{"__proto__":"x"}'), 400],
    ['an underscore', { al_bum: 'x' }, 400],
    ['a colon', { 'album:x': 'y' }, 400],
    ['a line break in a name', { 'album\r\nx-oss-object-acl': 'public-read' }, 400],
    ['a line break in a value', { album: 'a\r\nx-oss-object-acl: public-read' }, 400],
    ['NUL', { album: 'a\0' }, 400],
    ['a value that is not ASCII', { album: '报告' }, 400],
    ['nothing as value', { album: '' }, 400],
    ['blanks as value', { album: '   ' }, 400],
    ['a number as value', { album: 42 }, 400],
    ['a list', [], 400],
    ['an empty name', { '': 'x' }, 400],
    ['one name in two cases', { album: 'a', Album: 'b' }, 400],
    ['more than 8 KiB', { album: 'x'.repeat(8192) }, 400],
    ['a forbidden-overwrite header', { '../forbid-overwrite': 'false' }, 400],
  ])('rejects %s', async (_name, metadata, status) => {
    expectRejection(await ask({ ...PHOTO, metadata }), [status]);
  });
});

describe('bodies and headers', () => {
  it.each<[string, string | Buffer, number]>([
    ['nothing', '', 400],
    ['null', 'null', 400],
    ['a list', `[${JSON.stringify(PHOTO)}]`, 400],
    ['a text', JSON.stringify(JSON.stringify(PHOTO)), 400],
    ['half of it', '{"key":"users/alice/photo.png"', 400],
    ['two of them', `${JSON.stringify(PHOTO)}${JSON.stringify(PHOTO)}`, 400],
    ['comments', `${JSON.stringify(PHOTO)} // ok`, 400],
    ['NaN', '{"key":"users/alice/a","contentType":"image/png","contentLength":NaN}', 400],
    ['a prototype', '{"__proto__":{"key":"users/alice/a"},"contentType":"image/png","contentLength":1}', 400],
    ['UTF-16', Buffer.from(JSON.stringify(PHOTO), 'utf16le'), 400],
    [
      'Latin-1',
      Buffer.from('{"key":"users/alice/\xe4.png","contentType":"image/png","contentLength":1}', 'latin1'),
      400,
    ],
    [
      'an overlong slash',
      Buffer.concat([Buffer.from('{"key":"users/alice'), Buffer.from([0xc0, 0xaf]), Buffer.from('a"}')]),
      400,
    ],
    ['10,000 nested lists', `{"key":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 400],
    ['more than 64 KiB', `{"key":"${'x'.repeat(65_536)}"}`, 413],
  ])('rejects a body of %s', async (_name, body, status) => {
    const response = await send(body, {
      authorization: `Bearer ${await service.issuer.sign()}`,
      'content-type': 'application/json',
    });
    expectRejection(response, [status]);
  });

  it('signs the last of two equal fields, and nothing of the first', async () => {
    const { status, text } = await ask(
      '{"key":"users/bob/a.png","key":"users/alice/a.png","contentType":"image/png","contentLength":1}',
    );
    expect([status, JSON.parse(text).key]).toStrictEqual([201, 'users/alice/a.png']);
    expect(text).not.toContain('bob');
  });

  it.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/xml', 415],
    ['application/jsonx', 415],
  ])('rejects a body with the Content-Type %s', async (type, status) => {
    expectRejection(await ask(PHOTO, {}, { 'content-type': type }), [status]);
  });

  it('ignores headers that claim an identity or an address', async () => {
    const headers = {
      'content-type': 'application/json',
      'x-forwarded-user': 'alice',
      'x-user': 'alice',
      'x-original-url': '/livez',
      'x-rewrite-url': '/livez',
      'x-http-method-override': 'GET',
    };
    expectRejection(await send(JSON.stringify(PHOTO), headers), [401]);
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'GET', 'OPTIONS', 'TRACE'])('rejects %s', async (method) => {
    const token = await service.issuer.sign();
    expectRejection(await send('', { authorization: `Bearer ${token}` }, '/v1/uploads', method), [404, 405]);
  });

  it.each([
    '/v1/uploads/',
    '//v1/uploads',
    '/v1/uploads/..',
    '/v1/./uploads',
    '/v1/uploads;a=b',
    '/V1/UPLOADS',
  ])('has nothing at %s', async (path) => {
    const token = await service.issuer.sign();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    expectRejection(await send(JSON.stringify(PHOTO), headers, path), [404]);
  });
});

it('wrote no token and no signature of all this to the log', () => {
  const log = service.log.join('');
  expect(log).not.toMatch(/eyJ|x-oss-signature|TestSecret|the-shared-secret/);
});
