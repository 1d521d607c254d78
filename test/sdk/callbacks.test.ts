import { createVerify } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { CALLBACK_OK, startCallbackReceiver } from '../support/callback-receiver.ts';
import { base64Json } from '../support/callback-uploads.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator } from '../support/test-emulator.ts';
import { startWire } from '../support/wire.ts';
import { SDKS, type SdkName } from './build-programs.ts';
import { useSdkProgram } from './sdk-program.ts';

const PLACES = ['header', 'query'] as const;

/** Where an SDK reports a failed callback (203) as an error. Elsewhere it takes it for success. */
const REPORTED: Readonly<Record<SdkName, readonly (typeof PLACES)[number][]>> = {
  go: ['header'],
  python: [],
  java: [],
  'ali-oss': ['header', 'query'],
};

describe.each(SDKS)('%s', (sdk) => {
  const program = useSdkProgram(sdk);

  /** Puts an object with a callback to a server with this response. */
  async function put(place: (typeof PLACES)[number], response: string) {
    const receiver = await startCallbackReceiver(response);
    const emulator = await startTestEmulator({
      clock: systemClock,
      callbacks: { allowPrivateAddresses: true },
    });
    const wire = await startWire(emulator.url);
    onTestFinished(() => wire.close());
    const value = base64Json({
      callbackUrl: `${receiver.origin}/cb`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of OSS
      callbackBody: '{"object":${object},"size":${size}}',
      callbackBodyType: 'application/json',
    });
    const result = await program.perform({
      ...{ endpoint: wire.url, region: REGION, credentials: LONG_LIVED, bucket: BUCKET, attempts: 1 },
      ...{ job: 'put', key: 'a 世界+.txt', body: 'aGVsbG8=', contentType: 'text/plain', metadata: {} },
      callback: { place, value },
    });
    const statuses = wire.exchanges.map(({ status }) => status);
    return { receiver, emulator, result, statuses, responses: wire.exchanges.map((one) => one.response) };
  }

  it.each(PLACES)('puts an object with a callback in the %s', async (place) => {
    const { receiver, emulator, result, responses } = await put(place, CALLBACK_OK);
    expect(result).toMatchObject({ status: 200, etag: '"5D41402ABC4B2A76B9719D911017C592"' });
    expect(responses).toStrictEqual(['{"Status":"OK"}']);
    expect(receiver.requests).toHaveLength(1);
    const { headers, body } = await receiver.received;
    expect(JSON.parse(body)).toStrictEqual({ object: 'a 世界+.txt', size: 5 });
    const signature = headers.find((header) => header.startsWith('authorization: '))?.slice(15) ?? '';
    const verify = createVerify('RSA-MD5').update(`/cb\n${body}`);
    expect(verify.verify(emulator.callbackPublicKey, signature, 'base64')).toBe(true);
  });

  it.each(PLACES)('gets 203 if the callback in the %s fails', async (place) => {
    const { result, statuses } = await put(place, 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n');
    expect(statuses).toStrictEqual([203]);
    expect(result).toMatchObject(
      REPORTED[sdk].includes(place)
        ? { error: { status: 203, code: 'CallbackFailed', ec: '0007-00000203' } }
        : { status: 203, etag: '"5D41402ABC4B2A76B9719D911017C592"' },
    );
  });
});
