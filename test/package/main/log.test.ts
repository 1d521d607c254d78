import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CREDENTIALS, folderWithPolicy, logLine, main, start } from '../../support/main-process.ts';
import { PHOTO } from '../../support/requests.ts';
import { createTestIssuer, type TestIssuer } from '../../support/tokens.ts';

describe('a process whose log cannot be written', () => {
  const metricsOf = async (address: unknown) => (await fetch(`${address}/metrics`)).text();
  const askFor = async (address: unknown, issuer: TestIssuer) => {
    const token = await issuer.sign({ exp: Math.floor(Date.now() / 1000) + 600 });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return (await fetch(`${address}/v1/uploads`, { method: 'POST', headers, body: JSON.stringify(PHOTO) }))
      .status;
  };

  it('continues with a full disk, reports it once on stderr and in a metric, and logs the loss once there is space', async () => {
    const issuer = createTestIssuer();
    const folder = folderWithPolicy(issuer);
    const path = join(folder, 'log');
    const log = openSync(path, 'a');
    // A limit of 2 KiB on the size of files simulates a full disk.
    const child = spawn('sh', ['-c', 'ulimit -f 4; exec "$0" "$1"', process.execPath, main], {
      cwd: folder,
      env: { PORT: '0', ...CREDENTIALS },
      stdio: ['ignore', log, 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    closeSync(log);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const stderr = text(child.stderr as Readable);
    const lines = () => readFileSync(path, 'utf8').split('\n');
    const address = await vi.waitFor(
      () => JSON.parse(lines().find((line) => line.includes('"msg":"listening"')) ?? '').address,
      { timeout: 15_000 },
    );
    await vi.waitFor(async () => {
      expect(await askFor(address, issuer)).toBe(201);
      expect(await metricsOf(address)).toMatch(/^oss_presign_log_lines_lost_total [1-9]\d*$/m);
    }, 10_000);
    expect(await metricsOf(address)).toContain('oss_presign_log_output_usable 0\n');
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect(await askFor(address, issuer)).toBe(201);

    truncateSync(path);
    await vi.waitFor(
      () =>
        expect(lines().find((line) => line.includes('log lines were lost'))).toMatch(
          /"lostLines":\d+,"since":/,
        ),
      10_000,
    );
    expect(await metricsOf(address)).toContain('oss_presign_log_output_usable 1\n');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(await stderr).toMatch(/^\{"level":"error",[^\n]*"reason":"EFBIG",[^\n]*\}\n$/);
  });

  it('continues when no process reads stdout and stderr, grants nothing with AUDIT_MODE=strict, and exits with 0 on SIGTERM', async () => {
    const issuer = createTestIssuer();
    const child = start(folderWithPolicy(issuer), {
      ...CREDENTIALS,
      SHUTDOWN_GRACE_SECONDS: '3600',
      AUDIT_MODE: 'strict',
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const { address } = await logLine(child, 'listening');
    expect(await askFor(address, issuer)).toBe(201);
    child.stdout.destroy();
    child.stderr.destroy();
    await vi.waitFor(async () => {
      expect(await askFor(address, issuer)).toBe(503);
      expect(await metricsOf(address)).toMatch(/^oss_presign_log_lines_lost_total [1-9]\d*$/m);
    }, 10_000);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('continues while stdout is blocked, and exits with 0 on SIGTERM', async () => {
    const issuer = createTestIssuer();
    const child = start(folderWithPolicy(issuer), { ...CREDENTIALS, SHUTDOWN_GRACE_SECONDS: '3600' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const { address } = await logLine(child, 'listening');
    child.stdout.pause();
    const { port, hostname } = new URL(String(address));
    const socket = connect(Number(port), hostname);
    const request = `GET /none HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${'x'.repeat(128)}\r\n\r\n`;
    socket.resume().end(request.repeat(2000));
    await once(socket, 'close');
    // More than fits into the pipe; the service keeps the rest.
    await vi.waitFor(
      async () => expect(await metricsOf(address)).toContain('oss_presign_log_output_usable 0\n'),
      { timeout: 10_000, interval: 100 },
    );
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect(await askFor(address, issuer)).toBe(201);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
