import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { folderWithPolicy, logLine, run, start } from '../../support/main-process.ts';
import type { StandInHosts } from '../../support/redirect-hosts.ts';
import { oidcEnvironment, startStandInSts } from '../../support/stand-in-sts.ts';

describe('without credentials of its own', () => {
  const preload = new URL('../../support/redirect-preload.ts', import.meta.url).href;

  /** A process with the folder as its home. Its connections to other hosts fail or go to a stand-in. */
  const alone = (folder: string, env: Record<string, string> = {}, hosts: StandInHosts = {}) => ({
    HOME: folder,
    NODE_OPTIONS: `--import ${preload}`,
    METRICS_PORT: '0',
    STAND_IN_HOSTS: JSON.stringify(hosts),
    ...env,
  });
  const credentialsLine = async (address: unknown) => {
    const response = await fetch(`${address}/readyz`);
    return [
      response.status,
      (await response.text()).split('\n').find((line) => line.includes('credentials')),
    ];
  };

  it('names the variables to set, and exits with 1', async () => {
    const folder = folderWithPolicy();
    const { stdout, stderr, code } = await run(folder, alone(folder));
    expect({ stdout, stderr, code }).toStrictEqual({
      stdout: '',
      stderr: expect.stringMatching(
        /^oss-presign does not start:\n {2}- .*There are no cloud credentials: set OSS_ACCESS_KEY_ID .*\.\n$/,
      ),
      code: 1,
    });
  });

  it('starts while STS fails, is not ready and reports why, and becomes ready by itself', async () => {
    const folder = folderWithPolicy();
    writeFileSync(join(folder, 'token'), 'PrivateToken');
    const sts = await startStandInSts(() => new Date());
    sts.server.respond = () => ({ status: 403, body: '{"Code":"NoPermission","Message":"PrivateToken"}' });
    const child = start(folder, alone(folder, oidcEnvironment(join(folder, 'token')), sts.hosts));
    const stderr = text(child.stderr);
    const { metricsAddress } = await logLine(child, 'listening');
    child.stdout.resume();
    await vi.waitFor(
      async () =>
        expect(await credentialsLine(metricsAddress)).toStrictEqual([
          503,
          'FAILED credentials: oidc_role_arn: rejected with NoPermission',
        ]),
      { timeout: 10_000 },
    );
    sts.server.respond = sts.assumeRole;
    await vi.waitFor(
      async () =>
        expect(await credentialsLine(metricsAddress)).toStrictEqual([
          200,
          expect.stringMatching(/^ok credentials: oidc_role_arn, valid for (?:59|60) min$/),
        ]),
      { timeout: 10_000, interval: 100 },
    );
    child.kill('SIGTERM');
    expect(await stderr).toBe('');
  });

  it.each<[string, (folder: string) => Record<string, string>, string]>([
    [
      'the CLI’s current profile',
      (folder) => {
        const profile = {
          name: 'prod',
          mode: 'OIDC',
          ram_role_arn: 'acs:ram::1:role/r',
          oidc_provider_arn: 'acs:ram::1:oidc-provider/p',
          oidc_token_file: join(folder, 'token'),
          sts_region: 'cn-hangzhou',
        };
        mkdirSync(join(folder, '.aliyun'));
        writeFileSync(
          join(folder, '.aliyun/config.json'),
          JSON.stringify({ current: 'prod', profiles: [profile] }),
        );
        return {};
      },
      'ok credentials: cli_profile, valid for (?:59|60) min',
    ],
    [
      'a profile file',
      (folder) => {
        writeFileSync(
          join(folder, 'profiles'),
          '[default]\ntype = access_key\naccess_key_id = LTAIprofile\naccess_key_secret = ProfileSecret\n',
        );
        return { ALIBABA_CLOUD_CREDENTIALS_FILE: join(folder, 'profiles') };
      },
      'ok credentials: profile, without a known expiry',
    ],
  ])('uses %s', async (_name, write, line) => {
    const folder = folderWithPolicy();
    writeFileSync(join(folder, 'token'), 'PrivateToken');
    const sts = await startStandInSts(() => new Date());
    const child = start(folder, alone(folder, write(folder), sts.hosts));
    const { metricsAddress } = await logLine(child, 'listening');
    child.stdout.resume();
    await vi.waitFor(
      async () =>
        expect(await credentialsLine(metricsAddress)).toStrictEqual([
          200,
          expect.stringMatching(new RegExp(`^${line}$`)),
        ]),
      { timeout: 10_000 },
    );
  });
});
