// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of OSS
import { expect, it } from 'vitest';
import { fillInBody } from '../../src/emulator/callbacks/fill-in-body.ts';
import { startCallbackReceiver } from '../support/callback-receiver.ts';
import {
  base64Json,
  CALLBACK_PLACES,
  type CallbackPlace,
  uploadWithCallback,
} from '../support/callback-uploads.ts';
import { BUCKET, readXml, startTestEmulator } from '../support/test-emulator.ts';

const VALUES = new Map<string, string | number>([
  ['object', 'a b/ü&=+"\'()*!~.png'],
  ['size', 12],
]);
const VARIABLES = new Map([
  ['x:uid', 'a\n"${size}"'],
  ['x:half', '\ud800'],
]);

it.each([
  ['application/x-www-form-urlencoded', 'o=${object}', 'o=a%20b%2F%C3%BC%26%3D%2B%22%27%28%29%2A%21~.png'],
  ['application/x-www-form-urlencoded', 'n=${size}&m=${size}', 'n=12&m=12'],
  ['application/x-www-form-urlencoded', 'u=${x:uid}', 'u=a%0A%22%24%7Bsize%7D%22'],
  ['application/x-www-form-urlencoded', 'h=${x:half}', 'h=%EF%BF%BD'],
  ['application/x-www-form-urlencoded', 'a=${none}&b=${x:none}&c=${}', 'a=&b=&c='],
  ['application/x-www-form-urlencoded', 'a=$size{size}${size', 'a=$size{size}${size'],
  ['application/json', '{"o":${object},"n":${size}}', '{"o":"a b/ü&=+\\"\'()*!~.png","n":12}'],
  ['application/json', '{"u":${x:uid}}', '{"u":"a\\n\\"${size}\\""}'],
  ['application/json', '{"a":${none},"b":${x:none}}', '{"a":"","b":""}'],
] as const)('fills in as %s: %s', (bodyType, body, filled) => {
  const callback = { bodyType, body, variables: VARIABLES };
  expect(fillInBody(callback, VALUES)).toBe(filled);
});

/** Uploads with a callback that has this body. Resolves with the response and the body that was received. */
async function receive(
  place: CallbackPlace,
  callbackBody: string,
  upload: { readonly key?: string; readonly body?: string | Uint8Array<ArrayBuffer>; readonly type?: string },
) {
  const receiver = await startCallbackReceiver();
  const requestId = '5F000000000000000000000A';
  const emulator = await startTestEmulator({
    callbacks: { allowPrivateAddresses: true },
    newRequestId: () => requestId,
  });
  const callback = base64Json({ callbackUrl: receiver.origin, callbackBody });
  const response = await uploadWithCallback(emulator, place, { ...upload, callback });
  return { response, emulator, bodies: receiver.requests.map(({ body }) => body), requestId };
}

it.each(CALLBACK_PLACES)('knows every variable of OSS for a callback in %s', async (place) => {
  const names = 'bucket object etag size mimeType crc64 contentMd5 vpcId clientIp reqId operation'.split(' ');
  const { response, bodies, requestId } = await receive(
    place,
    names.map((name) => `${name}=\${${name}}`).join('&'),
    { key: 'bär & b/ü.txt', type: 'text/x-a; p="a b"' },
  );
  const operation = /PUT/.test(place) ? 'PutObject' : /form/.test(place) ? 'PostObject' : null;
  expect(bodies.map((body) => Object.fromEntries(new URLSearchParams(body)))).toStrictEqual([
    {
      bucket: BUCKET,
      object: 'bär & b/ü.txt',
      etag: response.headers.get('etag'),
      size: '5',
      mimeType: 'text/x-a; p="a b"',
      crc64: response.headers.get('x-oss-hash-crc64ecma'),
      contentMd5: operation === null ? '' : 'XUFAKrxLKna5cZ2REBfFkg==',
      vpcId: '',
      clientIp: '127.0.0.1',
      reqId: requestId,
      operation: operation ?? 'CompleteMultipartUpload',
    },
  ]);
  expect(bodies[0]).toContain('object=b%C3%A4r%20%26%20b%2F%C3%BC.txt&etag=%22');
});

/** The first bytes of a PNG image: signature and header. */
const PNG = Buffer.from(
  '89504e470d0a1a0a0000000d494844520000000300000002080200000012168893000000004945',
  'hex',
);
const IMAGE_BODY = 'w=${imageInfo.width}&h=${imageInfo.height}&f=${imageInfo.format}';

it.each([
  ['an image', PNG, 'image/png', 'w=3&h=2&f=png'],
  ['an image of another type', PNG, 'application/octet-stream', 'w=3&h=2&f=png'],
  ['a text', 'hello', 'text/plain', 'w=&h=&f='],
])('reads width, height and format of %s', async (_name, body, type, expected) => {
  const { response, bodies } = await receive('the header of a PUT', IMAGE_BODY, {
    body: new Uint8Array(Buffer.from(body)),
    type,
  });
  expect([response.status, bodies]).toStrictEqual([200, [expected]]);
});

it('reads an image that was uploaded in parts', async () => {
  const { bodies } = await receive('the query of Complete', IMAGE_BODY, { body: new Uint8Array(PNG) });
  expect(bodies).toStrictEqual(['w=3&h=2&f=png']);
});

it.each([
  ['a text', 'hello'],
  ['nothing', ''],
])('fails for %s that has the type of an image, and keeps the object', async (_name, body) => {
  const { response, emulator, bodies } = await receive('the header of a PUT', IMAGE_BODY, {
    body,
    type: 'image/png',
  });
  const { Code, EC, Message } = readXml(await response.text());
  expect([response.status, Code, EC, Message, bodies]).toStrictEqual([
    203,
    'CallbackFailed',
    undefined,
    'Get image info failed',
    [],
  ]);
  expect(response.headers.get('etag')).toMatch(/^"/);
  expect(await (await fetch(emulator.presign({ method: 'GET' }))).text()).toBe(body);
});

it('looks at no image if no variable asks for it', async () => {
  const { response, bodies } = await receive('the header of a PUT', 'n=${size}', {
    body: 'hello',
    type: 'image/png',
  });
  expect([response.status, bodies]).toStrictEqual([200, ['n=5']]);
});
