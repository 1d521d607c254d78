import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ClientStage, startStage } from '../support/client-stage.ts';
import { CLIENTS } from './clients.ts';
import { runClient } from './run-client.ts';

const NOTE = { file: 'note.txt', type: 'text/plain' };
const BAD_SIGNATURE =
  'OSS refused: 403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.';
const EXPIRED = 'OSS refused: 403 AccessDenied: Request has expired.';

const troubleshooting = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');

let stage: ClientStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());
beforeEach(() => {
  stage.service.interfere({});
  stage.oss.interfere({});
  stage.setClockAhead(0);
});

describe.each(CLIENTS)('$name', (client) => {
  const key = `users/alice/${client.name}/note.txt`;

  it('prints why the service refuses, and exits 1', async () => {
    const run = await runClient(client, { ...NOTE, key: 'users/bob/note.txt' }, stage);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain('The service refused: The key must begin with "users/alice/".');
    expect(stage.oss.exchanges).toHaveLength(0);
  });

  it.each([
    ['is missing', { 'x-oss-meta-album': undefined }],
    ['is another', { 'x-oss-forbid-overwrite': 'false' }],
  ])('prints what OSS says when a header $0, and exits 1', async (_title, change) => {
    stage.changeGrantedHeaders(change);
    const run = await runClient(client, { ...NOTE, key }, stage);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(BAD_SIGNATURE);
    expect((await stage.read(key)).status).toBe(404);
  });

  it('is refused with the Content-Type that it sends by itself', async () => {
    const { file, sends } = client.ownType;
    stage.changeGrantedHeaders({ 'Content-Type': undefined });
    const run = await runClient(
      { ...client, name: file ? `${client.name}-own-type` : client.name },
      { ...NOTE, key },
      stage,
    );
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(BAD_SIGNATURE);
    const sent = stage.oss.sent('content-type');
    if (sends) expect(sent).toMatch(sends);
    else expect(sent).toBeUndefined();
    const row = troubleshooting.split('\n').find((line) => line.startsWith(`| ${client.name} |`));
    expect(row).toContain(sent?.replace(/boundary=.*/, 'boundary=…') ?? '| nothing');
    expect((await stage.read(key)).status).toBe(404);
  });

  it('prints that the URL has expired, and exits 1', async () => {
    stage.setClockAhead(601);
    const run = await runClient(client, { ...NOTE, key }, stage);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(EXPIRED);
  });

  it('prints that the key is taken, and exits 1', async () => {
    const taken = `users/alice/${client.name}/taken.txt`;
    expect(await runClient(client, { ...NOTE, key: taken }, stage)).toMatchObject({ code: 0 });
    const run = await runClient(client, { ...NOTE, key: taken }, stage);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(
      'OSS refused: 409 FileAlreadyExists: The object you specified already exists and can not be overwritten.',
    );
  });

  it('sends exactly what the service answered', async () => {
    await runClient(client, { ...NOTE, key: `users/alice/${client.name}/exact.txt` }, stage);
    const grant = JSON.parse(stage.service.exchanges[0]?.answer ?? '{}');
    const [exchange] = stage.oss.exchanges;
    expect(exchange?.method).toBe(grant.method);
    expect(exchange?.target).toBe(grant.url.slice(stage.oss.url.length));
    for (const [name, value] of Object.entries(grant.headers)) expect(stage.oss.sent(name)).toBe(value);
    expect(stage.oss.sent('content-length')).toBe('14');
    expect(stage.oss.sent('transfer-encoding')).toBeUndefined();
  });
});
