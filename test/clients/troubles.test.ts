import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ClientStage, startStage } from '../support/client-environment.ts';
import { CLIENTS } from './clients.ts';
import { runClient } from './run-client.ts';

const BAD_SIGNATURE =
  'OSS rejected the upload: 403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.';
const EXPIRED = 'OSS rejected the upload: 403 AccessDenied: Request has expired.';
const USAGE = /^usage: .*FILE \[KEY\] \[TYPE\] \[--meta NAME=VALUE\]\.\.\./m;

const troubleshooting = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');

/** Runs a test with separate servers: most of the time a client waits before it repeats something, so the tests run side by side. */
async function withStage(test: (stage: ClientStage) => Promise<void>): Promise<void> {
  const stage = await startStage();
  try {
    await test(stage);
  } finally {
    await stage.close();
  }
}

describe.concurrent.each(CLIENTS)('$name', (client) => {
  const key = `users/alice/${client.name}/note.txt`;
  const note = ['note.txt', key, 'text/plain', '--meta', 'album=examples'] as const;

  it('prints why the service rejects a request, all of it, and exits 1', () =>
    withStage(async (stage) => {
      const run = await runClient(
        client,
        ['note.txt', 'users/bob/note.txt', 'text/plain', '--meta', 'mood=x'],
        stage,
      );
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('The service rejected the request: ');
      const { errors } = JSON.parse(stage.service.exchanges[0]?.answer ?? '{}');
      expect(errors).toHaveLength(2);
      for (const { detail } of errors) expect(run.stderr).toContain(detail);
      expect(stage.oss.exchanges).toHaveLength(0);
    }));

  it.each([
    ['is missing', { 'x-oss-meta-album': undefined }],
    ['is another', { 'x-oss-forbid-overwrite': 'false' }],
  ])('prints what OSS says when a header %s, and exits 1', (_title, change) =>
    withStage(async (stage) => {
      stage.changeGrantedHeaders(change);
      const run = await runClient(client, note, stage);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(BAD_SIGNATURE);
      expect((await stage.read(key)).status).toBe(404);
    }),
  );

  it('is refused with the Content-Type that it sends by itself', () =>
    withStage(async (stage) => {
      const { file, sends } = client.ownType;
      stage.changeGrantedHeaders({ 'Content-Type': undefined });
      const run = await runClient(
        { ...client, name: file ? `${client.name}-own-type` : client.name },
        note,
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
    }));

  it('prints that the URL has expired, and exits 1', () =>
    withStage(async (stage) => {
      stage.setClockAhead(601);
      const run = await runClient(client, note, stage);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(EXPIRED);
    }));

  it('prints that the key is taken, and exits 1', () =>
    withStage(async (stage) => {
      const taken = [note[0], `users/alice/${client.name}/taken.txt`, note[2]];
      expect(await runClient(client, taken, stage)).toMatchObject({ code: 0 });
      const run = await runClient(client, taken, stage);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(
        'OSS rejected the upload: 409 FileAlreadyExists: The object you specified already exists and can not be overwritten.\nThe key is taken: choose another one',
      );
    }));

  it('repeats 503 after Retry-After, and takes a lost response and 409 after it for stored', () =>
    withStage(async (stage) => {
      const key = `users/alice/${client.name}/lost.txt`;
      stage.service.interfere({ faults: [{ status: 503, headers: { 'retry-after': '1' }, body: '{}' }] });
      stage.oss.interfere({ faults: ['lose response'] });
      const run = await runClient(client, ['note.txt', key, 'text/plain'], stage);
      expect(run).toMatchObject({ code: 0, stdout: `key:  ${key}\n` });
      expect(run.stderr).toContain('Stored by the first attempt');
      expect(stage.service.exchanges.map(({ status }) => status)).toStrictEqual([503, 201]);
      expect(stage.oss.exchanges.map(({ status }) => status)).toStrictEqual([200, 409]);
      expect((await stage.read(key)).bytes).toBe(14);
    }));

  it('repeats a network error of the service and a 5xx of OSS once', () =>
    withStage(async (stage) => {
      const key = `users/alice/${client.name}/reset.txt`;
      stage.service.interfere({ faults: ['reset'] });
      stage.oss.interfere({ faults: [{ status: 500, body: '<Error/>' }] });
      const run = await runClient(client, ['note.txt', key, 'text/plain'], stage);
      expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining(`key:  ${key}\nETag: "`) });
      expect(stage.service.exchanges).toHaveLength(1);
      expect(stage.oss.exchanges.map(({ status }) => status)).toStrictEqual([500, 200]);
    }));

  it('repeats 429, repeats a network error of OSS, and prints for 203 that the file is stored', () =>
    withStage(async (stage) => {
      const key = `users/alice/${client.name}/callback.txt`;
      stage.service.interfere({ faults: [{ status: 429, headers: { 'retry-after': '1' }, body: '{}' }] });
      const body = '<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message></Error>';
      stage.oss.interfere({ faults: ['reset', { status: 203, body, isPassedOn: true }] });
      const run = await runClient(client, ['note.txt', key, 'text/plain'], stage);
      expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining(`key:  ${key}\nETag: "`) });
      expect(run.stderr).toContain('Stored, but OSS could not notify the application.');
      expect(stage.oss.exchanges).toHaveLength(1);
      expect((await stage.read(key)).bytes).toBe(14);
    }));

  it.each([
    ['three 503', [busy(503), busy(503), busy(503)], 3],
    ['a wait of more than 30 s', [busy(429, '31')], 1],
    ['a page of a proxy', [{ status: 502, body: '<html>' }], 1],
  ])('gives up after %s of the service, and exits 1', (_title, faults, count) =>
    withStage(async (stage) => {
      stage.service.interfere({ faults });
      const run = await runClient(client, note, stage);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('The service rejected the request: ');
      expect(run.stderr).not.toMatch(/Traceback|Exception in|^\s+at /m);
      expect(stage.service.exchanges).toHaveLength(count);
      expect(stage.oss.exchanges).toHaveLength(0);
    }),
  );

  it.each<[string, (grant: string) => string]>([
    ['the address refuses connections', (grant) => grant.replace(/:\d+\/acme-media/, ':9/acme-media')],
    ['the URL cannot be read', (grant) => grant.replace('http://127', 'http://[1 27')],
    [
      'the URL has a port that does not exist',
      (grant) => grant.replace(/:\d+\/acme-media/, ':99999/acme-media'),
    ],
    ['the grant breaks off', (grant) => grant.slice(0, grant.indexOf('x-oss-signature=') + 40)],
  ])('prints neither URL nor stack when %s, and exits 1', (_title, change) =>
    withStage(async (stage) => {
      stage.service.interfere({ answer: (body, status) => (status === 201 ? change(body) : body) });
      const run = await runClient(client, note, stage);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr.trim()).not.toBe('');
      expect(run.stderr).not.toMatch(/Traceback|Exception in|^\s+at |acme-media/m);
    }),
  );

  it('prints that OSS cannot be reached after two broken connections, and exits 1', () =>
    withStage(async (stage) => {
      stage.oss.interfere({ faults: ['reset', 'reset'] });
      const run = await runClient(client, note, stage);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('OSS cannot be reached');
    }));

  it('prints that the service cannot be reached, and exits 1', () =>
    withStage(async (stage) => {
      const unreachable = { token: stage.token, service: { url: 'http://127.0.0.1:9' } };
      const run = await runClient(client, note, unreachable);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('The service cannot be reached');
    }));
});

describe.concurrent.each(CLIENTS.filter(({ harness }) => !harness))('$name, as a command', (client) => {
  it.each([
    ['there is no argument', []],
    ['an option is unknown', ['note.txt', '--metadata', 'a=b']],
    ['--meta has no value', ['note.txt', '--meta']],
    ['--meta has no name', ['note.txt', '--meta', '=b']],
    ['--meta has no "="', ['note.txt', '--meta', 'album']],
    ['there are four arguments', ['note.txt', 'a', 'b', 'c']],
  ])('prints its usage when %s, and exits 2', (_title, args) =>
    withStage(async (stage) => {
      const run = await runClient(client, args, stage);
      expect(run).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(USAGE) });
    }),
  );

  it('names a file that it cannot read, and exits 1', () =>
    withStage(async (stage) => {
      const run = await runClient(client, ['absent.txt'], stage);
      expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('absent.txt') });
      expect(run.stderr).not.toMatch(/Traceback|Exception in|^\s+at /m);
    }));
});

function busy(status: number, seconds = '0') {
  return { status, headers: { 'retry-after': seconds }, body: '{"detail":"Busy."}' };
}
