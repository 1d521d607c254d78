import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { hashFile, LARGE_FILE } from '../support/client-files.ts';
import { startWire, type Wire } from '../support/wire.ts';
import { CLIENTS, type Client } from './clients.ts';
import { type ClientRun, runAlone, startClient } from './run-client.ts';

const PART_SIZE = 100 * 1024;
const PART_COUNT = 52;
/** The last part is shorter than the others. */
const CONTENT_LENGTH = (PART_COUNT - 1) * PART_SIZE + 7;
const ALL_PARTS = Array.from({ length: PART_COUNT }, (_, index) => index + 1);
const RULE = { transfers: ['put', 'multipart'], partSize: '100KiB', expiresIn: { default: '1m', max: '1m' } };

const CLIENTS_FOR_LARGE_FILES = CLIENTS.flatMap(({ name, large }) => (large ? [{ name, run: large }] : []));

/** A file of many parts in a new folder, and its own servers. */
type Place = {
  readonly environment: ClientEnvironment;
  readonly file: string;
  readonly state: string;
  readonly key: string;
  upload(...args: readonly string[]): Promise<ClientRun>;
  start(...args: readonly string[]): ReturnType<typeof startClient>;
  /** A request of the test itself. */
  post(path: string, body: Readonly<Record<string, unknown>>): Promise<Response>;
};

