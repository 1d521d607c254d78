import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { decodeJwt } from 'jose';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { startLossyProxy } from '../support/lossy-proxy.ts';
import { mediaTarget, ownFilesRule, policyWith } from '../support/policies.ts';
import { findFreePort } from '../support/redis-server.ts';
import { serviceKeysFile } from '../support/service-keys.ts';
import { type ServiceProcess, signForNow, startServiceProcess } from '../support/service-process.ts';
import { startTestEmulator } from '../support/test-emulator.ts';
import { startTestServer } from '../support/test-server.ts';
import { createTestIssuer } from '../support/tokens.ts';

const BYTES = 'the bytes of a photo';
const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes …').toString('base64')}`;

/** When the service is killed, and how many notifications the backend then gets in all. */
const MOMENTS = [
  ['after the grant', 1],
  ['during HEAD', 1],
  ['after HEAD and before the notification', 1],
  ['during the notification', 2],
  ['after the notification and before the response', 2],
] as const;
type Moment = (typeof MOMENTS)[number][0];

type Body = {
  readonly id: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly receipt: string;
};

/** A backend that accepts every notification, and kills the service at a moment of the first one. */
async function startBackend(moment: Moment, kill: (signal?: NodeJS.Signals) => void) {
  const ids: unknown[] = [];
  let isFirst = true;
  const { origin } = await startTestServer((request, response) => void receive(request, response));
  return { url: `${origin}/hooks/uploads`, ids };

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isNow = (one: Moment) => isFirst && moment === one;
    if (isNow('after HEAD and before the notification')) {
      isFirst = false;
      kill();
      return;
    }
    const { data } = JSON.parse(await text(request));
    expect(data.id).toBe(request.headers['webhook-id']);
    ids.push(data.id);
    if (isNow('during the notification')) kill();
    const isBeforeResponse = isNow('after the notification and before the response');
    // A process that is stopped does not see the response before it is killed.
    if (isBeforeResponse) kill('SIGSTOP');
    isFirst = false;
    response.end();
    if (isBeforeResponse) response.once('close', () => kill());
  }
}

/**
 * A service process that can be killed and started again at the same address, with an emulator
 * that calls back, and a backend.
 */
async function startSurroundings(moment: Moment, callback: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const emulator = await startTestEmulator({
    clock: systemClock,
    callbacks: { allowPrivateAddresses: true },
  });
  const bucket = await startLossyProxy(emulator.url);
  const issuer = createTestIssuer();
  writeFileSync(join(folder, 'service-keys.json'), serviceKeysFile('2026-11'));
  writeFileSync(join(folder, 'callback-key.pem'), emulator.callbackPublicKey);
  const port = await findFreePort();
  let service: ServiceProcess | undefined;
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => void service?.child.kill(signal);
  const backend = await startBackend(moment, kill);
  const policyYaml = policyWith({
    targets: {
      media: mediaTarget({ endpoint: emulator.url, serviceEndpoint: bucket.url }),
    },
    rules: [
      ownFilesRule({ naming: 'server', callback, notify: { url: backend.url, secretEnv: 'HOOK_SECRET' } }),
    ],
  });
  const start = async () => {
    service = await startServiceProcess(issuer, policyYaml, {
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      SERVICE_KEYS_FILE: join(folder, 'service-keys.json'),
      OSS_CALLBACK_KEY_FILE: join(folder, 'callback-key.pem'),
      HOOK_SECRET: SECRET,
    });
  };
  await start();
  const token = await signForNow(issuer);
  return {
    backend,
    bucket,
    kill,
    /** Starts the service again after it was killed. */
    async restart(): Promise<void> {
      const child = service?.child;
      if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit');
      expect(child?.signalCode).toBe('SIGKILL');
      await start();
    },
    async post(path: string, body: object) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Body };
    },
  };
}

it.each(
  MOMENTS.flatMap(([moment, notifications]) =>
    (['complete', 'callback'] as const).map((cause) => [cause, moment, notifications] as const),
  ),
)(
  'a stored file is notified by %s, although the service is killed %s',
  async (cause, moment, notifications) => {
    const { backend, bucket, kill, restart, post } = await startSurroundings(moment, cause === 'callback');
    const file = { filename: 'photo.png', contentType: 'image/png', contentLength: BYTES.length };
    const granted = await post('/v1/uploads', file);
    expect(granted.status).toBe(201);
    const { id, url, headers } = granted.body;
    if (moment === 'after the grant') kill();
    if (moment === 'during HEAD') bucket.afterNext(/^HEAD /, async () => kill());

    const { status } = await fetch(url, { method: 'PUT', headers, body: BYTES });
    // OSS stores the file also if the service does not respond to the callback.
    expect(status).toBe(cause === 'callback' ? 203 : 200);
    if (cause === 'complete' && moment !== 'after the grant')
      await expect(post('/v1/uploads/complete', { id })).rejects.toThrow('fetch failed');
    await restart();

    const completed = await post('/v1/uploads/complete', { id });
    expect(completed).toMatchObject({ status: 200, body: { state: 'stored', contentLength: BYTES.length } });
    const { jti } = decodeJwt(completed.body.receipt);
    expect(backend.ids).toStrictEqual(Array(notifications).fill(jti));
  },
);
