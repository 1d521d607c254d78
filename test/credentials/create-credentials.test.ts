import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createCredentials } from '../../src/credentials/create-credentials.ts';
import type { CredentialsConfig } from '../../src/credentials/credentials-config.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { redirectHosts } from '../support/redirect-hosts.ts';
import { oidcEnvironment } from '../support/stand-in-sts.ts';
import { createRecordedLog } from './recorded-log.ts';
import { startStandInMetadata } from './stand-in-metadata.ts';

/** Fails like `os.homedir` without HOME, for a user id without an entry in the password database. */
const noHome = (): never => {
  throw Object.assign(new Error('A system error occurred: uv_os_homedir returned ENOENT'), {
    code: 'ERR_SYSTEM_ERROR',
  });
};

const create = (config: CredentialsConfig) =>
  createCredentials(config, {
    clock: createManualClock().clock,
    log: createRecordedLog(),
    findHomeDirectory: noHome,
  });

it('needs no home directory for an access key from the environment or from files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'secret'), 'TheSecret\n');
  const key = { accessKeyId: 'TheId', accessKeySecret: 'TheSecret' };
  const fromEnvironment = await create({ source: 'environment', credentials: key });
  const fromFiles = await create({
    source: 'files',
    parts: {
      accessKeyId: { value: 'TheId' },
      accessKeySecret: { file: join(folder, 'secret'), variable: 'OSS_ACCESS_KEY_SECRET_FILE' },
    },
  });
  expect([await fromEnvironment.get(), await fromFiles.get()]).toStrictEqual([key, key]);
});

it.each([
  ['plain variables', { ALIBABA_CLOUD_ACCESS_KEY_ID: 'a', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'b' }, /^static/],
  ['RRSA', oidcEnvironment('/nowhere'), /^oidc_role_arn: /],
  ['a named role', { ALIBABA_CLOUD_ECS_METADATA: 'a-role' }, /^ecs_ram_role: /],
  ['a URI', { ALIBABA_CLOUD_CREDENTIALS_URI: 'http://127.0.0.1:9/' }, /^credentials_uri: /],
])('needs no home directory for %s of the default chain', async (_name, environment, detail) => {
  const credentials = await create({ source: 'default-chain', environment });
  expect(credentials.describe().detail).toMatch(detail);
});

it('finds the role of the machine without a home directory', async () => {
  const machine = await startStandInMetadata(createManualClock().clock);
  onTestFinished(redirectHosts(machine.hosts));
  const credentials = await create({ source: 'default-chain', environment: {} });
  expect(credentials.describe().detail).toMatch(/^ecs_ram_role: /);
});

it('names the variable to set if a profile needs a home directory', async () => {
  const environment = { ALIBABA_CLOUD_CREDENTIALS_FILE: '/etc/profile' };
  await expect(create({ source: 'default-chain', environment })).rejects.toThrow(
    'ALIBABA_CLOUD_CREDENTIALS_FILE is set, but the user of this process has no home directory: set HOME',
  );
});
