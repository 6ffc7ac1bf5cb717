import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { ROOT } from '@tiltak/testing';
import { System } from './system.ts';

/** Alerts and dashboard ask for metrics that there are, and each alert tells what to do. */
interface Alert {
  alert: string;
  expr: string;
  annotations: { summary: string; runbook_url: string };
}

const read = (...path: string[]): string => readFileSync(join(ROOT, ...path), 'utf8');
const { spec } = parse(read('nais', 'alerts.yaml')) as { spec: { groups: { rules: Alert[] }[] } };
const alerts = spec.groups.flatMap(({ rules }) => rules);
const { panels } = JSON.parse(read('nais', 'dashboard.json')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};

/** Of the platform, not of the apps. */
const PLATFORM = /^kube_/;

let metrics: Set<string>;

beforeAll(async () => {
  const system = await System.create();
  try {
    const apps = [await system.startIngestor(), await system.startQueryApi()];
    const response = await Promise.all(
      apps.map(({ url }) => fetch(`${url}/internal/prometheus`).then((s) => s.text())),
    );
    const types = Array.from(response.join('\n').matchAll(/^# TYPE (\S+) (\S+)$/gm));
    metrics = new Set(
      types.flatMap(([, alertName = '', type]) =>
        type === 'histogram' ? [`${alertName}_bucket`, `${alertName}_sum`, `${alertName}_count`] : [alertName],
      ),
    );
  } finally {
    await system.stop();
  }
}, 60_000);

/** @throws when it is not PromQL */
function metricsIn(promql: string): string[] {
  const alertName: string[] = [];
  parser.parse(promql).iterate({
    enter: ({ name, from, to, type }) => {
      if (type.isError) throw new Error(`Not PromQL at ${String(from)}: ${promql}`);
      if (name === 'VectorSelector') alertName.push(/^\w+/.exec(promql.slice(from, to))?.[0] ?? '');
    },
  });
  return alertName;
}

const expression = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

test.each(expression)('%s asks for metrics that there are', (_, expr) => {
  const alertName = metricsIn(expr);
  expect(alertName).not.toEqual([]);
  expect(alertName.filter((metric) => !PLATFORM.test(metric) && !metrics.has(metric))).toEqual([]);
});

test('what is not PromQL, or asks for another metric, would be seen', () => {
  expect(() => metricsIn('sum by (app (x)')).toThrow('Not PromQL');
  expect(metricsIn('max by (app) (finnes_ikke{a="b"}) > 0')).toEqual(['finnes_ikke']);
  expect(metrics.has('finnes_ikke')).toBe(false);
});

test('the signals of docs/scaling.md are metrics that there are', () => {
  const named = read('docs', 'scaling.md').matchAll(/`((?:query|ingestor|db|http|nodejs)_\w+)`/g);
  const found = new Set(Array.from(named, ([, name = '']) => name));
  expect(found.size).toBeGreaterThan(5);
  expect([...found].filter((name) => !metrics.has(name) && !metrics.has(`${name}_bucket`))).toEqual([]);
});

test('each alert has a section that tells what to do, and each section an alert', () => {
  const [, section = ''] = read('docs', 'operations.md').split('\n## Alerts\n');
  const headings = Array.from(section.matchAll(/^### (\S+)$/gm), ([, alertName = '']) => alertName);
  expect(headings.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  for (const { alert, annotations } of alerts) {
    expect(annotations.runbook_url).toMatch(new RegExp(`/docs/operations\\.md#${alert.toLowerCase()}$`));
    expect(annotations.summary).not.toBe('');
  }
});
