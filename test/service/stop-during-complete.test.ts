import { expect, it, onTestFinished } from 'vitest';
import { toServiceKeys } from '../../src/service-keys/parse-service-keys.ts';
import { startLossyProxy } from '../support/lossy-proxy.ts';
import { multipartRule, putPart } from '../support/multipart-app.ts';
import { mediaTarget, policyWith } from '../support/policies.ts';
import { newPrivateJwk } from '../support/service-keys.ts';
import { startTestEmulator } from '../support/test-emulator.ts';
import { startTestService, type TestService } from '../support/test-service.ts';
import { createTestIssuer } from '../support/tokens.ts';

it('completes an upload although the replica stops during the call, and confirms it on another', async () => {
  const emulator = await startTestEmulator();
  const { url, afterNext } = await startLossyProxy(emulator.url);
  const issuer = createTestIssuer();
  const jwk = newPrivateJwk();
  const startReplica = (onStop: (stop: () => Promise<void>) => void = onTestFinished) =>
    startTestService({
      issuer,
      policyYaml: policyWith({
        rules: [multipartRule()],
        targets: { media: mediaTarget({ endpoint: url }) },
      }),
      env: {
        SERVICE_KEYS_FILE: 'keys.json',
        PUBLIC_URL: 'https://presign.test',
        SHUTDOWN_GRACE_SECONDS: '1',
      },
      files: { 'keys.json': () => JSON.stringify({ keys: [{ ...jwk, kid: 'first' }] }) },
      onStop,
    });
  const post = async (replica: TestService, path: string, body: object) => {
    const response = await fetch(`${replica.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  };
  let stopFirst: () => Promise<void> = async () => {};
  const first = await startReplica((stop) => {
    let stopping: Promise<void> | undefined;
    stopFirst = () => (stopping ??= stop());
    onTestFinished(stopFirst);
  });
  const second = await startReplica();

  const granted = await post(first, '/v1/uploads', {
    ...{ transfer: 'multipart', key: 'users/alice/a.txt', contentType: 'text/plain', contentLength: 5 },
  });
  const id = String(granted.body.id);
  const keys = toServiceKeys([{ kid: 'first', jwk }]);
  expect(await putPart({ url, keys }, id, 1, new Uint8Array(5))).toBe(200);

  // The storage has assembled the object, but does not respond before the replica has stopped.
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  afterNext(/^POST \S*uploadId=/, () => {
    reach();
    return released;
  });
  const lost = post(first, '/v1/uploads/complete', { id });
  await reached;
  await Promise.all([expect(lost).rejects.toThrow('fetch failed'), stopFirst()]);

  const confirmed = await post(second, '/v1/uploads/complete', { id });
  expect([confirmed.status, confirmed.body]).toMatchObject([200, { state: 'stored', contentLength: 5 }]);
  release();
  // The call of the stopped replica ends on its own: without a crash, and with its audit line.
  await expect
    .poll(() => first.log.filter((line) => line.includes('"msg":"complete stored"')))
    .toHaveLength(1);
});