async function withPlace(
  client: Pick<Client, 'name' | 'run'>,
  test: (place: Place) => Promise<void>,
): Promise<void> {
  const environment = await startClientEnvironment({ rule: RULE });
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-large-'));
  const file = join(folder, 'film.mp4');
  writeFileSync(file, randomBytes(CONTENT_LENGTH));
  const key = `users/alice/${client.name}/film.mp4`;
  const start = (...args: readonly string[]) => startClient(client, args, environment);
  try {
    await test({
      environment,
      file,
      state: `${file}.oss-presign`,
      key,
      start,
      upload: (...args) => start(...args).ended,
      post: (path, body) =>
        fetch(`${environment.service.url}/v1/uploads${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${environment.token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
    });
  } finally {
    await environment.close();
    rmSync(folder, { recursive: true });
  }
}

/** The parts that OSS received, with its status for each, in the order of its responses. */
const sentParts = ({ oss }: { readonly oss: Wire }) =>
  oss.exchanges
    .filter(({ method }) => method === 'PUT')
    .map(({ target, status }) => ({
      number: Number(new URL(target, oss.url).searchParams.get('partNumber')),
      status,
    }));

const storedNumbers = (environment: ClientEnvironment): readonly number[] =>
  sentParts(environment)
    .filter(({ status }) => status === 200)
    .map(({ number }) => number);

const sorted = (numbers: Iterable<number>): readonly number[] => [...numbers].sort((a, b) => a - b);

/** The requests to the service in the order of its responses, without `/v1/uploads`. */
const asked = ({ service }: ClientEnvironment): readonly string[] =>
  service.exchanges.map(({ target, status }) => `${target.replace('/v1/uploads', '')} ${status}`);

/** The response of the service to the first request to `path`. */
const responseOf = ({ service }: ClientEnvironment, path: string) =>
  JSON.parse(service.exchanges.find(({ target }) => target === path)?.response ?? '{}');

const numbersIn = (ranges: readonly { from: number; to: number }[]): readonly number[] =>
  ALL_PARTS.filter((number) => ranges.some(({ from, to }) => from <= number && number <= to));

async function expectStored(
  { environment, file, state, key }: Pick<Place, 'environment' | 'file' | 'state' | 'key'>,
  { code, stdout, stderr }: ClientRun,
): Promise<void> {
  expect({ code, stdout }, stderr).toStrictEqual({ code: 0, stdout: `key:  ${key}\nreceipt: yes\n` });
  expect(await environment.read(key)).toMatchObject({
    status: 200,
    headers: { 'content-type': 'video/mp4' },
    sha256: await hashFile(file),
  });
  expect(existsSync(state)).toBe(false);
}

function interruptAfter(environment: ClientEnvironment, parts: number, kill: () => void): void {
  environment.oss.interfere({
    response: (body) => {
      if (storedNumbers(environment).length === parts) kill();
      return body;
    },
  });
}

const busy = (status: number) => ({ status, headers: { 'retry-after': '1' }, body: '{"detail":"Busy."}' });

it('five clients upload large files', () => {
  expect(CLIENTS_FOR_LARGE_FILES.map(({ name }) => name)).toStrictEqual([
    'java',
    'go',
    'python',
    'node',
    'csharp',
  ]);
});

describe.concurrent.each(CLIENTS_FOR_LARGE_FILES)('$name', (client) => {
  it('continues after SIGKILL: sends the missing parts only, and removes the saved id', () =>
    withPlace(client, async (place) => {
      const { environment, file, state, key } = place;
      const first = place.start(file, key, 'video/mp4');
      interruptAfter(environment, 12, first.kill);
      expect(await first.ended).toMatchObject({ code: null, stdout: '' });
      expect(readFileSync(state, 'utf8')).toBe(responseOf(environment, '/v1/uploads').id);
      expect(statSync(state).mode & 0o777).toBe(0o600);
      const stored = storedNumbers(environment);
      expect(stored.length).toBeGreaterThanOrEqual(12);
      expect(stored.length).toBeLessThan(PART_COUNT);

      environment.oss.interfere({});
      // Requests of the first run may still pass the other wire.
      const oss = await startWire(environment.oss.url);
      environment.service.interfere({ response: (body) => body.replaceAll(environment.oss.url, oss.url) });
      const second = await place.upload(file, key, 'video/mp4').finally(() => void oss.close());
      await expectStored(place, second);
      expect(asked(environment)[0]).toBe('/status 200');
      expect(asked(environment)).not.toContain(' 201');
      const { missing } = responseOf(environment, '/v1/uploads/status');
      const sent = sentParts({ oss }).map(({ number }) => number);
      expect(sorted(sent)).toStrictEqual(numbersIn(missing));
      for (const number of stored) expect(sent).not.toContain(number);
    }));

  it('sends each part once, and signs 20 parts at a time', () =>
    withPlace(client, async (place) => {
      const { environment, file, key } = place;
      await expectStored(place, await place.upload(file, key, 'video/mp4'));
      expect(asked(environment)).toStrictEqual([
        ' 201',
        '/status 200',
        ...['/parts 200', '/parts 200', '/parts 200'],
        '/complete 200',
      ]);
      expect(sorted(storedNumbers(environment))).toStrictEqual(ALL_PARTS);
      const { partNumbers } = JSON.parse(environment.service.exchanges[2]?.body ?? '{}');
      expect(partNumbers).toStrictEqual(ALL_PARTS.slice(0, 20));
    }));

  it('sends the name of the file and a type by its extension without KEY and TYPE', () =>
    withPlace(client, async (place) => {
      const run = await place.upload(place.file);
      const { key } = responseOf(place.environment, '/v1/uploads/complete');
      expect(key).toMatch(/^users\/alice\/[0-9a-f-]{36}\.mp4$/);
      await expectStored({ ...place, key }, run);
    }));

  it('only confirms an upload that is stored already', () =>
    withPlace(client, async (place) => {
      const { environment, file, state, key } = place;
      await place.upload(file, key, 'video/mp4');
      writeFileSync(state, responseOf(environment, '/v1/uploads').id);
      environment.service.interfere({});
      environment.oss.interfere({});
      await expectStored(place, await place.upload(file, key, 'video/mp4'));
      expect(asked(environment)).toStrictEqual(['/status 200', '/complete 200']);
      expect(sentParts(environment)).toStrictEqual([]);
    }));

  it('repeats 503, 429, broken connections, a 5xx of OSS and lost responses', () =>
    withPlace(client, async (place) => {
      const { environment, file, key } = place;
      const passes = undefined;
      environment.service.interfere({
        faults: [
          ...[busy(503), passes, busy(429), passes],
          ...(['reset', passes, passes, passes, busy(503), 'lose response'] as const),
        ],
      });
      environment.oss.interfere({
        // The service begins the upload and lists its parts before the client sends any.
        faults: [passes, passes, 'reset', 'lose response', { status: 500, body: '<Error/>' }],
      });
      await expectStored(place, await place.upload(file, key, 'video/mp4'));
      expect(asked(environment)).toStrictEqual([
        ...[' 503', ' 201', '/status 429', '/status 200'],
        ...['/parts 200', '/parts 200', '/parts 200', '/complete 503', '/complete 200', '/complete 200'],
      ]);
      const statuses = sentParts(environment).map(({ status }) => status);
      expect(statuses.filter((status) => status === 500)).toHaveLength(1);
      expect(statuses.filter((status) => status === 200)).toHaveLength(PART_COUNT + 1);
      expect(sorted(new Set(storedNumbers(environment)))).toStrictEqual(ALL_PARTS);
    }));

  it('signs a part again when its URL has expired', () =>
    withPlace(client, async (place) => {
      const { environment, file, key } = place;
      environment.oss.interfere({
        response: (body, status) => {
          if (body.includes('Request has expired.')) environment.setClockAhead(0);
          else if (status === 200 && storedNumbers(environment).length === 3) environment.setClockAhead(120);
          return body;
        },
      });
      await expectStored(place, await place.upload(file, key, 'video/mp4'));
      const expired = sentParts(environment).filter(({ status }) => status === 403);
      expect(expired).not.toHaveLength(0);
      const signedAlone = environment.service.exchanges
        .filter(({ target }) => target === '/v1/uploads/parts')
        .map(({ body }) => JSON.parse(body).partNumbers)
        .filter(({ length }) => length === 1)
        .flat();
      expect(sorted(signedAlone)).toStrictEqual(sorted(expired.map(({ number }) => number)));
    }));

  it.each<[string, (place: Place) => Promise<string>]>([
    ['the saved id is not valid', async () => 'abc.def'],
    [
      'the upload was given up',
      async ({ post }) => {
        const request = { transfer: 'multipart', contentType: 'video/mp4', contentLength: CONTENT_LENGTH };
        const response = await post('', { ...request, filename: 'film.mp4' });
        const { id } = (await response.json()) as { readonly id: string };
        expect((await post('/abort', { id })).status).toBe(204);
        return id;
      },
    ],
  ])('starts a new upload, and prints that, when %s', (_title, save) =>
    withPlace(client, async (place) => {
      const { environment, file, state, key } = place;
      writeFileSync(state, await save(place), { mode: 0o644 });
      environment.service.interfere({});
      const modes = new Set<number>();
      environment.oss.interfere({
        response: (body) => {
          if (storedNumbers(environment).length > 0) modes.add(statSync(state).mode & 0o777);
          return body;
        },
      });
      const run = await place.upload(file, key, 'video/mp4');
      await expectStored(place, run);
      expect(run.stderr).toMatch(/^Unfinished upload: .+\nStarting a new upload\.\n/);
      expect(asked(environment)[1]).toBe(' 201');
      expect([...modes]).toStrictEqual([0o600]);
    }),
  );

  it('starts a new upload when the saved id has expired', () =>
    withPlace(client, async (place) => {
      const { environment, file, state, key } = place;
      writeFileSync(state, 'abc.def');
      const problem = { code: 'upload_id_expired', detail: 'The upload id has expired.' };
      environment.service.interfere({
        faults: [
          {
            status: 410,
            body: JSON.stringify(problem),
            headers: { 'content-type': 'application/problem+json' },
          },
        ],
      });
      const run = await place.upload(file, key, 'video/mp4');
      await expectStored(place, run);
      expect(run.stderr).toContain('Unfinished upload: The upload id has expired.\nStarting a new upload.\n');
    }));

  it('rejects a file of another size, and keeps the saved id', () =>
    withPlace(client, async (place) => {
      const { environment, file, state, key } = place;
      const first = place.start(file, key, 'video/mp4');
      interruptAfter(environment, 2, first.kill);
      await first.ended;
      const saved = readFileSync(state, 'utf8');
      environment.service.interfere({});
      environment.oss.interfere({});
      writeFileSync(file, 'changed', { flag: 'a' });
      const run = await place.upload(file, key, 'video/mp4');
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(
        `The file had ${CONTENT_LENGTH} bytes and has ${CONTENT_LENGTH + 7} now. Delete ${state} to start again.`,
      );
      expect(asked(environment)).toStrictEqual(['/status 200']);
      expect(readFileSync(state, 'utf8')).toBe(saved);
    }));

  it('prints why OSS rejects a part, and continues when it is run again', () =>
    withPlace(client, async (place) => {
      const { environment, file, key } = place;
      const body = '<Error><Code>AccessDenied</Code><Message>You have no right.</Message></Error>';
      environment.oss.interfere({ faults: [undefined, undefined, { status: 403, body }] });
      const run = await place.upload(file, key, 'video/mp4');
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain(
        'OSS rejected a part: 403 AccessDenied: You have no right.\nRun the command again to continue.',
      );
      environment.oss.interfere({});
      await expectStored(place, await place.upload(file, key, 'video/mp4'));
    }));

  it('prints why the service rejects a request, all of it, and saves nothing', () =>
    withPlace(client, async ({ environment, file, state, upload }) => {
      const run = await upload(file, 'users/bob/film.mp4', 'text/html');
      expect(run).toMatchObject({ code: 1, stdout: '' });
      const { errors } = responseOf(environment, '/v1/uploads');
      expect(errors).toHaveLength(2);
      for (const { detail } of errors) expect(run.stderr).toContain(detail);
      expect(existsSync(state)).toBe(false);
    }));

  it('prints that neither service nor OSS can be reached after four attempts, without the URL', () =>
    withPlace(client, async ({ environment, file, state, upload }) => {
      environment.service.interfere({
        response: (body) => body.replaceAll(/127\.0\.0\.1:\d+\/acme-media/g, '127.0.0.1:9/acme-media'),
      });
      const run = await upload(file);
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('OSS cannot be reached');
      expect(run.stderr).not.toMatch(/Traceback|Exception in|^\s+at |x-oss/m);
      expect(existsSync(state)).toBe(true);
      environment.service.interfere({ faults: ['reset', 'reset', 'reset', 'reset'] });
      const unreachable = await upload(file);
      expect(unreachable).toMatchObject({ code: 1, stdout: '' });
      expect(unreachable.stderr).toContain('The service cannot be reached');
    }));

  it.each([
    ['there is no argument', []],
    ['there is an option', ['--help']],
    ['there are four arguments', ['film.mp4', 'a', 'b', 'c']],
  ])('prints its usage when %s, and exits 2', (_title, args) =>
    withPlace(client, async ({ upload }) => {
      const usage = expect.stringMatching(/^usage: .*FILE \[KEY\] \[TYPE\] /);
      expect(await upload(...args)).toMatchObject({ code: 2, stdout: '', stderr: usage });
    }),
  );

  it('names a file that it cannot read, and exits 1', () =>
    withPlace(client, async ({ upload }) => {
      const run = await upload('absent.mp4');
      expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('absent.mp4') });
      expect(run.stderr).not.toMatch(/Traceback|Exception in|^\s+at /m);
    }));
});

describe.each(CLIENTS_FOR_LARGE_FILES)('$name', (client) => {
  it('uploads 300 MiB in parts of 100 MiB with less than 200 MiB of memory', async () => {
    const environment = await startClientEnvironment({ rule: { ...RULE, partSize: '100MiB' } });
    try {
      const { name, type } = LARGE_FILE;
      const file = join(inject('clientsFolder'), 'files', name);
      const key = `users/alice/${client.name}/${name}`;
      const { peakMib, ...run } = await runAlone(client, [name, key, type], environment);
      await expectStored({ environment, file, state: `${file}.oss-presign`, key }, run);
      expect(storedNumbers(environment)).toHaveLength(3);
      expect(peakMib).toBeLessThan(200);
      console.info(`${client.name}, in parts: peak memory ${peakMib.toFixed(0)} MiB`);
    } finally {
      await environment.close();
    }
  });
});
