import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { ROT } from '@tiltak/testing';
import { System } from './system.ts';

/** Alerts and dashboard ask for metrics that there are, and each alert tells what to do. */
interface Varsel {
  alert: string;
  expr: string;
  annotations: { summary: string; runbook_url: string };
}

const les = (...sti: string[]): string => readFileSync(join(ROT, ...sti), 'utf8');
const { spec } = parse(les('nais', 'varsler.yaml')) as { spec: { groups: { rules: Varsel[] }[] } };
const varsler = spec.groups.flatMap(({ rules }) => rules);
const { panels: paneler } = JSON.parse(les('nais', 'dashboard.json')) as {
  panels: { title: string; targets: { expr: string }[] }[];
};

/** Of the platform, not of the apps. */
const PLATTFORM = /^kube_/;

let metrikker: Set<string>;

beforeAll(async () => {
  const system = await System.lag();
  try {
    const apper = [await system.startIngestor(), await system.startQueryApi()];
    const svar = await Promise.all(apper.map(({ url }) => fetch(`${url}/internal/prometheus`).then((s) => s.text())));
    const typer = Array.from(svar.join('\n').matchAll(/^# TYPE (\S+) (\S+)$/gm));
    metrikker = new Set(
      typer.flatMap(([, navn = '', type]) =>
        type === 'histogram' ? [`${navn}_bucket`, `${navn}_sum`, `${navn}_count`] : [navn],
      ),
    );
  } finally {
    await system.stopp();
  }
}, 60_000);

/** @throws when it is not PromQL */
function metrikkerI(promql: string): string[] {
  const navn: string[] = [];
  parser.parse(promql).iterate({
    enter: ({ name, from, to, type }) => {
      if (type.isError) throw new Error(`Not PromQL at ${String(from)}: ${promql}`);
      if (name === 'VectorSelector') navn.push(/^\w+/.exec(promql.slice(from, to))?.[0] ?? '');
    },
  });
  return navn;
}

const uttrykk = [
  ...varsler.map(({ alert, expr }) => [alert, expr] as const),
  ...paneler.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

test.each(uttrykk)('%s asks for metrics that there are', (_, expr) => {
  const navn = metrikkerI(expr);
  expect(navn).not.toEqual([]);
  expect(navn.filter((metrikk) => !PLATTFORM.test(metrikk) && !metrikker.has(metrikk))).toEqual([]);
});

test('what is not PromQL, or asks for another metric, would be seen', () => {
  expect(() => metrikkerI('sum by (app (x)')).toThrow('Not PromQL');
  expect(metrikkerI('max by (app) (finnes_ikke{a="b"}) > 0')).toEqual(['finnes_ikke']);
  expect(metrikker.has('finnes_ikke')).toBe(false);
});

test('each alert has a section that tells what to do, and each section an alert', () => {
  const [, avsnitt = ''] = les('docs', 'drift.md').split('\n## Alerts\n');
  const overskrifter = Array.from(avsnitt.matchAll(/^### (\S+)$/gm), ([, navn = '']) => navn);
  expect(overskrifter.sort()).toEqual(varsler.map(({ alert }) => alert).sort());
  for (const { alert, annotations } of varsler) {
    expect(annotations.runbook_url).toMatch(new RegExp(`/docs/drift\\.md#${alert.toLowerCase()}$`));
    expect(annotations.summary).not.toBe('');
  }
});
