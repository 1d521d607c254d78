import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { CLIENTS } from './clients.ts';
import { runClient } from './run-client.ts';

const BAD_SIGNATURE =
  'OSS rejected the upload: 403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.';
const EXPIRED = 'OSS rejected the upload: 403 AccessDenied: Request has expired.';
const USAGE = /^usage: .*FILE \[KEY\] \[TYPE\] \[--meta NAME=VALUE\]\.\.\./m;

const troubleshooting = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');

/** Runs a test with separate servers: most of the time a client waits before it repeats something, so the tests run side by side. */
async function withEnvironment(test: (environment: ClientEnvironment) => Promise<void>): Promise<void> {
  const environment = await startClientEnvironment();
  try {
    await test(environment);
  } finally {
    await environment.close();
  }
}

describe.concurrent.each(CLIENTS)('$name', (client) => {
  const key = `users/alice/${client.name}/note.txt`;
  const note = ['note.txt', key, 'text/plain', '--meta', 'album=examples'] as const;

  it('prints why the service rejects a request, all of it, and exits 1', () =>
    withEnvironment(async (environment) => {
      const run = await runClient(
        client,
        ['note.txt', 'users/bob/note.txt', 'text/plain', '--meta', 'mood=x'],
        environment,
      );
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('The service rejected the request: ');
      const { errors } = JSON.parse(environment.service.exchanges[0]?.response ?? '{}');
      expect(errors).toHaveLength(2);
      for (const { detail } of errors) expect(run.stderr).toContain(detail);
      expect(environment.oss.exchanges).toHaveLength(0);
    }));

  it.each([
    ['is missing', { 'x-oss-meta-album': undefined }],
    ['is another', { 'x-oss-forbid-overwrite': 'false' }],
  ])('prints the error of OSS when a header %s, and exits 1', (_title, change) =>
    withEnvironment(async (environment) => {
      environment.changeGrantedHeaders(change);
      const run = await runClient(client, note, environment);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(BAD_SIGNATURE);
      expect((await environment.read(key)).status).toBe(404);
    }),
  );

  it('is rejected with the Content-Type that it sends by itself', () =>
    withEnvironment(async (environment) => {
      const { file, sends } = client.ownType;
      environment.changeGrantedHeaders({ 'Content-Type': undefined });
      const run = await runClient(
        { ...client, name: file ? `${client.name}-own-type` : client.name },
        note,
        environment,
      );
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(BAD_SIGNATURE);
      const sent = environment.oss.sent('content-type');
      if (sends) expect(sent).toMatch(sends);
      else expect(sent).toBeUndefined();
      const row = troubleshooting.split('\n').find((line) => line.startsWith(`| ${client.name} |`));
      expect(row).toContain(sent?.replace(/boundary=.*/, 'boundary=…') ?? '| nothing');
      expect((await environment.read(key)).status).toBe(404);
    }));

  it('prints that the URL has expired, and exits 1', () =>
    withEnvironment(async (environment) => {
      environment.setClockAhead(601);
      const run = await runClient(client, note, environment);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(EXPIRED);
    }));

  it('prints that the key is taken, and exits 1', () =>
    withEnvironment(async (environment) => {
      const taken = [note[0], `users/alice/${client.name}/taken.txt`, note[2]];
      expect(await runClient(client, taken, environment)).toMatchObject({ code: 0 });
      const run = await runClient(client, taken, environment);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(
        'OSS rejected the upload: 409 FileAlreadyExists: The object you specified already exists and can not be overwritten.\nThe key is taken: choose another one',
      );
    }));

  it('repeats 503 after Retry-After, and takes a lost response and 409 after it for stored', () =>
    withEnvironment(async (environment) => {
      const key = `users/alice/${client.name}/lost.txt`;
      environment.service.interfere({
        faults: [{ status: 503, headers: { 'retry-after': '1' }, body: '{}' }],
      });
      environment.oss.interfere({ faults: ['lose response'] });
      const run = await runClient(client, ['note.txt', key, 'text/plain'], environment);
      expect(run).toMatchObject({ code: 0, stdout: `key:  ${key}\n` });
      expect(run.stderr).toContain('Stored by the first attempt');
      expect(environment.service.exchanges.map(({ status }) => status)).toStrictEqual([503, 201]);
      expect(environment.oss.exchanges.map(({ status }) => status)).toStrictEqual([200, 409]);
      expect((await environment.read(key)).bytes).toBe(14);
    }));

  it('repeats a network error of the service and a 5xx of OSS once', () =>
    withEnvironment(async (environment) => {
      const key = `users/alice/${client.name}/reset.txt`;
      environment.service.interfere({ faults: ['reset'] });
      environment.oss.interfere({ faults: [{ status: 500, body: '<Error/>' }] });
      const run = await runClient(client, ['note.txt', key, 'text/plain'], environment);
      expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining(`key:  ${key}\nETag: "`) });
      expect(environment.service.exchanges).toHaveLength(1);
      expect(environment.oss.exchanges.map(({ status }) => status)).toStrictEqual([500, 200]);
    }));

  it('repeats 429, repeats a network error of OSS, and prints for 203 that the file is stored', () =>
    withEnvironment(async (environment) => {
      const key = `users/alice/${client.name}/callback.txt`;
      environment.service.interfere({
        faults: [{ status: 429, headers: { 'retry-after': '1' }, body: '{}' }],
      });
      const body = '<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message></Error>';
      environment.oss.interfere({ faults: ['reset', { status: 203, body, isPassedOn: true }] });
      const run = await runClient(client, ['note.txt', key, 'text/plain'], environment);
      expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining(`key:  ${key}\nETag: "`) });
      expect(run.stderr).toContain('Stored, but OSS could not notify the application.');
      expect(environment.oss.exchanges).toHaveLength(1);
      expect((await environment.read(key)).bytes).toBe(14);
    }));

  it.each([
    ['three 503', [busy(503), busy(503), busy(503)], 3],
    ['a wait of more than 30 s', [busy(429, '31')], 1],
    ['a page of a proxy', [{ status: 502, body: '<html>' }], 1],
  ])('gives up after %s of the service, and exits 1', (_title, faults, count) =>
    withEnvironment(async (environment) => {
      environment.service.interfere({ faults });
      const run = await runClient(client, note, environment);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('The service rejected the request: ');
      expect(run.stderr).not.toMatch(/Traceback|Exception in|^\s+at /m);
      expect(environment.service.exchanges).toHaveLength(count);
      expect(environment.oss.exchanges).toHaveLength(0);
    }),
  );

  it.each<[string, (grant: string) => string]>([
    ['no process listens at the address', (grant) => grant.replace(/:\d+\/acme-media/, ':9/acme-media')],
    ['the URL cannot be read', (grant) => grant.replace('http://127', 'http://[1 27')],
    [
      'the URL has a port that does not exist',
      (grant) => grant.replace(/:\d+\/acme-media/, ':99999/acme-media'),
    ],
    ['the grant breaks off', (grant) => grant.slice(0, grant.indexOf('x-oss-signature=') + 40)],
  ])('prints neither URL nor stack when %s, and exits 1', (_title, change) =>
    withEnvironment(async (environment) => {
      environment.service.interfere({ response: (body, status) => (status === 201 ? change(body) : body) });
      const run = await runClient(client, note, environment);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr.trim()).not.toBe('');
      expect(run.stderr).not.toMatch(/Traceback|Exception in|^\s+at |acme-media/m);
    }),
  );

  it('prints that OSS cannot be reached after two broken connections, and exits 1', () =>
    withEnvironment(async (environment) => {
      environment.oss.interfere({ faults: ['reset', 'reset'] });
      const run = await runClient(client, note, environment);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('OSS cannot be reached');
    }));

  it('prints that the service cannot be reached, and exits 1', () =>
    withEnvironment(async (environment) => {
      const unreachable = { token: environment.token, service: { url: 'http://127.0.0.1:9' } };
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
    withEnvironment(async (environment) => {
      const run = await runClient(client, args, environment);
      expect(run).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(USAGE) });
    }),
  );

  it('names a file that it cannot read, and exits 1', () =>
    withEnvironment(async (environment) => {
      const run = await runClient(client, ['absent.txt'], environment);
      expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('absent.txt') });
      expect(run.stderr).not.toMatch(/Traceback|Exception in|^\s+at /m);
    }));
});

function busy(status: number, seconds = '0') {
  return { status, headers: { 'retry-after': seconds }, body: '{"detail":"Busy."}' };
}
