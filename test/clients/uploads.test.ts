import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type ClientStage, startStage } from '../support/client-stage.ts';
import { CLIENTS, type Client } from './clients.ts';
import { FILES, hashFile } from './files.ts';
import { runClient } from './run-client.ts';

let stage: ClientStage;
const measured: string[] = [];
beforeAll(async () => {
  stage = await startStage();
});
afterAll(async () => {
  await stage.close();
  console.info(measured.join('\n'));
});

describe.each(CLIENTS)('$name', (client) => {
  it.each(FILES)('puts $title into the bucket as it is, and prints key and ETag', async ({ name, type }) => {
    const key = `users/alice/${client.name}/${name}`;
    const { code, stdout, stderr, peakMib } = await runClient(client, { file: name, key, type }, stage);
    const object = await stage.read(key);
    expect({ code, stdout }, stderr).toStrictEqual({
      code: 0,
      stdout: `key:  ${key}\nETag: ${object.headers.etag}\n`,
    });
    expect(object).toMatchObject({
      status: 200,
      headers: {
        'content-type': type,
        'x-oss-meta-album': 'examples',
        'content-disposition': 'attachment',
      },
      sha256: await hashFile(join(inject('workshop'), 'files', name)),
    });
    measured.push(`${client.name}: ${object.bytes} bytes, peak memory ${peakMib.toFixed(0)} MiB`);
    expect(peakMib - (await peakWithoutUpload(client))).toBeLessThan(200);
  });
});

/** 0, but for a client in a harness, which takes memory of its own: as much as it takes for no bytes at all. */
async function peakWithoutUpload(client: Client): Promise<number> {
  if (!client.harness) return 0;
  const nothing = { file: 'empty.txt', key: `users/alice/${randomUUID()}`, type: 'text/plain' };
  return (await runClient(client, nothing, stage)).peakMib;
}
