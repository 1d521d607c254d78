import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createChainCredentials } from '../../src/credentials/chain/chain-credentials.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { redirectHosts, type StandInHosts } from '../support/redirect-hosts.ts';
import { type Respond, startStandInServer } from '../support/stand-in-server.ts';
import { issuedCredentials, oidcEnvironment, startStandInSts } from '../support/stand-in-sts.ts';
import { createRecordedLog } from './recorded-log.ts';
import { startStandInMetadata } from './stand-in-metadata.ts';

const MINUTE = 60_000;
const SECRET_TEXT = /Secret|CAIS|PrivateToken|LTAI/;

let homeDirectory: string;

beforeEach(() => {
  homeDirectory = mkdtempSync(join(tmpdir(), 'oss-presign-home-'));
  onTestFinished(() => rmSync(homeDirectory, { recursive: true }));
});

async function createSource(
  environment: Readonly<Record<string, string>>,
  hosts: StandInHosts = {},
  { clock, advance } = createManualClock(),
) {
  onTestFinished(redirectHosts(hosts));
  const log = createRecordedLog();
  const source = await createChainCredentials(environment, { clock, log, homeDirectory });
  return { source, log, advance };
}

function writeToken(text: string): string {
  const file = join(homeDirectory, 'token');
  writeFileSync(file, text);
  return file;
}

async function createOidcSource(respond?: Respond) {
  const hand = createManualClock();
  const sts = await startStandInSts(hand.clock);
  if (respond) sts.server.respond = respond;
  const environment = oidcEnvironment(writeToken('PrivateToken1'));
  return { sts, ...(await createSource(environment, sts.hosts, hand)) };
}

describe('plain variables', () => {
  it('take precedence, as in the library', async () => {
    const { source } = await createSource({
      ...oidcEnvironment('/nowhere'),
      ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAIplain',
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'PlainSecret',
    });
    expect(await source.get()).toStrictEqual({ accessKeyId: 'LTAIplain', accessKeySecret: 'PlainSecret' });
  });
});

