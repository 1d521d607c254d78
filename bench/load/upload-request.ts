/** The bytes of one `POST /v1/uploads` as a browser sends it. */
export function uploadRequest(token: string, subject: string): Buffer {
  const body = JSON.stringify({
    key: `users/${subject}/photos/IMG_20261123_101500.jpg`,
    contentType: 'image/jpeg',
    contentLength: 48_213,
  });
  const head = [
    'POST /v1/uploads HTTP/1.1',
    'Host: 127.0.0.1',
    'Origin: https://app.example.com',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
