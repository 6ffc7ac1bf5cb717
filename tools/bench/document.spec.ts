import { BENCHMARKS } from './catalogue.ts';
import { benchmarkPage, isReached, pageText, readPage, readScalingPage, scalingPage } from './document.ts';
import { Findings, readResults, toResult, withEarlierSizes, type Result, type RunOptions } from './results.ts';
import { scalingFigures } from './scaling-figures.ts';

const OPTIONS: RunOptions = { rounds: 3, seconds: 30, rateSeconds: 10, count: undefined, short: false, trial: false };

function resultOf(values: Record<string, number>[], troubles: string[] = []): Result {
  const findings = new Findings({ messages: 100_000 });
  findings.add('', { values, troubles, conditions: [{ seconds: 10, others: 0.02, steal: 0 }], thrownAway: 1 });
  return toResult(findings, OPTIONS);
}

const ROUNDS = [21_034.7, 18_000, 25_000].map((perSecond) => ({ perSecond, ratio: 0.5, 'cpu.ingestor': 50.123 }));

/** The lines of a benchmark's section that begin with this. */
function linesOf(results: Record<string, Result>, title: string, start: string): string[] {
  const section =
    pageText(results)
      .split('\n## ')
      .find((text) => text.startsWith(`${title}\n`)) ?? '';
  return section.split('\n').filter((line) => line.startsWith(start));
}

const cells = (line = ''): string[] => line.split('|').map((cell) => cell.trim());

test('docs/benchmarks.md is what the results say; else: npm run bench -- dokument', async () => {
  expect(readPage()).toBe(await benchmarkPage());
});

test('the figures of docs/scaling.md are what the results say; else: npm run bench -- dokument', async () => {
  expect(readScalingPage()).toBe(await scalingPage());
  const one = { ...resultOf([]), figures: { '': { 'cpu.ingestor': [50], 'cpu.postgres': [40, 20, 30] } } };
  const figures = scalingFigures({ ingest: one });
  expect(figures).toContain('| messages that one core of ingestor stores | 20,000 | ingest |');
  expect(figures).toContain('| messages that one core of Postgres carries | 33,000 | ingest |');
  expect(figures).toContain('| cores of the query-api for them | not measured | folgere |');
});

test('each result is of a benchmark that there is, and holds figures that it tells of', () => {
  const unknown = Object.entries(readResults()).flatMap(([name, { figures }]) => {
    const benchmark = BENCHMARKS.find((known) => known.name === name);
    return Object.keys(figures).filter(
      (found) => benchmark?.bySize === undefined && !benchmark?.cases.some((known) => known.name === found),
    );
  });
  expect(unknown).toEqual([]);
  expect(new Set(BENCHMARKS.map(({ name }) => name)).size).toBe(BENCHMARKS.length);
});

test('a figure is the median of its rounds, against its goal', () => {
  const results = { ingest: resultOf(ROUNDS) };
  const [messages] = linesOf(results, 'A backlog', '| messages, /s');
  expect(cells(messages).slice(1, 5)).toEqual(['messages, /s', '≥ 20,000', '**21,030**', '21,030 · 18,000 · 25,000']);
  const [cpu] = linesOf(results, 'A backlog', '| CPU of the ingestor');
  expect(cells(cpu)[3]).toBe('**50.1, not reached**');
  const [memory] = linesOf(results, 'A backlog', '| most memory');
  expect(cells(memory)[3]).toBe('not measured');
});

test('on a disturbed machine it says so in place of rates and ratios, and tells the CPU time', () => {
  const results = { ingest: resultOf(ROUNDS, ['round 2: others used 0.50 cores']) };
  for (const start of ['| messages', '| of the limit']) {
    const [line] = linesOf(results, 'A backlog', start);
    expect(cells(line).slice(3, 5)).toEqual(['disturbed', '']);
  }
  const [cpu] = linesOf(results, 'A backlog', '| CPU of the ingestor');
  expect(cells(cpu)[3]).toBe('**50.1, not reached**');
  const page = pageText(results);
  expect(page).toContain('**Disturbed**: round 2: others used 0.50 cores.');
});

