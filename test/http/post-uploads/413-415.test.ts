import { expect, it } from 'vitest';
import { createTestApp } from '../../support/test-app.ts';

it('takes a body of 64 KiB and refuses one byte more', async () => {
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
])('refuses a body of type %s', async (type) => {
  const { http, issuer } = await createTestApp();
  const answer = await http
    .post('/v1/uploads')
    .set('authorization', `Bearer ${await issuer.sign()}`)
    .set('content-type', type)
    .send('{"key":"users/alice/a","contentType":"image/png","contentLength":1}');
  expect(answer.status).toBe(415);
  expect(answer.body).toStrictEqual({
    type: 'urn:oss-presign:problem:unsupported_media_type',
    title: 'The body is of a type that is not understood',
    status: 415,
    code: 'unsupported_media_type',
    detail: 'Send the body as Content-Type: application/json.',
    requestId: 'request-1',
  });
});
