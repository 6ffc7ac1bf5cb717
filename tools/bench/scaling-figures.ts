import { median } from './measuring/statistics.ts';
import type { Result } from './results.ts';

export const FIGURES_START =
  '<!-- Made by npm run bench -- dokument from docs/benchmarks; no figure here is typed. -->';
export const FIGURES_END = '<!-- The end of it. -->';

/** A page with the figures of the results in their place. */
export function withFigures(page: string, results: Record<string, Result>): string {
  const [from, to] = [page.indexOf(FIGURES_START), page.indexOf(FIGURES_END)];
  if (from < 0 || to < from) throw new Error('The page has no place for the figures');
  return `${page.slice(0, from)}${FIGURES_START}\n\n${scalingFigures(results)}\n\n${page.slice(to)}`;
}

/** What a core carries, and what each process more costs, as a table. */
export function scalingFigures(results: Record<string, Result>): string {
  const of = (name: string, inCase: string, id: string): number | undefined => {
    const rounds = results[name]?.figures[inCase]?.[id];
    return rounds && rounds.length > 0 ? median(rounds) : undefined;
  };
  const lookups = 'tiltaksstatus, 256 connections';
  const scaled = (inCase: string, id: string): number | undefined => of('skalering', inCase, id);
  const rows: [string, string, string][] = [
    ['look-ups that one core of query-api answers', perSecond(of('query', lookups, 'cpu.query-api')), 'query'],
    ['look-ups that one core of Postgres carries', perSecond(of('query', lookups, 'cpu.postgres')), 'query'],
    ['messages that one core of ingestor stores', perSecond(of('ingest', '', 'cpu.ingestor')), 'ingest'],
    ['messages that one core of Postgres carries', perSecond(of('ingest', '', 'cpu.postgres')), 'ingest'],
    ['cores of Postgres for 1,000 who follow the feed', shown(of('folgere', '', 'cores.postgres')), 'folgere'],
    ['cores of the query-api for them', shown(of('folgere', '', 'cores.query-api')), 'folgere'],
    ...(['two', 'four'] as const).flatMap((many): [string, string, string][] => [
      [
        `a look-up with ${many} query-apis, of what it costs with one`,
        shown(scaled(`${many}, of one`, 'lookup')),
        'skalering',
      ],
      [`the same at 50 a second for each`, shown(scaled(`${many}, of one`, 'even')), 'skalering'],
      [
        `a message with ${many} ingestors, of what it costs with one`,
        shown(scaled(`${many}, of one`, 'message')),
        'skalering',
      ],
    ]),
    ...(
      [
        ['ms of CPU a second that a query-api needs while nothing is asked', 'idle.query-api'],
        ['the same of Postgres, for each query-api', 'idle.postgres'],
        ['the same of Postgres, for each query-api that has followers', 'following.postgres'],
        ['the same of Postgres, for each ingestor while nothing comes', 'idleIngestors.postgres'],
      ] as const
    ).map(([what, id]): [string, string, string] => [what, shown(scaled('four', id)), 'skalering']),
    ...sizesOfServer(results['vekst']),
  ];
  const cells = [['what', 'measured', 'by `npm run bench --`'], ['---', '---', '---'], ...rows];
  return cells.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** Of the largest size that was measured. */
function sizesOfServer(growth: Result | undefined): [string, string, string][] {
  const largest = Object.values(growth?.figures ?? {}).at(-1) ?? {};
  const megabytes = (...prefixes: string[]): number =>
    Object.entries(largest)
      .filter(([id]) => prefixes.some((prefix) => id.startsWith(prefix)))
      .reduce((sum, [, rounds]) => sum + median(rounds), 0);
  const lookups = megabytes('table.avtale', 'index.avtale_') - megabytes('table.avtale_', 'index.avtale_versjon_');
  const changes = lookups + megabytes('table.relasjon', 'index.relasjon_', 'index.avtale_versjon_');
  const rows = [
    ['MB of a million avtaler, all of it', megabytes('table.', 'index.')],
    ['the same, that look-ups read', lookups],
    ['the same, that look-ups and changes touch', changes],
  ] as const;
  return rows.map(([what, bytes]) => [what, shown(bytes || undefined), 'vekst']);
}

/** Of so many µs of CPU for each. */
function perSecond(micros: number | undefined): string {
  return shown(micros === undefined ? undefined : 1e6 / micros);
}

/** Two digits that mean something: nobody plans by more. */
function shown(number: number | undefined): string {
  if (number === undefined || Number.isNaN(number)) return 'not measured';
  return Number(number.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: 3 });
}