test('what is disturbed is one case, and not the others of its benchmark', () => {
  const findings = new Findings({});
  const values = [{ perSecond: 5_000 }];
  const quiet = { values, troubles: [], conditions: [], thrownAway: 0 };
  findings.add('sok, 32 connections', { ...quiet, troubles: ['a', 'b', 'c', 'd', 'e'] });
  findings.add('sok, 256 connections', quiet);
  const results = { query: toResult(findings, OPTIONS) };
  const lines = linesOf(results, 'Look-ups of one person', '| look-ups').map((line) => cells(line)[3]);
  expect(lines).toEqual(['not measured', 'not measured', 'disturbed', '**5,000**']);
  expect(pageText(results)).toContain('**Disturbed**: a; b; c; and 2 more.');
});

test('sizes stand beside each other, each figure against its goal, and what takes disk in tables of its own', () => {
  const findings = new Findings({});
  const quiet = { troubles: [], conditions: [], thrownAway: 0 };
  findings.add('100,000 avtaler', {
    ...quiet,
    values: [
      { gigabytesPerMillion: 3, 'sok.p99': 5, 'memory.ingestor': 200, 'table.avtale': 500, 'index.avtale_pkey': 40 },
    ],
  });
  const values = [{ gigabytesPerMillion: 5, 'sok.p99': 6, 'memory.ingestor': 210, 'table.avtale': 510 }];
  findings.add('1,000,000 avtaler', { ...quiet, troubles: ['noise'], values });
  findings.add('10,000,000 avtaler', { ...quiet, values: [{ 'sok.p99': 8 }] });
  const results = { vekst: toResult(findings, OPTIONS) };
  const rowOf = (start: string): string[] => cells(linesOf(results, 'Growth', start)[0]).slice(2, -1);
  expect(rowOf('| disk of a million')).toEqual(['≤ 4', '**3**', '**5, not reached**', 'not measured']);
  expect(rowOf('| `sok`, p99, of the smallest')).toEqual([
    '≤ 1.3',
    'not measured',
    'disturbed',
    '**1.6, not reached**',
  ]);
  expect(rowOf('| memory of the ingestor, of the smallest')).toEqual([
    '≤ 1.1',
    'not measured',
    '**1.05**',
    'not measured',
  ]);
  expect(rowOf('| `avtale` ')).toEqual(['**500**', '**510**', 'not measured']);
  expect(rowOf('| `avtale_pkey` ')).toEqual(['**40**', 'not measured', 'not measured']);
});

test('a size that only an earlier run of the same machine has is kept, and said to be of that run', () => {
  const run = (sizes: Record<string, string[]>, commit: string): Result => {
    const findings = new Findings({});
    for (const [name, troubles] of Object.entries(sizes))
      findings.add(name, { troubles, conditions: [], thrownAway: 0, values: [{ 'sok.p99': 7 }] });
    return { ...toResult(findings, OPTIONS), measured: '2026-11-01T00:00:00Z', commit };
  };
  const [small, large] = ['100,000 avtaler', '10,000,000 avtaler'];
  const first = run({ [small]: ['noise'], '1,000,000 avtaler': [], [large]: ['late'] }, 'a');
  const second = withEarlierSizes(run({ [small]: [] }, 'b'), first);
  const both = withEarlierSizes(run({ '1,000,000 avtaler': [] }, 'c'), second);
  expect(Object.keys(both.figures)).toEqual([small, '1,000,000 avtaler', large]);
  expect(both.troubles).toEqual({ [large]: ['late'] });
  expect(Object.entries(both.earlier ?? {}).map(([size, { commit }]) => [size, commit])).toEqual([
    [small, 'b'],
    [large, 'a'],
  ]);
  expect(pageText({ vekst: both })).toContain(`${large} are of an earlier run, 2026-11-01, commit a.`);
  const elsewhere = { ...first, machine: { ...first.machine, cores: first.machine.cores + 1 } };
  expect(Object.keys(withEarlierSizes(run({ [small]: [] }, 'd'), elsewhere).figures)).toEqual([small]);
});

test('what was not measured says so, and so does a short run', () => {
  expect(pageText({}).match(/^Not measured\.$/gm)).toHaveLength(BENCHMARKS.length);
  const page = pageText({ ingest: { ...resultOf(ROUNDS), short: true } });
  expect(page).toContain('**A short run');
});

test.each([
  [{ atLeast: 2 }, 2, true],
  [{ atLeast: 2 }, 1.99, false],
  [{ atMost: 0 }, 0, true],
  [{ atMost: 0 }, 1, false],
  [{ atMost: 5 }, Number.NaN, false],
])('%j of %d: %s', (goal, value, reached) => expect(isReached(goal, value)).toBe(reached));
