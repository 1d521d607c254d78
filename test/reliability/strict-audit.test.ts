import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished, vi } from 'vitest';
import { START_COMMAND } from '../../bench/processes/start-command.ts';
import { policyWith } from '../support/policies.ts';
import { signForNow } from '../support/service-process.ts';
import { createTestIssuer } from '../support/tokens.ts';

it('with AUDIT_MODE=strict no grant is sent without an audit line, while the reader of the log hangs and after', async () => {
  const issuer = createTestIssuer();
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-test-'));
  writeFileSync(join(folder, 'policy.yaml'), policyWith());
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify(issuer.jwks));
  // A real pipe, with a reader that can be stopped.
  const [node, ...args] = START_COMMAND;
  const reader = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
  const service = spawn(node, args, {
    cwd: folder,
    env: {
      PORT: '0',
      AUDIT_MODE: 'strict',
      SHUTDOWN_DELAY_SECONDS: '0',
      OSS_ACCESS_KEY_ID: 'LTAI5tTestKey',
      OSS_ACCESS_KEY_SECRET: 'TestSecret0123456789',
    },
    stdio: ['ignore', reader.stdin, 'ignore'],
  });
  reader.stdin.destroy();
  onTestFinished(() => {
    reader.kill('SIGKILL');
    service.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const lines: Record<string, unknown>[] = [];
  createInterface(reader.stdout).on('line', (line) => lines.push(JSON.parse(line)));
  const address = await vi.waitFor(
    () => {
      const line = lines.find(({ msg }) => msg === 'listening');
      expect(line).toBeDefined();
      return String(line?.address);
    },
    { timeout: 20_000 },
  );
  const token = await signForNow(issuer);
  const body = JSON.stringify({ key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 });
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  onTestFinished(() => agent.destroy());
  const ask = () =>
    new Promise<{ status: number; id: string }>((resolve, reject) => {
      request(`${address}/v1/uploads`, {
        agent,
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': body.length,
        },
      })
        .on('response', (response) => {
          response.resume();
          resolve({ status: response.statusCode ?? 0, id: String(response.headers['x-request-id']) });
        })
        .on('error', reject)
        .end(body);
    });
  const granted: string[] = [];
  const askMany = async (times: number) => {
    const responses = await Promise.all(Array.from({ length: times }, ask));
    for (const { status, id } of responses) if (status === 201) granted.push(id);
    return responses.map(({ status }) => status);
  };

  expect(new Set(await askMany(200))).toStrictEqual(new Set([201]));
  reader.kill('SIGSTOP');
  await vi.waitFor(
    async () => {
      const startedAt = performance.now();
      expect(await askMany(200)).toStrictEqual(Array(200).fill(503));
      // Rejected at once, without waiting for the log.
      expect(performance.now() - startedAt).toBeLessThan(1000);
    },
    { timeout: 30_000 },
  );
  expect((await fetch(`${address}/livez`)).status).toBe(200);
  expect((await fetch(`${address}/readyz`)).status).toBe(503);

  reader.kill('SIGCONT');
  await vi.waitFor(async () => expect((await fetch(`${address}/readyz`)).status).toBe(200), {
    timeout: 10_000,
  });
  expect(new Set(await askMany(200))).toStrictEqual(new Set([201]));
  service.kill('SIGTERM');
  expect((await once(service, 'exit'))[0]).toBe(0);
  await vi.waitFor(() => expect(lines.at(-1)?.msg).toBe('stopped'), { timeout: 10_000 });
  const audited = new Set(
    lines.filter(({ msg }) => msg === 'upload granted').map(({ requestId }) => requestId),
  );
  expect(granted.length).toBeGreaterThan(400);
  expect(granted.filter((id) => !audited.has(id))).toStrictEqual([]);
  // A grant that was not sent has a log line about it.
  const sent = new Set(granted);
  const withdrawn = lines.filter(({ status }) => status === 503).map(({ requestId }) => requestId);
  expect([...audited].filter((id) => !sent.has(String(id)) && !withdrawn.includes(id))).toStrictEqual([]);
});
