import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { createTestApp } from '../../../support/test-app.ts';

it('accepts a body of 64 KiB and rejects one byte more', async () => {
  const { post } = await createTestApp();
  const head = '{"key":"';
  const tail = '"}';
  const body = (bytes: number) => head + 'x'.repeat(bytes - head.length - tail.length) + tail;
  const fits = await post(body(65_536));
  const over = await post(body(65_537));
  expect(fits.status).toBe(400);
  expect(over.status).toBe(413);
  expect(over.body).toStrictEqual({
    type: 'urn:oss-presign:problem:body_too_large',
    title: 'The body is too large',
    status: 413,
    code: 'body_too_large',
    detail: 'The body may have at most 65536 bytes.',
    requestId: 'request-2',
  });
});

it.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
  'x',
])('rejects a body of type %s', async (type) => {
  const { http, issuer } = await createTestApp();
  const response = await http
    .post('/v1/uploads')
    .set('authorization', `Bearer ${await issuer.sign()}`)
    .set('content-type', type)
    .send('{"key":"users/alice/a","contentType":"image/png","contentLength":1}');
  expect(response.status).toBe(415);
  expect(response.body).toStrictEqual({
    type: 'urn:oss-presign:problem:unsupported_media_type',
    title: 'Unsupported media type',
    status: 415,
    code: 'unsupported_media_type',
    detail: 'Send the body as Content-Type: application/json.',
    requestId: 'request-1',
  });
});

const BODY = '{"key":"users/alice/a","contentType":"image/png","contentLength":1}';

async function send(headers: Readonly<Record<string, string>>, body: string | Buffer = BODY) {
  const { app, issuer } = await createTestApp();
  const authorization = `Bearer ${await issuer.sign()}`;
  return app.inject({
    method: 'POST',
    url: '/v1/uploads',
    headers: { authorization, 'content-type': 'application/json', ...headers },
    payload: body,
  });
}

it.each([
  ['content-encoding', 'gzip'],
  ['content-encoding', 'GZIP'],
  ['content-encoding', 'x-gzip'],
  ['content-encoding', 'br'],
  ['content-encoding', 'deflate'],
  ['content-encoding', 'zstd'],
  ['content-encoding', 'compress'],
  ['content-encoding', 'aws-chunked'],
  ['content-encoding', 'gzip, br'],
  ['content-encoding', 'identity,gzip'],
  ['content-encoding', `${'identity,'.repeat(1_000)}gzip`],
  ['content-encoding', 'unheard-of'],
  ['transfer-encoding', 'gzip, chunked'],
])('rejects a compressed body: %s %s', async (name, coding) => {
  for (const body of [gzipSync(BODY), BODY, 'x'.repeat(70_000)]) {
    const response = await send({ [name]: coding }, body);
    expect(response.statusCode).toBe(415);
    expect(response.headers['accept-encoding']).toBe('identity');
    expect(response.json()).toMatchObject({
      code: 'unsupported_media_type',
      detail: 'The body is compressed. Send the body uncompressed, without Content-Encoding.',
    });
  }
});

it.each(['identity', 'Identity', 'identity, identity', ''])('accepts the coding %j', async (coding) => {
  expect((await send({ 'content-encoding': coding })).statusCode).toBe(201);
});

it('responds to a compressed body before it has arrived, and keeps the connection open', async () => {
  const { app, issuer } = await createTestApp();
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const authorization = `Authorization: Bearer ${await issuer.sign()}`;
  socket.write(
    `POST /v1/uploads HTTP/1.1\r\nHost: a\r\n${authorization}\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n`,
  );
  const [first] = await once(socket, 'data');
  expect(String(first)).toContain('HTTP/1.1 415');
  socket.write('12345GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(await text(socket)).toContain('HTTP/1.1 200');
});

it('rejects a compressed body without a token as unauthenticated', async () => {
  const { http } = await createTestApp();
  const response = await http.post('/v1/uploads').set('content-encoding', 'gzip').send('x');
  expect(response.status).toBe(401);
});

it.each([
  ['POST', '/v1/upload', 404],
  ['PUT', '/v1/uploads', 405],
  ['GET', '/livez', 200],
] as const)('a coding changes nothing where no body is read: %s %s', async (method, url, status) => {
  const { app } = await createTestApp();
  const response = await app.inject({ method, url, headers: { 'content-encoding': 'gzip' } });
  expect(response.statusCode).toBe(status);
});

it.each([
  'application/json; charset=latin1',
  'application/json;charset=ISO-8859-1',
  'application/json; charset=utf-16',
  'Application/JSON; Charset="UTF-16LE"',
  'application/json; charset=gbk',
  'application/json; charset=utf-8; charset=gbk',
  'application/json; charset=',
])('rejects the charset of %s', async (type) => {
  const response = await send({ 'content-type': type });
  expect(response.statusCode).toBe(415);
  expect(response.headers).not.toHaveProperty('accept-encoding');
  expect(response.json().detail).toBe(
    'The Content-Type names a charset other than UTF-8. Send the body in UTF-8, as Content-Type: application/json.',
  );
});

it.each([
  'application/json; charset=utf-8',
  'application/json;charset=UTF-8',
  'APPLICATION/JSON; CHARSET="utf-8"',
  'application/json; charset=utf8',
  'application/json; charset=us-ascii',
  'application/json; profile=x',
  'application/json;',
])('accepts %s', async (type) => {
  expect((await send({ 'content-type': type })).statusCode).toBe(201);
});

it.each<[string, string | Buffer, number, string]>([
  ['with a byte order mark', `\ufeff${BODY}`, 201, ''],
  [
    'in UTF-16 with a byte order mark',
    Buffer.from(`\ufeff${BODY}`, 'utf16le'),
    400,
    'The body is not valid UTF-8.',
  ],
  ['in UTF-16', Buffer.from(BODY, 'utf16le'), 400, 'The body is not valid JSON.'],
  ['in Latin-1', Buffer.from(BODY.replace('/a"', '/ä"'), 'latin1'), 400, 'The body is not valid UTF-8.'],
  ['that is empty', '', 400, 'The body is empty; send a JSON object.'],
  ['of blanks', ' \n', 400, 'The body is not valid JSON.'],
  ['cut off', BODY.slice(0, -1), 400, 'The body is not valid JSON.'],
  ['with more behind it', `${BODY}${BODY}`, 400, 'The body is not valid JSON.'],
])('gives a body %s its own response', async (_name, body, status, detail) => {
  const response = await send({}, body);
  expect(response.statusCode).toBe(status);
  if (status !== 201) expect(response.json().detail).toBe(detail);
});
