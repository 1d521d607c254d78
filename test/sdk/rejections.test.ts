import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator, TEMPORARY } from '../support/test-emulator.ts';
import { type RawHeaders, startWire } from '../support/wire.ts';
import { SDKS } from './build-programs.ts';
import { type ObjectJob, type SdkCredentials, useSdkProgram } from './sdk-program.ts';

const SIGNATURE_DOES_NOT_MATCH = { status: 403, code: 'SignatureDoesNotMatch', ec: '0002-00000201' };
const INVALID_ACCESS_KEY_ID = { status: 403, code: 'InvalidAccessKeyId', ec: '0002-00000902' };
const REQUEST_TIME_TOO_SKEWED = { status: 403, code: 'RequestTimeTooSkewed', ec: '0002-00000504' };
const invalidToken = (ec: string) => ({ status: 403, code: 'InvalidSecurityToken', ec });

const MINUTE_MS = 60_000;
const clockAhead = (minutes: number) => () => new Date(Date.now() + minutes * MINUTE_MS);

const PUT = {
  job: 'put',
  region: REGION,
  bucket: BUCKET,
  key: 'a.txt',
  body: Buffer.from('hello').toString('base64'),
  contentType: 'text/plain',
  metadata: { album: '42' },
  credentials: LONG_LIVED,
  attempts: 1,
} as const satisfies Partial<ObjectJob>;

const ON_A_CLOCK_THAT_IS_OFF = {
  go: { does: 'sets its clock by the Date of the response', result: { status: 200 }, statuses: [403, 200] },
  python: {
    does: 'tries again with the same clock',
    result: { error: REQUEST_TIME_TOO_SKEWED },
    statuses: [403, 403, 403],
  },
  java: {
    does: 'tries again with the same clock',
    result: { error: REQUEST_TIME_TOO_SKEWED },
    statuses: [403, 403, 403],
  },
  'ali-oss': { does: 'tries once', result: { error: REQUEST_TIME_TOO_SKEWED }, statuses: [403] },
};

describe.each(SDKS)('%s', (sdk) => {
  const program = useSdkProgram(sdk);

  it.each<[string, SdkCredentials, object]>([
    ['a wrong secret', { ...LONG_LIVED, accessKeySecret: 'wrong' }, SIGNATURE_DOES_NOT_MATCH],
    ['a wrong secret of a token', { ...TEMPORARY, accessKeySecret: 'wrong' }, SIGNATURE_DOES_NOT_MATCH],
    ['an unknown key id', { ...LONG_LIVED, accessKeyId: 'unknown' }, INVALID_ACCESS_KEY_ID],
    ['a wrong token', { ...TEMPORARY, securityToken: 'wrong' }, invalidToken('0002-00000008')],
    ['a temporary id without its token', withoutToken(TEMPORARY), invalidToken('0002-00000003')],
    ['a token with a long-lived id', { ...LONG_LIVED, securityToken: 'CAIS' }, invalidToken('0002-00000006')],
  ])('hears the right error for %s, from a put and from a head', async (_name, credentials, error) => {
    const emulator = await startTestEmulator({ clock: systemClock });
    const job = { ...PUT, endpoint: emulator.url, credentials };
    expect(await program.perform(job)).toStrictEqual({ error });
    expect(await program.perform({ ...job, job: 'head' })).toStrictEqual({ error });
    expect(emulator.files()).toStrictEqual([]);
  });

  it('hears that its token is over', async () => {
    const ended = { ...TEMPORARY, expiresAt: clockAhead(-1)() };
    const emulator = await startTestEmulator({ clock: systemClock, credentials: [ended] });
    const result = await program.perform({ ...PUT, endpoint: emulator.url, credentials: TEMPORARY });
    expect(result).toStrictEqual({
      error: { status: 403, code: 'SecurityTokenExpired', ec: '0002-00000007' },
    });
  });

  it.each([-16, 16])('hears that its clock is off by %i minutes', async (minutes) => {
    const emulator = await startTestEmulator({ clock: clockAhead(minutes) });
    const result = await program.perform({ ...PUT, endpoint: emulator.url });
    expect(result).toStrictEqual({ error: REQUEST_TIME_TOO_SKEWED });
    expect(emulator.files()).toStrictEqual([]);
  });

  it.each([-14, 14])('may have its clock off by %i minutes', async (minutes) => {
    const emulator = await startTestEmulator({ clock: clockAhead(minutes) });
    expect(await program.perform({ ...PUT, endpoint: emulator.url })).toMatchObject({ status: 200 });
  });

  const { does, result, statuses } = ON_A_CLOCK_THAT_IS_OFF[sdk];
  it(`${does}, given three attempts with a clock that is off`, async () => {
    const emulator = await startTestEmulator({ clock: clockAhead(16) });
    expect(await program.perform({ ...PUT, endpoint: emulator.url, attempts: 3 })).toMatchObject(result);
    expect(emulator.events.map(({ status }) => status)).toStrictEqual(statuses);
  });

  it.each<[string, (headers: RawHeaders) => RawHeaders]>([
    ['metadata is changed', change('x-oss-meta-album', () => '43')],
    ['its type is changed', change('content-type', () => 'text/html')],
    ['its date is changed by a second', change('x-oss-date', nextSecond)],
    ['a header of OSS is added', (headers) => [...headers, 'x-oss-object-acl', 'public-read']],
    ['a header of OSS is left out', leaveOut('x-oss-meta-album')],
  ])('hears that its signature does not match when %s on the way', async (_name, onTheWay) => {
    const { emulator, endpoint } = await startChangedWay(onTheWay);
    expect(await program.perform({ ...PUT, endpoint })).toStrictEqual({ error: SIGNATURE_DOES_NOT_MATCH });
    expect(emulator.files()).toStrictEqual([]);
  });

  it('does not mind a change of headers that it did not sign', async () => {
    const changeAgent = change('user-agent', () => 'other');
    const { endpoint } = await startChangedWay((headers) => [...changeAgent(headers), 'x-proxy', '1']);
    expect(await program.perform({ ...PUT, endpoint })).toMatchObject({ status: 200 });
  });
});

/** An emulator, and an endpoint whose requests reach it with changed headers. */
async function startChangedWay(request: (headers: RawHeaders) => RawHeaders) {
  const emulator = await startTestEmulator({ clock: systemClock });
  const wire = await startWire(emulator.url);
  onTestFinished(() => wire.close());
  wire.interfere({ request });
  return { emulator, endpoint: wire.url };
}

function withoutToken({ accessKeyId, accessKeySecret }: SdkCredentials): SdkCredentials {
  return { accessKeyId, accessKeySecret };
}

function change(name: string, edit: (value: string) => string): (headers: RawHeaders) => RawHeaders {
  return (headers) => headers.map((text, at) => (isValueOf(headers, at, name) ? edit(text) : text));
}

function leaveOut(name: string): (headers: RawHeaders) => RawHeaders {
  return (headers) =>
    headers.filter((_, at) => !isValueOf(headers, at, name) && !isValueOf(headers, at + 1, name));
}

function isValueOf(headers: RawHeaders, at: number, name: string): boolean {
  return at % 2 === 1 && headers[at - 1]?.toLowerCase() === name;
}

/** Of the same minute, so that the day stays the one that was signed. */
function nextSecond(date: string): string {
  return date.replace(/\dZ$/, (end) => `${(Number.parseInt(end, 10) + 1) % 10}Z`);
}
