import { createVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import {
  CALLBACK_KEY_FILE,
  DEMO_BUCKET,
  DEMO_CREDENTIALS,
  DEMO_REGION,
  startDemoEnvironment,
} from '../../src/demo/demo-environment.ts';
import { createLogger } from '../../src/log/logger.ts';
import { presign } from '../../src/storage/oss/signing/presign.ts';
import { startCallbackReceiver } from '../support/callback-receiver.ts';
import { base64Json } from '../support/callback-uploads.ts';

it('the emulator of the demo signs callbacks with the key in its folder', async () => {
  const receiver = await startCallbackReceiver();
  const demo = await startDemoEnvironment(
    { service: 0, emulator: 0, issuer: 0 },
    createLogger('error', systemClock, { write: () => undefined }),
  );
  onTestFinished(() => demo.close());
  const { url } = presign({
    credentials: DEMO_CREDENTIALS,
    method: 'PUT',
    region: DEMO_REGION,
    bucket: DEMO_BUCKET,
    key: 'a.txt',
    endpoint: { url: demo.emulatorUrl, addressing: 'path' },
    headers: {},
    query: { callback: base64Json({ callbackUrl: `${receiver.origin}/cb`, callbackBody: 'a=b' }) },
    signedAt: new Date(),
    expiresInSeconds: 600,
  });
  const response = await fetch(url, { method: 'PUT', body: new Uint8Array(5) });
  expect([response.status, await response.text()]).toStrictEqual([200, '{"Status":"OK"}']);
  const { headers, body } = await receiver.received;
  const signature = headers.find((header) => header.startsWith('authorization: '))?.slice(15) ?? '';
  const verify = createVerify('RSA-MD5').update(`/cb\n${body}`);
  expect(verify.verify(readFileSync(join(demo.directory, CALLBACK_KEY_FILE)), signature, 'base64')).toBe(
    true,
  );
});
