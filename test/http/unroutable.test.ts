import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createTestApp } from '../support/test-app.ts';

const CORS = [[], ['https://app.example.com']];

describe.each(CORS.map((corsOrigins) => ({ corsOrigins })))(
  'with $corsOrigins as CORS_ORIGINS',
  ({ corsOrigins }) => {
    it.each([
      ['/', ''],
      ['/?x=/v1/uploads', ''],
      ['/v1', ''],
      ['/v2/uploads', ' Did you mean "/v1/uploads"?'],
      ['/v1/uploads/', ' Did you mean "/v1/uploads"?'],
      ['//v1/uploads', ' Did you mean "/v1/uploads"?'],
      ['/V1/uploads', ' Did you mean "/v1/uploads"?'],
      ['/v1/upload', ' Did you mean "/v1/uploads"?'],
      ['/v1/uploads/x', ' Did you mean "/v1/uploads"?'],
      ['/readyz/', ' Did you mean "/readyz"?'],
      ['/healthz', ''],
      ['/favicon.ico', ''],
      ['/metrics', ''],
      ['/.env', ''],
      ['/v1%2Fuploads', ' Did you mean "/v1/uploads"?'],
      ['/*', ''],
      ['/constructor', ''],
      ['/documents/a/b', ''],
      [`/${'x'.repeat(8_000)}`, ''],
    ])('%s is 404 for every method, and points to the API', async (path, suggestion) => {
      const { app } = await createTestApp({ corsOrigins });
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        const response = await app.inject({ method, url: path });
        expect(response.headers, method).not.toHaveProperty('allow');
        expect(response.json(), method).toStrictEqual({
          type: 'urn:oss-presign:problem:not_found',
          title: 'Not found',
          status: 404,
          code: 'not_found',
          detail: `There is nothing at this address.${suggestion} See /docs or /openapi.yaml for the API.`,
          requestId: response.headers['x-request-id'],
        });
      }
    });

    it.each([
      ['GET', '/v1/uploads', 'POST', 'Use POST here.'],
      ['HEAD', '/v1/uploads', 'POST', undefined],
      ['PUT', '/v1/uploads?a=b', 'POST', 'Use POST here.'],
      ['PATCH', '/v1/uploads', 'POST', 'Use POST here.'],
      ['DELETE', '/v1/uploads', 'POST', 'Use POST here.'],
      ['OPTIONS', '/v1/uploads', 'POST', 'Use POST here.'],
      ['TRACE', '/v1/uploads', 'POST', 'Use POST here.'],
      ['PROPFIND', '/v1/uploads', 'POST', 'Use POST here.'],
      ['POST', '/v1/policy', 'GET, HEAD', 'Use GET or HEAD here.'],
      ['POST', '/readyz', 'GET, HEAD', 'Use GET or HEAD here.'],
      ['OPTIONS', '/docs', 'GET, HEAD', 'Use GET or HEAD here.'],
    ])('%s %s is 405 with the methods of the path', async (method, url, allow, detail) => {
      const { app } = await createTestApp({ corsOrigins });
      const response = await app.inject({ method: method as 'GET', url });
      expect(response.statusCode).toBe(405);
      expect(response.headers.allow).toBe(allow);
      if (detail !== undefined) expect(response.json()).toMatchObject({ code: 'method_not_allowed', detail });
    });
  },
);

it('responds to a path that cannot be decoded with a problem document', async () => {
  const { app } = await createTestApp();
  const response = await app.inject({ method: 'GET', url: '/v1/%zz' });
  expect(response.statusCode).toBe(400);
  expect(response.headers).toMatchObject({
    'content-type': 'application/problem+json; charset=utf-8',
    'x-request-id': 'request-1',
  });
  expect(response.json()).toMatchObject({
    code: 'invalid_request',
    detail: 'The address is not a valid URL path.',
  });
});

it.each([
  ['bytes that are not HTTP', 'hello\r\n\r\n', '400 Bad Request'],
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
  'responses %s with a problem document, repeats nothing of it, and hangs up',
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

it.each([
  [
    'a method in lower case',
    'post /v1/uploads HTTP/1.1\r\nHost: a\r\n\r\n',
    '400 Bad Request',
    'The request does not begin with an HTTP method in upper case, such as POST. This port does not speak TLS.',
  ],
  [
    'a TLS handshake',
    '\x16\x03\x01\x00\xa5\x01\x00',
    '400 Bad Request',
    'The request does not begin with an HTTP method in upper case, such as POST. This port does not speak TLS.',
  ],
  [
    'a target in absolute form with a method that the path does not have',
    'PUT http://a/v1/uploads HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    '405 Method Not Allowed',
    'Use POST here.',
  ],
  [
    'a target in absolute form without such a path',
    'GET http://a/nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    '404 Not Found',
    'There is nothing at this address. See /docs or /openapi.yaml for the API.',
  ],
  [
    'OPTIONS for the whole server',
    'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    '404 Not Found',
    'There is nothing at this address. See /docs or /openapi.yaml for the API.',
  ],
])('states what is wrong with %s', async (_name, bytes, status, detail) => {
  for (const corsOrigins of CORS) {
    const { app } = await createTestApp({ corsOrigins });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(bytes, 'latin1');
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
    expect(JSON.parse(body)).toMatchObject({ detail });
  }
});

it('logs what the parser rejected, with the id of the response and the one that the client sent', async () => {
  const { app, log } = await createTestApp();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  const socket = connect({
    host: '127.0.0.1',
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
  });
  socket.write(
    'GET /livez?token=SECRET HTTP/1.1\r\nX-Request-Id: mine-1 \r\nAuthorization: Bearer SECRET\r\nno colon\r\n\r\n',
  );
  const [head = ''] = (await text(socket)).split('\r\n\r\n');
  const [line, ...more] = log.map((one) => JSON.parse(one));
  expect(more).toStrictEqual([]);
  expect(head).toContain(`X-Request-Id: ${line.requestId}\r\n`);
  expect(line).toStrictEqual({
    level: 'info',
    time: expect.any(String),
    requestId: expect.stringMatching(/^request-\d$/),
    clientRequestId: 'mine-1',
    method: null,
    route: null,
    status: 400,
    code: 'invalid_request',
    detail: 'The request is not valid HTTP/1.1.',
    remoteAddress: '127.0.0.1',
    msg: 'request completed',
  });
});
