import pg from 'pg';
import { hentMedId, hentMedNummer, hentVersjoner, sok, type Sokefilter } from './avtaler/avtaler.queries.ts';
import { FELTER, HEL_AVTALE } from './avtaler/felter.ts';
import { Lesing, type Sporring } from './database/lesing.ts';
import { hentEndringer, hentSiste } from './endringer/endringer.queries.ts';
import { hentTiltak } from './personer/personer.queries.ts';
import { INNDELINGER } from './statistikk/statistikk.dto.ts';
import { tell } from './statistikk/statistikk.queries.ts';
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
  const felles = `avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, avtale_status, avtale_inngaatt,
    start_dato, slutt_dato, feilregistrert, sist_endret, kilde_partisjon, kilde_offset`;
  await api.eier.query(`
    insert into avtale_versjon (${felles}, avtrykk, laert)
    select ${felles}, gen_random_uuid(), sist_endret from avtale, generate_series(1, 2)`);
  await api.eier.query('analyze avtale, avtale_versjon, relasjon');
  const { host, port, database, queryApi } = api.database;
  pool = new pg.Pool({ host, port, database, user: queryApi.username, password: queryApi.password });
}, 60_000);
afterAll(async () => {
  await pool.end();
  await api.stopp();
});

/** Asks for the plan instead of the rows. */
class Planlegger extends Lesing {
  plan = '';
  override async hent<T extends pg.QueryResultRow>({ text }: Sporring, values: unknown[]): Promise<T[]> {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
    this.plan = rows.map((rad) => rad['QUERY PLAN']).join('\n');
    return [];
  }
}

async function plan(oppslag: (lesing: Lesing) => Promise<unknown>): Promise<string> {
  const planlegger = new Planlegger(pool, 1);
  await oppslag(planlegger);
  return planlegger.plan;
}

const identer = ['00000000001'];
const side = { antall: 101 };
const SOK: [string, Sokefilter][] = [
  ['nothing', {}],
  ['a person', { personidenter: identer }],
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
    { personidenter: identer, statuser: ['AVSLUTTET'], periode: { fra: '2020-01-01', til: '2026-01-01' } },
  ],
];

test.each(SOK)('a search for %s, from the first page and from a later', async (_, filter) => {
  for (const etter of [undefined, '80000000-0000-4000-8000-000000000000']) {
    const funnet = await plan((lesing) => sok(lesing, filter, HEL_AVTALE, { ...side, etter }));
    expect(funnet).toMatch(/Index|Bitmap/);
    expect(funnet).not.toContain('Seq Scan');
  }
});

test.each(SOK)('a search for %s, as it was known before', async (_, filter) => {
  const da = { ...filter, gjeldendePer: '2026-01-01T00:00:00Z' };
  expect(await plan((lesing) => sok(lesing, da, FELTER, side))).not.toMatch(/Seq Scan on avtale/);
});

test('the history of an avtale', async () => {
  const historikk = (lesing: Lesing): Promise<unknown> =>
    hentVersjoner(lesing, '00000000-0000-4000-8000-000000000000', { etter: '0', antall: 101 });
  expect(await plan(historikk)).not.toContain('Seq Scan');
});

test('a look-up by person, id or number', async () => {
  for (const oppslag of [
    (lesing: Lesing) => hentTiltak(lesing, identer, { dato: '2022-01-01' }),
    (lesing: Lesing) => hentTiltak(lesing, identer, { dato: '2022-01-01', gjeldendePer: '2026-01-01T00:00:00Z' }),
    (lesing: Lesing) => hentMedId(lesing, '00000000-0000-4000-8000-000000000000', HEL_AVTALE),
    (lesing: Lesing) => hentMedNummer(lesing, 1, HEL_AVTALE),
  ]) {
    expect(await plan(oppslag)).not.toContain('Seq Scan');
  }
});

test('a page of the change feed, and its end', async () => {
  await api.eier.query(`
    insert into endring (tx, avtale_id, type)
    select (n / 10 + 3)::text::xid8, gen_random_uuid(), 'ENDRET' from generate_series(1, 60000) n`);
  await api.eier.query('analyze endring');
  for (const oppslag of [
    (lesing: Lesing) => hentEndringer(lesing, { tx: 100n, lopenr: 1n }, 100),
    (lesing: Lesing) => hentSiste(lesing),
  ]) {
    expect(await plan(oppslag)).not.toContain('Seq Scan');
  }
});

test.each(INNDELINGER)('statistics per %s are counted in an index', async (per) => {
  await api.eier.query('vacuum avtale');
  expect(await plan((lesing) => tell(lesing, per))).toMatch(/Index Only Scan/);
});

test('only the columns of the answer are read', async () => {
  const lest: string[] = [];
  class Lytter extends Lesing {
    override hent<T extends pg.QueryResultRow>({ text }: Sporring): Promise<T[]> {
      lest.push(text);
      return Promise.resolve([]);
    }
  }
  await hentTiltak(new Lytter(pool, 1), identer, { dato: '2022-01-01' });
  await sok(new Lytter(pool, 1), {}, ['avtaleId', 'startDato'], side);
  expect(lest[0]).toMatch(/select deltaker_fnr, tiltakstype, avtale_status, start_dato, slutt_dato\s+from/);
  expect(lest[1]).toMatch(/^select avtale_id, start_dato from/);
});
