import { generateKeyPairSync } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCallbackCaller } from '../../src/emulator/callbacks/callback-caller.ts';
import { createCallbackKey } from '../../src/emulator/callbacks/callback-key.ts';
import { createLookup } from '../../src/emulator/callbacks/private-address.ts';
import { readRequestCallback } from '../../src/emulator/callbacks/read-callback.ts';
import { CALLBACK_OK, startCallbackReceiver } from '../support/callback-receiver.ts';
import { base64Json } from '../support/callback-uploads.ts';
import { createCertificate } from '../support/certificate.ts';

const KEY = createCallbackKey();
const KEY_URL = 'https://keys.example.com/callback.pem';
const MB = 1024 ** 2;

type Options = {
  readonly ca?: string;
  readonly timeout?: (ms: number) => AbortSignal;
  readonly callback?: Readonly<Record<string, unknown>>;
};

/** Calls these URLs. Resolves with the text of the response, or with EC and message of the error. */
async function call(callbackUrl: string, { ca, callback = {}, timeout }: Options = {}) {
  const caller = createCallbackCaller({
    key: KEY,
    publicKeyUrl: KEY_URL,
    allowPrivateAddresses: true,
    ca,
    timeout: timeout ?? (() => new AbortController().signal),
  });
  const json = base64Json({ callbackUrl, callbackBody: 'a=b', ...callback });
  const read = readRequestCallback(new Map([['x-oss-callback', json]]), [], true);
  if (read === null) throw new Error('there is no callback');
  return caller.call(read, read.body).then(
    (bytes) => bytes.toString(),
    ({ status, code, ec, message }) => {
      expect([status, code]).toStrictEqual([203, 'CallbackFailed']);
      return [ec, message];
    },
  );
}

/** Starts a server for connections. Returns its `host:port`. */
async function listen(serve: (socket: Socket) => void = () => undefined) {
  const server = createServer((socket) => serve(socket.on('error', () => undefined).resume()));
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  onTestFinished(close);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** The URL of a port on which no process listens. */
async function unusedUrl(): Promise<string> {
  const { host, close } = await listen();
  await close();
  return `http://${host}`;
}

const respond = (body: string, { length = body.length, head = 'HTTP/1.1 200 OK' } = {}) =>
  `${head}\r\nContent-Length: ${length}\r\n\r\n${body}`;
const status = (line: string) => respond('{}', { head: `HTTP/1.1 ${line}` });

const UNREACHABLE = [
  '0007-00000203',
  'Error status : -1. OSS can not connect to your callbackUrl, please check it.',
];
const NOT_JSON = ['0007-00000205', 'Response body is not valid json format.'];
const TOO_LONG = [undefined, 'Error Status : 400. User server return too long content-length value'];

it.each<readonly [string, string | readonly string[], unknown]>([
  ['JSON', respond('{"a":1}'), '{"a":1}'],
  ['JSON that is no object', respond('"OK"'), '"OK"'],
  ['HTTP/1.0', 'HTTP/1.0 200\r\ncontent-length:2\r\n\r\n{}', '{}'],
  ['JSON in parts', ['HTTP/1.1 200 OK\r\nContent-', 'Length: 7\r\n\r', '\n{"a"', ':1}'], '{"a":1}'],
  ['more bytes than Content-Length', respond('{}{}', { length: 2 }), '{}'],
  ['JSON of 1 MB', respond(`"${'x'.repeat(MB - 2)}"`), `"${'x'.repeat(MB - 2)}"`],
  ['over 1 MB', respond('{}', { length: MB + 1 }), TOO_LONG],
  ['201', status('201 Created'), ['0007-00000203', 'Error status : 201.']],
  ['204', status('204 No Content'), ['0007-00000203', 'Error status : 204.']],
  ['302', status('302 Found'), ['0007-00000203', 'Error status : 302.']],
  ['404', status('404 Not Found'), ['0007-00000203', 'Error status : 404.']],
  ['502', status('502 Bad Gateway'), ['0007-00000203', 'Error status : 502.']],
  ['text', respond('success'), NOT_JSON],
  ['an empty body', respond(''), NOT_JSON],
  ['JSON that is not UTF-8', respond('"\xff"'), NOT_JSON],
  ['JSON after a byte order mark', respond('\xef\xbb\xbf{}'), NOT_JSON],
  ['less than Content-Length', respond('{}', { length: 3 }), NOT_JSON],
  ['no Content-Length', 'HTTP/1.1 200 OK\r\n\r\n{}', NOT_JSON],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    NOT_JSON,
  ],
  ['no response', '', UNREACHABLE],
  ['a header that ends early', 'HTTP/1.1 200 OK\r\nContent-Le', UNREACHABLE],
])('a server responds with %s', async (_name, response, outcome) => {
  const receiver = await startCallbackReceiver(response);
  expect(await call(receiver.origin)).toStrictEqual(outcome);
  expect(receiver.requests).toHaveLength(1);
});

