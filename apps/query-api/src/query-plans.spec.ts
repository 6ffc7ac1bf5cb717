import pg from 'pg';
import { readById, readByNumber, readVersions, searchAvtaler, type AvtaleFilter } from './avtaler/avtaler.queries.ts';
import { GRANTABLE_FIELDS, WHOLE_AVTALE } from './avtaler/avtaler.fields.ts';
import { Reader, type Statement } from './lookups/reader.ts';
import { readChanges, readLast } from './changes/changes.queries.ts';
import { readTiltak } from './personer/personer.queries.ts';
import { GROUPINGS } from './statistics/statistics.dto.ts';
import { countBy } from './statistics/statistics.queries.ts';
import { startTestApi, type TestApi } from './testing/test-api.ts';

/** Every kind of look-up finds its rows by an index, in a table large enough that it matters. */
let api: TestApi;
let pool: pg.Pool;

beforeAll(async () => {
  api = await startTestApi();
  await api.eier.query(`
    insert into avtale (avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, bedrift_navn, tiltakstype, avtale_status,
      avtale_inngaatt, start_dato, slutt_dato, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
    select gen_random_uuid(), n, lpad((n / 3)::text, 11, '0'), gen_random_uuid(), (910000000 + n / 20)::text, repeat('rad', 80),
      (array['ARBEIDSTRENING', 'MENTOR', 'SOMMERJOBB', 'VTAO'])[1 + n % 4],
      case when n % 1000 = 0 then 'AVBRUTT' else (array['GJENNOMFØRES', 'AVSLUTTET', 'ANNULLERT'])[1 + n % 3] end,
      now(), date '2020-01-01' + n % 2500, date '2020-06-01' + n % 2500, false, timestamptz '2020-01-01' + n * interval '1 minute', 0, n
    from generate_series(1, 60000) n`);
  await api.eier.query(`
    insert into relasjon select deltaker_id, avtale_id, 'samtidige', gen_random_uuid() from avtale, generate_series(1, 2)`);
  const common = `avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, avtale_status, avtale_inngaatt,
    start_dato, slutt_dato, feilregistrert, sist_endret, kilde_partisjon, kilde_offset`;
  await api.eier.query(`
    insert into avtale_versjon (${common}, avtrykk, laert)
    select ${common}, gen_random_uuid(), sist_endret from avtale, generate_series(1, 2)`);
  await api.eier.query('analyze avtale, avtale_versjon, relasjon');
  const { host, port, database, queryApi } = api.database;
  pool = new pg.Pool({ host, port, database, user: queryApi.username, password: queryApi.password });
}, 60_000);
afterAll(async () => {
  await pool.end();
  await api.stop();
});

/** Asks for the plan instead of the rows. */
class Planner extends Reader {
  plan = '';
  override async query<T extends pg.QueryResultRow>({ text }: Statement, values: unknown[]): Promise<T[]> {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
    this.plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    return [];
  }
}

async function plan(lookup: (reading: Reader) => Promise<unknown>): Promise<string> {
  const planner = new Planner(pool, 1);
  await lookup(planner);
  return planner.plan;
}

const idents = ['00000000001'];
const page = { antall: 101 };
const SEARCH: [string, AvtaleFilter][] = [
  ['nothing', {}],
  ['a person', { personidenter: idents }],
  ['a thousand persons', { personidenter: Array.from({ length: 1_000 }, (_, n) => String(n).padStart(11, '0')) }],
  ['a participant', { deltakerId: '00000000-0000-4000-8000-000000000000' }],
  ['an employer', { bedriftsnumre: ['910000001'] }],
  [
    'a thousand avtaler',
    {
      avtaleIder: Array.from({ length: 1_000 }, (_, n) => `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`),
    },
  ],
  ['a kind', { tiltakstyper: ['MENTOR'] }],
  ['a status', { statuser: ['GJENNOMFORES'] }],
  ['a rare status', { statuser: ['AVBRUTT'] }],
  ['a status unknown today', { statuser: ['UKJENT'] }],
  ['an early period', { periode: { fra: '2020-01-01', til: '2020-01-02' } }],
  ['a late period', { periode: { fra: '2027-01-01', til: '2027-01-02' } }],
  ['changed lately', { endretEtter: '2020-02-10T00:00:00Z' }],
  [
    'much at once',
    { personidenter: idents, statuser: ['AVSLUTTET'], periode: { fra: '2020-01-01', til: '2026-01-01' } },
  ],
];

test.each(SEARCH)('a search for %s, from the first page and from a later', async (_, filter) => {
  for (const after of [undefined, '80000000-0000-4000-8000-000000000000']) {
    const found = await plan((reading) => searchAvtaler(reading, filter, WHOLE_AVTALE, { ...page, etter: after }));
    expect(found).toMatch(/Index|Bitmap/);
    expect(found).not.toContain('Seq Scan');
  }
});

test.each(SEARCH)('a search for %s, as it was known before', async (_, filter) => {
  const da = { ...filter, gjeldendePer: '2026-01-01T00:00:00Z' };
  expect(await plan((reading) => searchAvtaler(reading, da, GRANTABLE_FIELDS, page))).not.toMatch(/Seq Scan on avtale/);
});

test('the history of an avtale', async () => {
  const history = (reading: Reader): Promise<unknown> =>
    readVersions(reading, '00000000-0000-4000-8000-000000000000', { etter: '0', antall: 101 });
  expect(await plan(history)).not.toContain('Seq Scan');
});

test('a look-up by person, id or number', async () => {
  for (const lookup of [
    (reading: Reader) => readTiltak(reading, idents, { dato: '2022-01-01' }),
    (reading: Reader) => readTiltak(reading, idents, { dato: '2022-01-01', gjeldendePer: '2026-01-01T00:00:00Z' }),
    (reading: Reader) => readById(reading, '00000000-0000-4000-8000-000000000000', WHOLE_AVTALE),
    (reading: Reader) => readByNumber(reading, 1, WHOLE_AVTALE),
  ]) {
    expect(await plan(lookup)).not.toContain('Seq Scan');
  }
});

test('a page of the change feed, and its end', async () => {
  await api.eier.query(`
    insert into endring (tx, avtale_id, type)
    select (n / 10 + 3)::text::xid8, gen_random_uuid(), 'ENDRET' from generate_series(1, 60000) n`);
  await api.eier.query('analyze endring');
  for (const lookup of [
    (reading: Reader) => readChanges(reading, { tx: 100n, sequenceNumber: 1n }, 100),
    (reading: Reader) => readLast(reading),
  ]) {
    expect(await plan(lookup)).not.toContain('Seq Scan');
  }
});

test.each(GROUPINGS)('statistics per %s are counted in an index', async (per) => {
  await api.eier.query('vacuum avtale');
  expect(await plan((reading) => countBy(reading, per))).toMatch(/Index Only Scan/);
});

test('only the columns of the answer are read', async () => {
  const wasRead: string[] = [];
  class Listener extends Reader {
    override query<T extends pg.QueryResultRow>({ text }: Statement): Promise<T[]> {
      wasRead.push(text);
      return Promise.resolve([]);
    }
  }
  await readTiltak(new Listener(pool, 1), idents, { dato: '2022-01-01' });
  await searchAvtaler(new Listener(pool, 1), {}, ['avtaleId', 'startDato'], page);
  expect(wasRead[0]).toMatch(/select deltaker_fnr, tiltakstype, avtale_status, start_dato, slutt_dato\s+from/);
  expect(wasRead[1]).toMatch(/^select avtale_id, start_dato from/);
});
