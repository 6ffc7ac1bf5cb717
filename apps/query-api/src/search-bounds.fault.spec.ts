import pg from 'pg';
import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import type { AvtaleFilter } from './avtaler/avtaler.filter.ts';
import { WHOLE_AVTALE } from './avtaler/avtaler.fields.ts';
import { searchQuery } from './avtaler/avtaler.queries.ts';
import { QUERIES } from './graphql/graphql.queries.ts';
import { narrowed } from './lookups/narrowed.ts';
import type { Query } from './lookups/statement.ts';
import { fillSkewed, filterValues, readsOf } from './testing/skewed-avtaler.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';

/** Every combination of filters that the document allows, among a million avtaler: what a page costs is bounded. */
const COUNT = 1_000_000;
/** Of a few: one of many may look at more. */
const SIZE = 7;
const LATER = '80000000-0000-4000-8000-000000000000';
let api: TestApi;
let db: pg.Client;
let values: ReturnType<typeof filterValues>;

beforeAll(async () => {
  api = await startTestApi();
  await fillSkewed(api.owner, COUNT);
  const rows = await api.owner.query<{ avtale_id: string; deltaker_id: string }[]>(
    'select avtale_id, deltaker_id from avtale_synlig order by avtale_id limit 1000',
  );
  values = filterValues(
    rows.map((row) => row.avtale_id),
    rows[0]?.deltaker_id ?? '',
  );
  const { host, port, database, queryApi } = api.database;
  db = new pg.Client({ host, port, database, user: queryApi.username, password: queryApi.password });
  await db.connect();
}, 3_600_000);
afterAll(async () => {
  await db.end();
  await api.stop();
});

const BROAD = ['bedriftsnumre', 'tiltakstyper', 'statuser', 'faser', 'periode', 'endretEtter', 'gjeldendePer'] as const;

/** Each filter left out, and with each of its values. */
function* combinations(names: readonly (keyof AvtaleFilter)[]): Generator<AvtaleFilter> {
  const [name, ...others] = names;
  if (name === undefined) return yield {};
  for (const filter of combinations(others)) {
    yield filter;
    for (const value of values[name]) yield { ...filter, [name]: value };
  }
}

/** What was read for the pages, against what was answered; the worst first. */
class Costs {
  private readonly measured: { share: number; ms: number; told: string }[] = [];

  async add<Row extends pg.QueryResultRow>(what: unknown, query: Query<Row>, size = SIZE): Promise<void> {
    const { read, rows, ms } = await readsOf(db, query);
    const share = read / (20 * Math.min(rows, size) + 1_000);
    this.measured.push({
      share,
      ms,
      told: `${JSON.stringify(what)}: ${String(read)} read, ${String(rows)} found, ${String(ms)} ms`,
    });
  }

  expectBounded(): void {
    const worst = this.measured.toSorted((a, b) => b.share - a.share).slice(0, 5);
    const slowest = this.measured.toSorted((a, b) => b.ms - a.ms).slice(0, 5);
    console.log(`${String(this.measured.length)} pages. ${[...worst, ...slowest].map(({ told }) => told).join('\n')}`);
    expect(worst.filter(({ share }) => share > 1)).toEqual([]);
    expect(slowest.filter(({ ms }) => ms > 1_000)).toEqual([]);
  }
}

test('a first page and a later one, of every combination of filters', async () => {
  const costs = new Costs();
  for (const filter of combinations(BROAD)) {
    const selection = filter.gjeldendePer === undefined ? WHOLE_AVTALE : GRANTABLE_FIELDS;
    for (const after of [undefined, LATER])
      await costs.add([filter, after], searchQuery(filter, selection, { after, limit: SIZE + 1 }));
  }
  costs.expectBounded();
}, 3_600_000);

test('a page of the largest size that few match, of every combination of filters, takes less than a second', async () => {
  const slowest: [number, unknown][] = [];
  for (const filter of combinations(BROAD)) {
    const selection = filter.gjeldendePer === undefined ? WHOLE_AVTALE : GRANTABLE_FIELDS;
    const { ms } = await readsOf(db, searchQuery(filter, selection, { limit: 1_001 }));
    slowest.push([ms, filter]);
  }
  slowest.sort(([a], [b]) => b - a);
  console.log(slowest.slice(0, 5));
  expect(slowest.filter(([ms]) => ms > 1_000)).toEqual([]);
}, 3_600_000);

test('what names persons or avtaler, with every other filter', async () => {
  const costs = new Costs();
  for (const name of ['personidenter', 'deltakerId', 'avtaleIder'] as const) {
    for (const filter of combinations([name, 'tiltakstyper', 'faser', 'gjeldendePer'])) {
      if (filter[name] === undefined) continue;
      const selection = filter.gjeldendePer === undefined ? WHOLE_AVTALE : GRANTABLE_FIELDS;
      await costs.add(filter, searchQuery(filter, selection, { limit: SIZE + 1 }));
    }
  }
  costs.expectBounded();
}, 3_600_000);

test('a purpose that is held to a kind, and GraphQL', async () => {
  const costs = new Costs();
  const kinds = { published: ['VTAO' as const], stored: ['VTAO'] };
  for (const filter of combinations(['bedriftsnumre', 'statuser', 'faser', 'periode', 'gjeldendePer'])) {
    const selection = filter.gjeldendePer === undefined ? WHOLE_AVTALE : GRANTABLE_FIELDS;
    const query = searchQuery({ ...filter, tiltakstyper: ['VTAO'] }, selection, { limit: SIZE + 1 });
    await costs.add([filter, 'utvalg'], narrowed(query, kinds));
  }
  for (const dialect of ['ny', 'gammel'] as const) {
    for (const filter of [
      { tiltakstyper: ['VTAO'] },
      { statuser: ['AVBRUTT'] },
      { statuser: ['AVSLUTTET'] },
    ] as const) {
      const limit = 10_001;
      await costs.add([filter, dialect], QUERIES[dialect].search(filter as never, ['avtaleId'], { limit }), limit);
    }
  }
  costs.expectBounded();
}, 3_600_000);
