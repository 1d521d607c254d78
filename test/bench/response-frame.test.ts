import { expect, it } from 'vitest';
import { responseFrame } from '../../bench/load/response-frame.ts';

const bytes = (text: string) => Buffer.from(text);

it.each([
  ['in lower case, as Node writes it', 'content-length'],
  ['capitalised, as Go writes it', 'Content-Length'],
])('knows status and length by a Content-Length %s', (_how, name) => {
  const head = `HTTP/1.1 201 Created\r\nx: y\r\n${name}: 12\r\nConnection: keep-alive\r\n\r\n`;
  expect(responseFrame(bytes(`${head}{"a":`))).toStrictEqual({ status: 201, length: head.length + 12 });
});

it('waits for the whole head', () => {
  expect(responseFrame(bytes('HTTP/1.1 200 OK\r\ncontent-length: 12\r\n'))).toBeUndefined();
});

it('does not read a length from the body', () => {
  expect(() => responseFrame(bytes('HTTP/1.1 200 OK\r\n\r\ncontent-length: 5\r\n'))).toThrow(
    'a response has no Content-Length',
  );
});