it.each([
  ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
  ['a header of over 64 KB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(64 * 1024)}`],
])('reads no further than %s', async (_name, sent) => {
  // The server leaves the connection open.
  const { host } = await listen((socket) => socket.write(sent));
  expect(await call(`http://${host}`)).toStrictEqual(UNREACHABLE);
});

it('fails if no process listens', async () => {
  expect(await call(await unusedUrl())).toStrictEqual(UNREACHABLE);
});

describe('several URLs', () => {
  it('are called in turn until one call succeeds', async () => {
    const receivers = await Promise.all(
      ['', status('500 Oops'), respond('no'), CALLBACK_OK, CALLBACK_OK].map((response) =>
        startCallbackReceiver(response),
      ),
    );
    const urls = receivers.map(({ origin }, index) => `${origin}/${index}`);
    expect(await call(urls.join(';'))).toBe('{"Status":"OK"}');
    expect(receivers.map(({ requests }) => requests.map(({ line }) => line))).toStrictEqual([
      ['POST /0 HTTP/1.0'],
      ['POST /1 HTTP/1.0'],
      ['POST /2 HTTP/1.0'],
      ['POST /3 HTTP/1.0'],
      [],
    ]);
  });

  it('fail with the reason of the last', async () => {
    const receiver = await startCallbackReceiver(status('500 Oops'));
    expect(await call(`${await unusedUrl()};${receiver.origin}`)).toStrictEqual([
      '0007-00000203',
      'Error status : 500.',
    ]);
    expect(await call(`${receiver.origin};${await unusedUrl()}`)).toStrictEqual(UNREACHABLE);
  });

  it('have 5 s together', async () => {
    const silent = await startCallbackReceiver(null);
    const failing = await startCallbackReceiver(status('500 Oops'));
    const next = await startCallbackReceiver();
    const ending = new AbortController();
    const waits: number[] = [];
    const outcome = call(`${failing.origin};${silent.origin};${next.origin}`, {
      timeout: (ms) => {
        waits.push(ms);
        return ending.signal;
      },
    });
    await silent.received;
    ending.abort();
    expect(await outcome).toStrictEqual(['0007-00000202', 'Cost too long time']);
    await silent.disconnected;
    expect([waits, next.requests]).toStrictEqual([[5_000], []]);
  });
});

it('ends a response whose body does not come to its end', async () => {
  const ending = new AbortController();
  const { host } = await listen((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"a":');
    socket.once('data', () => ending.abort());
  });
  const outcome = await call(`http://${host}`, { timeout: () => ending.signal });
  expect(outcome).toStrictEqual(['0007-00000202', 'Cost too long time']);
});

it('sends the host and the headers that a callback asks for', async () => {
  const receiver = await startCallbackReceiver();
  const callback = {
    callbackHost: 'app.example.com',
    additionalHeaders: { 'X-Tenant': 'a b', Authorization: 'none', Host: 'b.example.com' },
  };
  expect(await call(receiver.origin, { callback })).toBe('{"Status":"OK"}');
  const { line, headers } = await receiver.received;
  expect(line).toBe('POST / HTTP/1.0');
  expect(headers[0]).toBe('Host: app.example.com');
  expect(headers.slice(6)).toStrictEqual([
    `x-oss-pub-key-url: ${Buffer.from(KEY_URL).toString('base64')}`,
    'X-Tenant: a b',
  ]);
  expect(headers.filter((header) => /^(?:host|authorization):/i.test(header))).toHaveLength(2);
});

describe('https', () => {
  const certificate = createCertificate(['localhost']);

  it.each([
    [true, 'localhost'],
    [false, false],
    [undefined, false],
  ])('with callbackSNI %s, names the server %s', async (callbackSNI, serverName) => {
    const receiver = await startCallbackReceiver(CALLBACK_OK, certificate);
    const outcome = await call(receiver.origin, { ca: certificate.cert, callback: { callbackSNI } });
    expect(outcome).toBe('{"Status":"OK"}');
    expect(receiver.requests.map((request) => request.serverName)).toStrictEqual([serverName]);
  });

  it.each([
    ['an unknown authority', certificate, undefined],
    ['another name', createCertificate(['app.example.com']), 'itself'],
  ])('sends nothing to a server whose certificate is of %s', async (_name, served, ca) => {
    const receiver = await startCallbackReceiver(CALLBACK_OK, served);
    const trusted = ca === undefined ? {} : { ca: served.cert };
    for (const callbackSNI of [true, false]) {
      expect(await call(receiver.origin, { ...trusted, callback: { callbackSNI } })).toStrictEqual(
        UNREACHABLE,
      );
    }
    expect(receiver.requests).toStrictEqual([]);
  });

  it('fails for a server without TLS', async () => {
    const { host } = await listen((socket) => socket.once('data', () => socket.end(CALLBACK_OK)));
    expect(await call(`https://${host}`)).toStrictEqual(UNREACHABLE);
  });
});

describe('a name', () => {
  const look = (allowPrivateAddresses: boolean, address: string) =>
    new Promise((resolve) => {
      const resolver = (_name: string, options: { family: number }, done: (...of: unknown[]) => void) =>
        done(options.family === 4 ? null : new Error('not IPv4'), address, 4);
      const lookup = createLookup(allowPrivateAddresses, resolver as never);
      lookup('app.example.com', {}, (error, found) => resolve(error ? error.message : found));
    });

  it('is called at its public address only, unless private ones are allowed', async () => {
    expect([
      await look(false, '8.8.8.8'),
      await look(false, '10.0.0.1'),
      await look(true, '10.0.0.1'),
    ]).toStrictEqual(['8.8.8.8', 'The address of the host is private.', '10.0.0.1']);
  });
});

describe('the key', () => {
  it('is a new one of 512 bits, as that of OSS', () => {
    expect(KEY.publicKey).not.toBe(createCallbackKey().publicKey);
    expect(Buffer.from(KEY.sign(Buffer.from('a')), 'base64')).toHaveLength(512 / 8);
  });

  it('is the one that is given', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 1024,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    expect(createCallbackKey(privateKey).publicKey).toBe(publicKey);
  });

  it('is not of another kind', () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    expect(() => createCallbackKey(privateKey)).toThrow('The private key of callbacks must be RSA.');
  });
});