describe('RRSA', () => {
  it('assumes the role with the token of the pod, and knows the expiry', async () => {
    const { sts, source } = await createOidcSource();
    expect(await source.get()).toStrictEqual({
      ...issuedCredentials(1),
      expiresAt: new Date('2026-11-23T11:00:00Z'),
    });
    expect(source.describe()).toStrictEqual({ ok: true, detail: 'oidc_role_arn, valid for 60 min' });
    const [request] = sts.server.requests;
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toStrictEqual({
      OIDCProviderArn: 'acs:ram::1234567890123456:oidc-provider/ack-rrsa',
      OIDCToken: 'PrivateToken1',
      RoleArn: 'acs:ram::1234567890123456:role/presign',
      RoleSessionName: 'oss-presign',
      DurationSeconds: '3600',
    });
  });

  it('makes one call for all waiting requests', async () => {
    const { sts, source } = await createOidcSource();
    const given = await Promise.all(Array.from({ length: 50 }, () => source.get()));
    expect(new Set(given).size).toBe(1);
    expect(sts.server.requests).toHaveLength(1);
  });

  it('fetches new credentials at each renewal, with the current token', async () => {
    const { sts, source, advance } = await createOidcSource();
    await source.get();
    writeToken('PrivateToken2');
    advance(41 * MINUTE);
    await source.keepFresh();
    expect(await source.get()).toStrictEqual({
      ...issuedCredentials(2),
      expiresAt: new Date('2026-11-23T11:41:00Z'),
    });
    expect(new URLSearchParams(sts.server.requests[1]?.body).get('OIDCToken')).toBe('PrivateToken2');
  });

  const credentials = {
    AccessKeyId: 'LTAIid',
    AccessKeySecret: 'Secret',
    SecurityToken: 'CAISx',
    Expiration: '2026-11-23T11:00:00Z',
  };
  const withCredentials = (change: object): Respond => {
    const body = JSON.stringify({ Credentials: { ...credentials, ...change } });
    return () => ({ body });
  };

  it.each<[string, Respond, string]>([
    [
      'a rejection with a code',
      () => ({
        status: 400,
        body: '{"Code":"AuthenticationFail.OIDCToken.Expired","Message":"PrivateToken1"}',
      }),
      'rejected with AuthenticationFail.OIDCToken.Expired',
    ],
    [
      'a code that could be an access key',
      () => ({ status: 400, body: '{"Code":"LTAI5tSecret0"}' }),
      'the response contains no credentials',
    ],
    [
      'a 500 with secrets in it',
      () => ({ status: 500, body: 'Secret' }),
      'the response contains no credentials',
    ],
    [
      'truncated JSON',
      () => ({ body: '{"Credentials":{"AccessKeyId":"LTAI' }),
      'the response cannot be parsed',
    ],
    ['an empty response', () => ({ body: '' }), 'the response cannot be parsed'],
    ['null', () => ({ body: 'null' }), 'the response contains no credentials'],
    ['a reset connection', () => undefined, 'failed with ECONNRESET'],
    ['no secret', withCredentials({ AccessKeySecret: undefined }), 'the response contains no credentials'],
    ['no token', withCredentials({ SecurityToken: '' }), 'the response contains no credentials'],
    ['no expiry', withCredentials({ Expiration: undefined }), 'the response contains no credentials'],
    ['an invalid expiry', withCredentials({ Expiration: 'Secret' }), 'the response contains no credentials'],
    [
      'expired credentials',
      withCredentials({ Expiration: '2026-11-23T10:00:00Z' }),
      'the credentials in the response have expired',
    ],
  ])('responds to %s with 503, reports the reason without secrets, and recovers', async (...row) => {
    const [, respond, reason] = row;
    const { sts, source, log, advance } = await createOidcSource(respond);
    await expect(source.get()).rejects.toMatchObject({
      code: 'unavailable',
      headers: { 'Retry-After': '1' },
      cause: { message: `no cloud credentials: ${reason}` },
    });
    expect(source.describe()).toStrictEqual({ ok: false, detail: `oidc_role_arn: ${reason}` });
    expect(log.lines).toStrictEqual([
      `warn: the cloud credentials cannot be renewed {"credentialsSource":"oidc_role_arn","reason":"${reason}"}`,
    ]);
    expect(log.lines.join('')).not.toMatch(SECRET_TEXT);
    sts.server.respond = sts.assumeRole;
    advance(1_000);
    await source.keepFresh();
    expect(source.describe().ok).toBe(true);
  });

  it('does not change to another source while STS fails', async () => {
    const hand = createManualClock();
    const sts = await startStandInSts(hand.clock);
    const machine = await startStandInMetadata(hand.clock);
    sts.server.respond = () => undefined;
    const { source } = await createSource(
      { ...oidcEnvironment(writeToken('PrivateToken1')), ALIBABA_CLOUD_ECS_METADATA: 'presign' },
      { ...sts.hosts, ...machine.hosts },
      hand,
    );
    await expect(source.get()).rejects.toMatchObject({ code: 'unavailable' });
    expect(machine.server.requests).toHaveLength(0);
  });

  it('does not trust a server without the certificate of the host', async () => {
    const hand = createManualClock();
    const [right, wrong] = [await startStandInSts(hand.clock), await startStandInSts(hand.clock)];
    const [host] = Object.keys(right.hosts);
    const { source } = await createSource(
      oidcEnvironment(writeToken('PrivateToken1')),
      { [host ?? '']: { ...right.hosts[host ?? ''], port: wrong.server.port } },
      hand,
    );
    await source.keepFresh();
    expect(source.describe()).toStrictEqual({
      ok: false,
      detail: expect.stringMatching(
        /^oidc_role_arn: failed with (?:DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|ERR_TLS_\w+|CERT_\w+)$/,
      ),
    });
    expect(wrong.server.requests).toHaveLength(0);
  });

  it('reports a missing token file', async () => {
    const { source } = await createSource(oidcEnvironment(join(homeDirectory, 'nothing')));
    await source.keepFresh();
    expect(source.describe()).toStrictEqual({ ok: false, detail: 'oidc_role_arn: failed with ENOENT' });
  });
});

