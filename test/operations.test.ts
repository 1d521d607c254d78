import { describe, expect, it, vi } from 'vitest';
import { createMetrics } from '../src/metrics/metrics.ts';
import { makeRequests, STATUSES, startSurroundings } from './operations/busy-service.ts';
import { parseExposition, type Series } from './operations/exposed-series.ts';
import { readPromql, selects } from './operations/promql.ts';
import { now } from './support/fixed-clock.ts';
import {
  alertCases,
  alerts,
  dashboard,
  dashboardText,
  panelQueries,
  panels,
  rules,
  runbook,
} from './support/operations-documents.ts';
import { startTestService } from './support/test-service.ts';

/** The labels that Prometheus adds to each series of a target. Its discovery adds the namespace. */
const TARGET = { job: 'oss-presign', instance: '127.0.0.1:8080', namespace: 'uploads' };

const queries = [
  ...rules.map(({ alert, record = '', expr }) => ({ title: alert ?? record, expr })),
  ...panelQueries,
];

/** Returns every series of a service after each kind of request, and those of its process. */
async function exposedSeries(): Promise<readonly Series[]> {
  const surroundings = await startSurroundings(now);
  const { policyYaml, issuer, serviceKeys, hookSecret } = surroundings;
  const service = await startTestService({
    policyYaml,
    issuer,
    env: {
      SERVICE_KEYS_FILE: 'service-keys.json',
      PUBLIC_URL: 'https://presign.example.com',
      HOOK_SECRET: hookSecret,
    },
    files: { 'service-keys.json': () => serviceKeys },
  });
  expect(await makeRequests(service.url, surroundings, now)).toStrictEqual(STATUSES);
  const includeProcessMetrics = createMetrics(
    {
      credentials: { describe: () => ({ ok: true, detail: '' }), expiresAt: () => undefined },
      issuers: () => [],
      policy: () => ({ version: '', rules: 0, loadedAt: now }),
      notifyingRules: () => [],
      serviceKeys: () => ({ signingKid: '', keys: 1, isShared: true, loadedAt: now, isFileRejected: false }),
      limiter: { mode: () => 'memory' },
      isReady: () => true,
      logOutput: () => ({ lostLines: 0, fault: undefined }),
      build: {
        version: '1.2.3',
        nodeVersion: 'v24.0.0',
        credentialsSource: 'environment',
        limiterMode: 'redis',
        corsOrigins: 2,
      },
    },
    { seconds: () => 0, includeProcessMetrics: true },
  );
  // The lag of the event loop is not reported before its first turn.
  const processText = await vi.waitFor(async () => {
    const { text } = await includeProcessMetrics.render();
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    return text;
  });
  const text = `${await (await fetch(`${service.url}/metrics`)).text()}\n${processText}`;
  return [
    ...parseExposition(text).map(({ name, labels }) => ({ name, labels: { ...labels, ...TARGET } })),
    { name: 'up', labels: TARGET },
    ...rules.flatMap(({ record }) => (record === undefined ? [] : [{ name: record, labels: TARGET }])),
  ];
}

describe('alerts and dashboard', () => {
  it('select only series that the service exposes, by metric, label and value', async () => {
    const series = await exposedSeries();
    const empty = queries.flatMap(({ title, expr }) =>
      readPromql(expr)
        .selectors.filter((selector) => !series.some((one) => selects(selector, one)))
        .map((selector) => `${title}: ${JSON.stringify(selector)}`),
    );
    expect(empty).toStrictEqual([]);
  });

  it('match, group and join by labels that the metrics have', async () => {
    const series = await exposedSeries();
    const labelsOf = (metric: string) =>
      series.filter(({ name }) => name === metric).flatMap(({ labels }) => Object.keys(labels));
    const unknown = queries.flatMap(({ title, expr }) => {
      const { selectors, labels } = readPromql(expr);
      const inQuery = selectors.flatMap(({ metric }) => labelsOf(metric));
      return [
        ...labels.filter((label) => !inQuery.includes(label)),
        ...selectors.flatMap(({ metric, matchers }) =>
          matchers.map(({ label }) => label).filter((label) => !labelsOf(metric).includes(label)),
        ),
      ].map((label) => `${title}: ${label}`);
    });
    expect(unknown).toStrictEqual([]);
  });
});

describe.each(alerts)('$alert', ({ alert = '', for: duration, labels, annotations = {} }) => {
  it('has a severity, a duration, a summary, a description and a link to the runbook', () => {
    expect(labels).toStrictEqual({ severity: expect.stringMatching(/^(critical|warning)$/) });
    expect(duration).toMatch(/^\d+m$/);
    expect(annotations).toStrictEqual({
      summary: expect.stringMatching(/^[^{}]+\.$/),
      description: expect.stringMatching(/\.$/),
      runbook_url: `docs/operations/runbook.md#${alert.toLowerCase()}`,
    });
  });

  it('has an entry in the runbook', () => {
    expect(runbook.split('\n').filter((line) => line === `### ${alert}`)).toHaveLength(1);
  });

  it('has cases for promtool in which it fires and does not fire', () => {
    const cases = alertCases.filter(({ alertname }) => alertname === alert);
    expect(cases.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
    // One case of a healthy service, and one just below the threshold.
    expect(cases.filter(({ exp_alerts }) => exp_alerts.length === 0).length).toBeGreaterThan(1);
  });
});

it('the runbook has no entry for a removed alert', () => {
  const entries = [...runbook.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(entries).toStrictEqual(alerts.map(({ alert }) => alert));
});

describe('the dashboard', () => {
  it('has panels with an id, a title, a unit and a description each', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const titles = panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    const incomplete = panels.filter(
      ({ title, description, fieldConfig, targets = [] }) =>
        !(title && description?.endsWith('.') && fieldConfig?.defaults.unit && targets.length > 0),
    );
    expect(incomplete).toStrictEqual([]);
  });

  it('lays no panel over another', () => {
    const isOver = (a: (typeof panels)[number]['gridPos'], b: (typeof panels)[number]['gridPos']) =>
      a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    const overlaps = dashboard.panels.flatMap((one, n) =>
      dashboard.panels
        .slice(n + 1)
        .filter((other) => isOver(one.gridPos, other.gridPos))
        .map((other) => `${one.title} / ${other.title}`),
    );
    expect(overlaps).toStrictEqual([]);
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toStrictEqual([]);
  });

  it('queries the data source, jobs and replicas that its user chooses', () => {
    const { list } = dashboard.templating;
    expect(list.map(({ name }) => name)).toStrictEqual(['datasource', 'job', 'instance']);
    const uids = [...dashboardText.matchAll(/"uid": "([^"]*)"/g)].map(([, uid]) => uid);
    // The first one is the dashboard's own.
    expect([...new Set(uids)]).toStrictEqual(['oss-presign', expect.stringMatching(/^\$\{datasource\}$/)]);
    const fixed = panels.filter(({ targets = [] }) =>
      targets.some(({ expr }) => !expr.includes('job=~"$job", instance=~"$instance"')),
    );
    expect(fixed).toStrictEqual([]);
  });
});
