import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { FILES, hashFile, LARGE_FILE } from '../support/client-files.ts';
import { SHIPPED_RULES } from '../support/client-policies.ts';
import { CLIENTS, type Client } from './clients.ts';
import { type ClientRun, runAlone, runClient } from './run-client.ts';

let environment: ClientEnvironment;
const measured: string[] = [];
beforeAll(async () => {
  environment = await startClientEnvironment();
});
beforeEach(() => {
  environment.service.interfere({});
  environment.oss.interfere({});
});
afterAll(async () => {
  await environment.close();
  console.info(measured.join('\n'));
});

const keyOf = (stdout: string): string => /^key: {2}(.*)$/m.exec(stdout)?.[1] ?? '';

describe.each(CLIENTS)('$name', (client) => {
  it.each(FILES)('puts $title into the bucket as it is, and prints key and ETag', async ({ name, type }) => {
    const key = `users/alice/${client.name}/${name}`;
    const { code, stdout, stderr } = await runClient(
      client,
      [name, key, type, '--meta', 'album=a=b c'],
      environment,
    );
    await expectStored({ code, stdout, stderr, name, key, type });
  });

  it('puts a file of 300 MiB into the bucket with less than 200 MiB of memory', async () => {
    const { name, type } = LARGE_FILE;
    const key = `users/alice/${client.name}/${name}`;
    const { peakMib, ...run } = await runAlone(
      client,
      [name, key, type, '--meta', 'album=a=b c'],
      environment,
    );
    await expectStored({ ...run, name, key, type });
    measured.push(`${client.name}: peak memory ${peakMib.toFixed(0)} MiB`);
    expect(peakMib - (await peakWithoutUpload(client))).toBeLessThan(200);
  });

  it('sends exactly the headers of the response', async () => {
    await runClient(client, ['note.txt', `users/alice/${client.name}/exact.txt`, 'text/plain'], environment);
    const grant = JSON.parse(environment.service.exchanges[0]?.response ?? '{}');
    const [exchange] = environment.oss.exchanges;
    expect(exchange?.method).toBe(grant.method);
    expect(exchange?.target).toBe(grant.url.slice(environment.oss.url.length));
    for (const [name, value] of Object.entries(grant.headers)) expect(environment.oss.sent(name)).toBe(value);
    expect(environment.oss.sent('content-length')).toBe('14');
    expect(environment.oss.sent('transfer-encoding')).toBeUndefined();
  });

  it('composes a decomposed key and name where its standard library can; otherwise it prints why the key is rejected', async () => {
    const key = `users/alice/${client.name}/Cafe\u0301.txt`;
    const run = await runClient(client, ['Cafe\u0301.txt', key], environment);
    if (client.composes) {
      expect({ code: run.code, stdout: keyOf(run.stdout) }, run.stderr).toStrictEqual({
        code: 0,
        stdout: key.normalize('NFC'),
      });
      expect((await environment.read(key.normalize('NFC'))).headers['content-type']).toBe('text/plain');
    } else {
      expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('NFC') });
    }
  });

  it('asks for application/octet-stream when it does not know the extension, and for nothing else', async () => {
    expect(await runClient(client, ['data.unheard-of'], environment)).toMatchObject({ code: 1 });
    expect(JSON.parse(environment.service.exchanges[0]?.body ?? '{}')).toStrictEqual({
      filename: 'data.unheard-of',
      contentType: 'application/octet-stream',
      contentLength: 2,
    });
  });

  it.each(SHIPPED_RULES)(
    'uploads $file by the rule $rule of $policy without key, type or metadata',
    async (row) => {
      const shipped = await startClientEnvironment({ policyFile: row.policy, claims: row.claims });
      onTestFinished(() => shipped.close());
      const run = await runClient(client, [row.file], shipped);
      const key = keyOf(run.stdout);
      expect({ code: run.code, key }, run.stderr).toStrictEqual({
        code: 0,
        key: expect.stringMatching(new RegExp(`^${row.prefix}[0-9a-f-]{36}\\.[a-z]{3}$`)),
      });
      const { status, headers, sha256 } = await shipped.read(key);
      expect({ status, type: headers['content-type'], sha256 }).toStrictEqual({
        status: 200,
        type: row.type,
        sha256: await hashFile(join(inject('clientsFolder'), 'files', row.file)),
      });
      expect(Object.keys(headers).filter((name) => name.startsWith('x-oss-meta-'))).toStrictEqual([]);
    },
  );
});

async function expectStored(upload: ClientRun & Record<'name' | 'key' | 'type', string>): Promise<void> {
  const { code, stdout, stderr, name, key, type } = upload;
  const object = await environment.read(key);
  expect({ code, stdout }, stderr).toStrictEqual({
    code: 0,
    stdout: `key:  ${key}\nETag: ${object.headers.etag}\n`,
  });
  expect(object).toMatchObject({
    status: 200,
    headers: { 'content-type': type, 'x-oss-meta-album': 'a=b c', 'content-disposition': 'attachment' },
    sha256: await hashFile(join(inject('clientsFolder'), 'files', name)),
  });
}

/** 0, but for a client in a harness, which takes memory of its own: as much as it takes for no bytes at all. */
async function peakWithoutUpload(client: Client): Promise<number> {
  if (!client.harness) return 0;
  return (await runAlone(client, ['empty.txt'], environment)).peakMib;
}
