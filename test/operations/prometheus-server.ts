import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { folder as documents } from '../support/operations-documents.ts';
import { findFreePort } from '../support/redis-server.ts';

type Sample = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
};
type Rule = { readonly name: string; readonly health: string; readonly lastError?: string };

export type PrometheusServer = {
  /**
   * Evaluates an expression now.
   * @throws Error with the message of Prometheus if it cannot be evaluated.
   */
  query(expression: string): Promise<readonly Sample[]>;
  /** Returns the rules of `alerts.yaml` with their health. */
  rules(): Promise<readonly Rule[]>;
};

/**
 * Starts a real Prometheus on a free loopback port, which scrapes the service every second. It ends
 * with the test.
 */
export async function startPrometheusServer(serviceUrl: string): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [new URL('alerts.yaml', documents).pathname],
      scrape_configs: [
        {
          job_name: 'oss-presign',
          static_configs: [{ targets: [new URL(serviceUrl).host], labels: { namespace: 'uploads' } }],
        },
      ],
    }),
  );
  const port = await findFreePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  onTestFinished(async () => {
    const exit = once(child, 'exit');
    if (child.kill('SIGKILL')) await exit;
  });
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new Error('prometheus cannot be run; on Debian and Ubuntu, apt-get install prometheus', { cause });
  });
  await isReady();
  return { query, rules };

  async function isReady(): Promise<void> {
    const lines: string[] = [];
    for await (const line of createInterface(child.stderr)) {
      lines.push(line);
      if (line.includes('Server is ready to receive web requests')) {
        child.stderr.resume();
        return;
      }
    }
    throw new Error(`prometheus did not start:\n${lines.join('\n')}`);
  }

  async function get<Data>(path: string): Promise<Data> {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, error, data } = (await response.json()) as { status: string; error?: string; data: Data };
    if (status !== 'success') throw new Error(error);
    return data;
  }

  async function query(expression: string): Promise<readonly Sample[]> {
    const { result } = await get<{ result: readonly Sample[] }>(
      `query?${new URLSearchParams({ query: expression })}`,
    );
    return result;
  }

  async function rules(): Promise<readonly Rule[]> {
    const { groups } = await get<{ groups: readonly { readonly rules: readonly Rule[] }[] }>('rules');
    return groups.flatMap((group) => group.rules);
  }
}
