import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { CREDENTIALS, folderWithPolicy, logLine, run, start } from './support/main-process.ts';

// test/package/main has what takes a process of its own for each test.

it('reports everything that is missing, exits with 1, and prints no stack trace', async () => {
  const folder = folderWithPolicy();
  rmSync(join(folder, 'policy.yaml'));
  expect(await run(folder, { LOG_LEVEL: 'loud', OSS_SESSION_TOKEN: 'token' })).toStrictEqual({
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(
        [
          '^oss-presign does not start:',
          '  - LOG_LEVEL .*',
          '  - OSS_ACCESS_KEY_ID .*is not set.*',
          '  - OSS_ACCESS_KEY_SECRET .*is not set.*',
          '  - POLICY_FILE cannot be read \\(ENOENT\\): policy.yaml\\. .*',
          '$',
        ].join('\\n'),
      ),
    ),
    code: 1,
  });
});

it('serves, and exits with 0 on SIGTERM, with nothing on stderr', async () => {
  const child = start(folderWithPolicy(), { ...CREDENTIALS, METRICS_PORT: '0' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = text(child.stderr);
  const { metricsAddress, ...line } = await logLine(child, 'listening');
  expect(line).toStrictEqual({
    level: 'info',
    time: expect.any(String),
    version: JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version,
    nodeVersion: process.version,
    address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    policyVersion: expect.stringMatching(/^[0-9a-f]{12}$/),
    rules: 1,
    issuers: 1,
    credentialsSource: 'environment',
    limiterMode: 'memory',
    auditMode: 'lossy',
    corsOrigins: [],
    msg: 'listening',
  });
  const ready = await fetch(`${metricsAddress}/readyz`);
  expect([ready.status, (await ready.text()).replace(/\b[0-9a-f]{12}\b/, 'VERSION')]).toStrictEqual([
    200,
    'ok lifecycle\nok credentials: static\nok issuer keys: https://login.test/ loaded\nok policy: version VERSION, 1 rule\nok service keys: of this process only\nok limiter: in memory\nok storage\nok clock: within limits\nok log output: written\n',
  ]);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(await stderr).toBe('');
});
