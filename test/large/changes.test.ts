import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LONG_LIVED, startTestEmulator } from '../support/test-emulator.ts';
import { startClient } from './client-process.ts';
import { contentCrc64 } from './content.ts';
import { killProcess, startEmulatorProcess } from './emulator-process.ts';
import { FIVE_PARTS, post, prepareReplicas, verifyReceipt } from './servers.ts';
import type { Task } from './upload-program.ts';

/** Begins an upload with a client that is killed after two of its five parts. */
async function sendTwoParts(task: Pick<Task, 'serviceUrl' | 'token'>): Promise<string> {
  const client = startClient({ ...task, upload: FIVE_PARTS, concurrency: 1, stopAt: 'part-2' });
  const { id } = await client.reached('granted');
  await client.reached('part-2');
  await killProcess(client.child);
  return String(id);
}

/** Ends the upload with another client. Returns the receipt. */
async function sendTheRest(task: Pick<Task, 'serviceUrl' | 'token'>, id: string): Promise<unknown> {
  const client = startClient({ ...task, upload: id, concurrency: 1 });
  const { receipt, ...completed } = await client.reached('completed');
  const { key, contentLength } = FIVE_PARTS;
  expect(completed).toMatchObject({
    state: 'stored',
    key,
    contentLength,
    crc64: contentCrc64(contentLength),
  });
  expect(client.sentParts()).toStrictEqual([3, 4, 5]);
  return receipt;
}

it('an upload is rejected while its rule is missing, and continues when the rule is back', async () => {
  const replicas = await prepareReplicas({ endpoint: (await startEmulatorProcess()).url });
  const service = await replicas.start();
  const task = { serviceUrl: service.url, token: replicas.token };
  const id = await sendTwoParts(task);
  const bodies: Readonly<Record<string, object>> = {
    parts: { id, partNumbers: [3] },
    status: { id },
    complete: { id },
    abort: { id },
  };
  const reload = (policyYaml: string, expected: { readonly status: number }) => {
    writeFileSync(join(service.folder, 'policy.yaml'), policyYaml);
    service.child.kill('SIGHUP');
    return vi.waitFor(
      async () => {
        expect(await post(service, replicas.token, '/v1/uploads/status', { id })).toMatchObject(expected);
      },
      { timeout: 10_000, interval: 50 },
    );
  };
  await reload(replicas.policyYaml.replace('own-files', 'other-files'), { status: 403 });
  for (const [name, body] of Object.entries(bodies)) {
    const rejected = await post(service, replicas.token, `/v1/uploads/${name}`, { ...body });
    expect(rejected, name).toMatchObject({ status: 403, body: { code: 'upload_id_invalid' } });
  }
  await reload(replicas.policyYaml, { status: 200 });
  expect(await verifyReceipt(service, await sendTheRest(task, id))).toMatchObject({ rule: 'own-files' });
});

it('an upload continues after its access key was replaced and revoked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-credentials-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = ({ accessKeyId, accessKeySecret }: typeof LONG_LIVED) => {
    writeFileSync(join(folder, 'id'), accessKeyId);
    writeFileSync(join(folder, 'secret'), accessKeySecret);
  };
  const replacement = { accessKeyId: 'LTAI5tNewKey', accessKeySecret: 'NewSecret0123456789' };
  const accepted = [LONG_LIVED, replacement];
  const emulator = await startTestEmulator({ credentials: accepted, clock: () => new Date() });
  write(LONG_LIVED);
  const replicas = await prepareReplicas({
    endpoint: emulator.url,
    env: {
      OSS_ACCESS_KEY_ID: '',
      OSS_ACCESS_KEY_SECRET: '',
      OSS_ACCESS_KEY_ID_FILE: join(folder, 'id'),
      OSS_ACCESS_KEY_SECRET_FILE: join(folder, 'secret'),
    },
  });
  const service = await replicas.start();
  const task = { serviceUrl: service.url, token: replicas.token };
  const id = await sendTwoParts(task);

  const signer = async () => {
    const { body } = await post(service, replicas.token, '/v1/uploads/parts', { id, partNumbers: [3] });
    const [{ url }] = body.parts as [{ readonly url: string }];
    return new URL(url).searchParams.get('x-oss-credential')?.split('/')[0];
  };
  expect(await signer()).toBe(LONG_LIVED.accessKeyId);
  write(replacement);
  await vi.waitFor(async () => expect(await signer()).toBe(replacement.accessKeyId), {
    timeout: 10_000,
    interval: 100,
  });
  accepted.shift();
  expect(await verifyReceipt(service, await sendTheRest(task, id))).toMatchObject({ sub: 'alice' });
});
