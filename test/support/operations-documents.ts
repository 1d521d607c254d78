import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const folder = new URL('../../docs/operations/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

export type Rule = {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

type AlertCase = { readonly alertname: string; readonly exp_alerts: readonly unknown[] };

export type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string }[];
};

export type Variable = { readonly name: string; readonly query: string | { readonly query: string } };

export const runbook = read('runbook.md');

export const rules: readonly Rule[] = parse(read('alerts.yaml')).groups.flatMap(
  ({ rules }: { readonly rules: readonly Rule[] }) => rules,
);
export const alerts = rules.filter((rule) => rule.alert !== undefined);

/** The cases of promtool, over all of its tests. */
export const alertCases: readonly AlertCase[] = parse(read('alerts.test.yaml')).tests.flatMap(
  ({ alert_rule_test }: { readonly alert_rule_test: readonly AlertCase[] }) => alert_rule_test,
);

export const dashboardText = read('dashboard.json');
export const dashboard: {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
} = JSON.parse(dashboardText);

/** The panels that show something, without the rows above them. */
export const panels = dashboard.panels.filter(({ type }) => type !== 'row');

/** Each query of the dashboard as Grafana would send it with every job and copy chosen. */
export const panelQueries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({
    title,
    expr: expr.replaceAll('$__rate_interval', '1m').replace(/\$(job|instance)\b/g, '.*'),
  })),
);