describe('the role of an ECS machine', () => {
  it.each([
    ['a named role', { ALIBABA_CLOUD_ECS_METADATA: 'presign' }, 2],
    ['the only role', {}, 4],
  ])('is fetched in a session of the metadata server: %s', async (_name, environment, requestsEach) => {
    const hand = createManualClock();
    const machine = await startStandInMetadata(hand.clock);
    const { source } = await createSource(environment, machine.hosts, hand);
    const probes = machine.server.requests.length;
    expect(await source.get()).toStrictEqual({
      accessKeyId: 'STS.NTmachine',
      accessKeySecret: 'MachineSecret',
      securityToken: 'CAISmachine',
      expiresAt: new Date('2026-11-23T16:00:00Z'),
    });
    expect(machine.server.requests).toHaveLength(probes + requestsEach);
    expect(source.describe()).toStrictEqual({ ok: true, detail: 'ecs_ram_role, valid for 360 min' });
  });

  it('stays the source while the metadata server of a named role is unreachable', async () => {
    const { source } = await createSource({ ALIBABA_CLOUD_ECS_METADATA: 'presign' });
    await source.keepFresh();
    expect(source.describe()).toStrictEqual({ ok: false, detail: 'ecs_ram_role: failed with ECONNREFUSED' });
  });

  it('stays the source while an existing metadata server responds with an error', async () => {
    const hand = createManualClock();
    const machine = await startStandInMetadata(hand.clock);
    machine.server.respond = () => ({ status: 500, body: 'Secret' });
    const { source } = await createSource({}, machine.hosts, hand);
    await source.keepFresh();
    expect(source.describe()).toStrictEqual({
      ok: false,
      detail: 'ecs_ram_role: HTTP 500',
    });
  });
});

describe('a credentials URI', () => {
  it('is used, and its failures are reported without the response', async () => {
    const server = await startStandInServer(() => ({ status: 500, body: 'Secret LTAI' }));
    const { source, advance, log } = await createSource({
      ALIBABA_CLOUD_CREDENTIALS_URI: `http://127.0.0.1:${server.port}/credentials?key=PrivateToken`,
    });
    await source.keepFresh();
    expect(source.describe().detail).toBe('credentials_uri: HTTP 500');
    const body = {
      Code: 'Success',
      AccessKeyId: 'STS.a',
      AccessKeySecret: 'b',
      SecurityToken: 'c',
      Expiration: '2026-11-23T10:30:00Z',
    };
    server.respond = () => ({ body: JSON.stringify(body) });
    advance(1_000);
    expect(await source.get()).toStrictEqual({
      accessKeyId: 'STS.a',
      accessKeySecret: 'b',
      securityToken: 'c',
      expiresAt: new Date('2026-11-23T10:30:00Z'),
    });
    expect(log.lines.join('')).not.toMatch(SECRET_TEXT);
  });
});

describe('with nothing configured', () => {
  const message =
    /^There are no cloud credentials: set OSS_ACCESS_KEY_ID .* ALIBABA_CLOUD_ROLE_ARN.*ALIBABA_CLOUD_CREDENTIALS_URI\.$/;

  it.each([
    ['without a metadata server', {}],
    ['with incomplete sources', { ALIBABA_CLOUD_ROLE_ARN: 'r', ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAIhalf' }],
  ])('fails %s, and lists the variables to set', async (_name, environment) => {
    await expect(createSource(environment)).rejects.toThrow(message);
  });

  it('does not call a metadata server that is turned off', async () => {
    const hand = createManualClock();
    const machine = await startStandInMetadata(hand.clock);
    const environment = { ALIBABA_CLOUD_ECS_METADATA: 'x', ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true' };
    await expect(createSource(environment, machine.hosts, hand)).rejects.toThrow(message);
    expect(machine.server.requests).toHaveLength(0);
  });

  it('waits at most one second for a metadata server that does not respond', async () => {
    const silence = Promise.withResolvers<undefined>();
    const silent = await startStandInServer(() => silence.promise);
    await expect(createSource({}, { '100.100.100.200': { port: silent.port } })).rejects.toThrow(message);
    // The library still waits. End its call here, because it then makes another one, which must not
    // reach the server of the next test.
    silence.resolve(undefined);
    await vi.waitFor(() => expect(silent.requests).toHaveLength(2));
  });
});

describe('profiles', () => {
  it.each([
    [['.aliyun', 'config.json'], 'cli_profile'],
    [['.alibabacloud', 'credentials'], 'profile'],
  ])('are chosen if the file %j exists', async ([folder = '', file = ''], name) => {
    mkdirSync(join(homeDirectory, folder));
    writeFileSync(join(homeDirectory, folder, file), '');
    const { source } = await createSource({});
    expect(source.describe().detail).toBe(`${name}: no response yet`);
  });
});
