import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { createTestApp } from '../support/test-app.ts';

it.each([
  '/',
  '/v1',
  '/v2/uploads',
  '/v1/uploads/',
  '/V1/uploads',
  '/v1/uploads/x',
  '/.env',
  '/v1%2Fuploads',
])('answers 404 to %s', async (path) => {
  const { http } = await createTestApp();
  const answer = await http.get(path);
  expect(answer.status).toBe(404);
  expect(answer.body).toStrictEqual({
    type: 'urn:oss-presign:problem:not_found',
    title: 'There is nothing at this address',
    status: 404,
    code: 'not_found',
    detail: 'There is nothing at this address; see /openapi.yaml.',
    requestId: 'request-1',
  });
});

it.each([
  ['get', '/v1/uploads', 'POST'],
  ['put', '/v1/uploads', 'POST'],
  ['delete', '/v1/uploads', 'POST'],
  ['options', '/v1/uploads', 'POST'],
  ['post', '/v1/policy', 'GET, HEAD'],
  ['post', '/readyz', 'GET, HEAD'],
] as const)('answers 405 with Allow to %s %s', async (method, path, allow) => {
  const { http } = await createTestApp();
  const answer = await http[method](path);
  expect(answer.status).toBe(405);
  expect(answer.headers.allow).toBe(allow);
  expect(answer.body).toMatchObject({ code: 'method_not_allowed', status: 405 });
});

it('answers a path that cannot be decoded with a problem document', async () => {
  const { app } = await createTestApp();
  const answer = await app.inject({ method: 'GET', url: '/v1/%zz' });
  expect(answer.statusCode).toBe(400);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/problem+json; charset=utf-8',
    'x-request-id': 'request-1',
  });
  expect(answer.json()).toMatchObject({
    code: 'invalid_request',
    detail: 'The address is not a valid URL path.',
  });
});

it.each([
  ['what is not HTTP', 'hello\r\n\r\n', '400 Bad Request'],
  [
    'two different lengths',
    'POST /v1/uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    '400 Bad Request',
  ],
  [
    'length and chunked at once',
    'POST /v1/uploads HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    '400 Bad Request',
  ],
  [
    'headers beyond 16 KiB',
    `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`,
    '431 Request Header Fields Too Large',
  ],
])(
  'answers %s with a problem document, repeats nothing of it, and hangs up',
  async (_name, bytes, status) => {
    const { app } = await createTestApp();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const address = app.server.address();
    const socket = connect({
      host: '127.0.0.1',
      port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    });
    socket.write(bytes);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
    expect(head).toContain('Content-Type: application/problem+json');
    expect(head).toMatch(/X-Request-Id: request-\d/);
    expect(JSON.parse(body)).toMatchObject({ code: 'invalid_request', status: Number.parseInt(status, 10) });
  },
);
