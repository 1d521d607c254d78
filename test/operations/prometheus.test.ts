import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import { folder, panelQueries, rules } from '../support/operations-documents.ts';
import { STATUSES } from './busy-service.ts';
import { startPrometheusServer } from './prometheus-server.ts';
import { promtool } from './promtool.ts';
import { startServiceProcess } from './service-process.ts';

const pathOf = (name: string) => new URL(name, folder).pathname;

it('promtool finds the rules valid', async () => {
  const { code, output } = await promtool(['check', 'rules', pathOf('alerts.yaml')]);
  expect(output).toContain(`SUCCESS: ${rules.length} rules found`);
  expect(code).toBe(0);
});

// It evaluates every rule for every minute of days.
it('promtool confirms when each alert fires and when it does not', { timeout: 120_000 }, async () => {
  const { code, output } = await promtool(['test', 'rules', pathOf('alerts.test.yaml')]);
  expect(output).toMatch(/\n {2}SUCCESS\n/);
  expect(code).toBe(0);
});

it('promtool finds every query of the dashboard valid', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'oss-presign-operations-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'rules.yaml');
  const asRules = panelQueries.map(({ expr }, n) => ({ record: `query_${n}`, expr }));
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules: asRules }] }));
  const { code, output } = await promtool(['check', 'rules', file]);
  expect(output).toContain(`SUCCESS: ${panelQueries.length} rules found`);
  expect(code).toBe(0);
});

it('promtool accepts the metrics of the service, except three names of prom-client', async () => {
  const service = await startServiceProcess();
  expect(await service.makeRequests()).toStrictEqual(STATUSES);
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const { output } = await promtool(['check', 'metrics'], text);
  // prom-client chooses these names.
  expect(output.trim().split('\n')).toStrictEqual(
    ['handles', 'requests', 'resources'].map(
      (what) => `nodejs_active_${what}_total non-counter metrics should not have "_total" suffix`,
    ),
  );
});

it('a real Prometheus scrapes a real service, and has a value for every query and no faulty rule', async () => {
  const service = await startServiceProcess();
  const prometheus = await startPrometheusServer(service.url);
  await vi.waitFor(
    async () => {
      // Repeated, because a rate needs two samples with requests between them.
      expect(await service.makeRequests()).toStrictEqual(STATUSES);
      const without = await Promise.all(
        panelQueries.map(async ({ title, expr }) => {
          const values = (await prometheus.query(expr)).map(({ value: [, value] }) => value);
          return values.some((value) => value !== 'NaN') ? [] : [`${title}: ${expr}`];
        }),
      );
      expect(without.flat()).toStrictEqual([]);
    },
    { timeout: 30_000, interval: 500 },
  );
  await vi.waitFor(
    async () => {
      const seen = (await prometheus.rules()).map(({ name, health }) => `${name} ${health}`);
      expect(seen.sort()).toStrictEqual(rules.map(({ alert, record }) => `${alert ?? record} ok`).sort());
    },
    { timeout: 10_000 },
  );
});
