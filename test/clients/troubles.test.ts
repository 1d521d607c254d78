import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Exchange } from '../support/wire.ts';
import { CLIENTS } from './clients.ts';
import { runClient } from './run-client.ts';
import { type ClientStage, startStage } from './stage.ts';

const NOTE = { file: 'note.txt', type: 'text/plain' };
const BAD_SIGNATURE =
  'OSS refused: 403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.';
const EXPIRED = 'OSS refused: 403 AccessDenied: Request has expired.';

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
    changeGrantedHeaders(change);
    const run = await runClient(client, { ...NOTE, key }, stage);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(BAD_SIGNATURE);
    expect((await stage.read(key)).status).toBe(404);
  });

  it('is refused with the Content-Type that it sends by itself', async () => {
    const { file, sends } = client.ownType;
    changeGrantedHeaders({ 'Content-Type': undefined });
    const run = await runClient(
      { ...client, name: file ? `${client.name}-own-type` : client.name },
      { ...NOTE, key },
      stage,
    );
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(BAD_SIGNATURE);
    const sent = header(stage.oss.exchanges[0], 'content-type');
    if (sends) expect(sent).toMatch(sends);
    else expect(sent).toBeUndefined();
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
    const [sent] = stage.oss.exchanges;
    expect(sent?.method).toBe(grant.method);
    expect(sent?.target).toBe(grant.url.slice(stage.oss.url.length));
    for (const [name, value] of Object.entries(grant.headers)) expect(header(sent, name)).toBe(value);
    expect(header(sent, 'content-length')).toBe('14');
    expect(header(sent, 'transfer-encoding')).toBeUndefined();
  });
});

/** Makes every later grant name other headers than those that are signed: what a program with that mistake would send. */
function changeGrantedHeaders(change: Readonly<Record<string, string | undefined>>): void {
  stage.service.interfere({
    answer: (body) => {
      const grant = JSON.parse(body);
      return JSON.stringify({ ...grant, headers: { ...grant.headers, ...change } });
    },
  });
}

function header(exchange: Exchange | undefined, name: string): string | undefined {
  const headers = exchange?.headers ?? [];
  const at = headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name.toLowerCase());
  return at < 0 ? undefined : headers[at + 1];
}
