import pg from 'pg';
import { GRANTABLE_FIELDS } from '@tiltak/avtale';
import type { AvtaleFilter } from './avtaler/avtaler.filter.ts';
import { byIdQuery, byNumberQuery, searchQuery, versionsQuery } from './avtaler/avtaler.queries.ts';
import { WHOLE_AVTALE, type Selection } from './avtaler/avtaler.fields.ts';
import { QUERIES } from './graphql/graphql.queries.ts';
import { AVTALER_FEED, changesQuery } from './changes/changes.queries.ts';
import { asStored, withMoment } from './lookups/reader.ts';
import type { Query } from './lookups/statement.ts';
import { tiltakQuery } from './personer/personer.queries.ts';
import { GROUPINGS } from './statistics/statistics.dto.ts';
import { feedQuery } from './subscriptions/subscription-feed.queries.ts';
import { afterTransaction, startAt } from './subscriptions/subscription-place.ts';
import { figuresQuery } from './statistics/statistics.queries.ts';
import { readsOf } from './testing/skewed-avtaler.ts';
import { deltakerId, startTestApi, type TestApi } from './testing/test-api.ts';

/** Every kind of look-up finds its rows by an index, in a table large enough that it matters. */
let api: TestApi;
let pool: pg.Pool;

beforeAll(async () => {
  api = await startTestApi();
  await api.owner.query(`
    insert into avtale (avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, bedrift_navn, tiltakstype, avtale_status,
      avtale_inngaatt, start_dato, slutt_dato, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
    select gen_random_uuid(), n, lpad((n / 3)::text, 11, '0'), gen_random_uuid(), (910000000 + n / 20)::text, repeat('rad', 80),
      (array['ARBEIDSTRENING', 'MENTOR', 'SOMMERJOBB', 'VTAO'])[1 + n % 4],
      case when n % 1000 = 0 then 'AVBRUTT' else (array['GJENNOMFØRES', 'AVSLUTTET', 'ANNULLERT'])[1 + n % 3] end,
      now(), date '2020-01-01' + n % 2500, date '2020-06-01' + n % 2500, false, timestamptz '2020-01-01' + n * interval '1 minute', 0, n
    from generate_series(1, 60000) n`);
  await api.owner.query(`
    insert into relasjon select deltaker_id, avtale_id, 'samtidige', gen_random_uuid() from avtale, generate_series(1, 2)`);
  const common = `avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, avtale_status, avtale_inngaatt,
    start_dato, slutt_dato, feilregistrert, sist_endret, kilde_partisjon, kilde_offset`;
  await api.owner.query(`
    insert into avtale_versjon (${common}, avtrykk, laert)
    select ${common}, gen_random_uuid(), sist_endret from avtale, generate_series(1, 2)`);
  // Every employer, and above each twenty of them a unit.
  await api.owner.query(`
    insert into virksomhet (organisasjonsnummer, overordnet_enhet, hovedenhet, kilde_epoke, kilde_partisjon, kilde_offset)
    select (910000000 + n)::text, (920000000 + n / 20)::text,
      case when n < 500 then '930000000' else (920000000 + n / 20)::text end, 0, 0, n from generate_series(0, 3000) n
    union all select (920000000 + n)::text, '930000000', '930000000', 0, 0, n from generate_series(0, 24) n`);
  await api.owner.query('analyze avtale, avtale_versjon, relasjon, virksomhet');
  const { host, port, database, queryApi } = api.database;
  pool = new pg.Pool({ host, port, database, user: queryApi.username, password: queryApi.password });
}, 180_000);
afterAll(async () => {
  await pool.end();
  await api.stop();
});

/** How the database would go about it. */
async function plan<Row extends pg.QueryResultRow>({ statement, values }: Query<Row>): Promise<string> {
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `explain ${withMoment(statement).text}`,
    asStored(values, deltakerId),
  );
  // Of the moment, which has a row for each partition.
  return rows
    .map((row) => row['QUERY PLAN'])
    .join('\n')
    .replaceAll(/Seq Scan on ((konsum|ressurs)_status)/g, '$1');
}

const idents = ['00000000001'];
/** A unit above 25 units with twenty establishments each. */
const MANY = '930000000';
/** Of a few: one of many may look at more. */
const page = { limit: 8 };
const SEARCH: [string, AvtaleFilter][] = [
  ['nothing', {}],
  ['a person', { personidenter: idents }],
  ['a thousand persons', { personidenter: Array.from({ length: 1_000 }, (_, n) => String(n).padStart(11, '0')) }],
  ['a participant', { deltakerId: '00000000-0000-4000-8000-000000000000' }],
  ['an employer', { bedriftsnumre: ['910000001'] }],
  ['a unit with twenty establishments', { hovedenhet: '920000100' }],
  ['a unit with five hundred', { hovedenhet: MANY }],
  ['a kind below such a unit', { hovedenhet: MANY, tiltakstyper: ['MENTOR'] }],
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
  ['a period without end', { periode: { fra: '2027-01-01' } }],
  ['a period without beginning', { periode: { til: '2020-01-02' } }],
  ['changed lately', { endretEtter: '2020-02-10T00:00:00Z' }],
  [
    'much at once',
    { personidenter: idents, statuser: ['AVSLUTTET'], periode: { fra: '2020-01-01', til: '2026-01-01' } },
  ],
];

const PHASES: [string, AvtaleFilter][] = [
  ['a common phase', { faser: ['AVSLUTTET', 'PAAGAAR'] }],
  ['the phase of those who are there', { faser: ['PAAGAAR'] }],
  ['a rare phase, on a day', { faser: ['IKKE_INNGAATT_PAA_NYTT'], faseDato: '2022-01-01' }],
  ['those who are to come', { faser: ['PLANLAGT'], faseDato: '2026-01-01' }],
];

/** Rows read against rows answered; `avtaler/search.spec.ts` has all combinations, and a million are in `search-bounds.fault.spec.ts`. */
async function expectFewRead(filter: AvtaleFilter, selection: readonly Selection[], after?: string): Promise<void> {
  const db = await pool.connect();
  try {
    const { read, rows, text } = await readsOf(db, searchQuery(filter, selection, { ...page, after }));
    // Of many establishments, eight for each, and more where each first avtale is found in the history.
    const besides = filter.hovedenhet === MANY ? 12 * 526 : 1_000;
    const atMost = 20 * Math.min(rows, page.limit - 1) + besides;
    expect([read <= atMost, read > atMost && text]).toEqual([true, false]);
    expect(text).not.toMatch(/"Seq Scan",(?:(?!"Plans"|Seq Scan)[^}])*"Relation Name": "avtale/);
  } finally {
    db.release(true);
  }
}

test.each([...SEARCH, ...PHASES])('a search for %s, from the first page and from a later', async (_, filter) => {
  for (const after of [undefined, '80000000-0000-4000-8000-000000000000'])
    await expectFewRead(filter, WHOLE_AVTALE, after);
});

test.each(SEARCH)('a search for %s, as it was known before', async (_, filter) => {
  await expectFewRead({ ...filter, gjeldendePer: '2026-01-01T00:00:00Z' }, GRANTABLE_FIELDS);
});

test('the history of an avtale', async () => {
  const history = versionsQuery('00000000-0000-4000-8000-000000000000', GRANTABLE_FIELDS, { after: '0', limit: 101 });
  expect(await plan(history)).not.toContain('Seq Scan');
});

test('a look-up by person, id or number', async () => {
  for (const query of [
    tiltakQuery(idents, { fields: ['tiltakstype'], withLinks: false, gjeldendePer: undefined }),
    tiltakQuery(idents, { fields: [], withLinks: true, gjeldendePer: '2026-01-01T00:00:00Z' }),
    byIdQuery('00000000-0000-4000-8000-000000000000', WHOLE_AVTALE),
    byNumberQuery(1, WHOLE_AVTALE),
  ]) {
    expect(await plan<pg.QueryResultRow>(query)).not.toContain('Seq Scan');
  }
});

test('a person is looked up by opaque id, in the index of them', async () => {
  for (const query of [
    searchQuery({ personidenter: idents }, WHOLE_AVTALE, page),
    tiltakQuery(idents, { fields: ['stillingprosent'], withLinks: false, gjeldendePer: undefined }),
  ]) {
    expect(await plan<pg.QueryResultRow>(query)).toMatch(
      /Index Scan using avtale_deltaker_id|Bitmap Index Scan on avtale_deltaker_id/,
    );
  }
});

test('a look-up in the view of the earlier GraphQL, among many that are wrongly registered', async () => {
  await api.owner.query(`
    insert into avtale (avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, tiltakstype, avtale_status,
      opprettet_tidspunkt, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
    select gen_random_uuid(), n, lpad((n / 3)::text, 11, '0'), gen_random_uuid(), (910000000 + n / 20)::text, 'MENTOR',
      'ANNULLERT', now(), true, now(), 0, n from generate_series(1, 10000) n`);
  await api.owner.query('analyze avtale');
  const { search, byId, byNumber } = QUERIES.gammel;
  for (const query of [
    search({ personidenter: ['00000000001'] }, ['avtaleId'], page),
    search({ bedriftsnumre: ['910000001'] }, ['avtaleId'], page),
    search({ tiltakstyper: ['MENTOR'] }, ['avtaleId'], page),
    search({ statuser: ['AVBRUTT'] }, ['avtaleId'], page),
    byId('00000000-0000-4000-8000-000000000000', ['avtaleId']),
    byNumber(1, ['avtaleId']),
  ]) {
    expect(await plan(query)).not.toContain('Seq Scan');
  }
});

test('a page of the change feed, and its end', async () => {
  await api.owner.query(`
    insert into endring (tx, avtale_id, type)
    select (n / 10 + 3)::text::xid8, gen_random_uuid(), 'ENDRET' from generate_series(1, 60000) n`);
  await api.owner.query('analyze endring');
  for (const query of [changesQuery({ tx: 100n, sequenceNumber: 1n }, 100), AVTALER_FEED.end]) {
    expect(await plan<pg.QueryResultRow>(query)).not.toContain('Seq Scan on endring');
  }
});

test.each(['MENTOR', 'SJELDEN'])(
  'a page of a subscription by kind (%s), to begin with and when the member is new, reads few rows besides',
  async (kind) => {
    const name = { konsument: 'k', behandlingsgrunnlag: 'b', navn: kind };
    await api.owner.query(
      `insert into avtale (avtale_id, tiltakstype, avtale_status, feilregistrert, sist_endret, kilde_partisjon, kilde_offset)
       select gen_random_uuid(), 'SJELDEN', 'AVSLUTTET', false, now(), 0, n from generate_series(1, 30) n`,
    );
    await api.owner.query('analyze avtale');
    const [member] = await api.owner.query<{ tx: string }[]>(
      `with ny as (insert into abonnement (konsument, behandlingsgrunnlag, navn, slag) values ('k', 'b', $1, '{T}') returning id)
       insert into abonnement_medlem (abonnement, noekkel) select id, 'T' || $1 from ny returning lagt_til::text as tx`,
      [kind],
    );
    await api.feedSeen();
    const tx = BigInt(member?.tx ?? 0);
    const began = { ...startAt(tx), key: `T${kind}`, avtaleId: '40000000-0000-4000-8000-000000000000' };
    const db = await pool.connect();
    try {
      for (const place of [startAt(tx), began, afterTransaction(tx - 1n), { ...began, isStart: false }]) {
        const query = feedQuery({ ...name, place, count: 20, fields: GRANTABLE_FIELDS, kinds: undefined });
        const { read, text } = await readsOf(db, query);
        // Some of each for each status, and what it was, is and holds, of those that are told of.
        expect([read <= 20 * 40, read > 20 * 40 && text]).toEqual([true, false]);
        const found = await db.query(query.statement.text, asStored(query.values, deltakerId));
        expect(found.rows.length).toBeGreaterThanOrEqual(15);
      }
    } finally {
      db.release(true);
    }
  },
);

test('statistics are read as they were decided, and nothing is counted', async () => {
  await api.owner.query(`
    insert into statistikk_tidspunkt (generasjon, tidspunkt) values (2, now());
    insert into statistikk
    select g, inndeling, dag, array['v' || n, 'PAAGAAR'], 5 + n, 5 + n, true
    from generate_series(1, 2) g, unnest(array['BEDRIFT,FASE', 'TILTAKSTYPE,FASE', 'FASE', '']) inndeling,
      unnest(array['ALLE', 'NAA', '2026-01-31']) dag, generate_series(1, 1000) n;
    analyze statistikk, statistikk_tidspunkt`);
  for (const per of GROUPINGS) {
    for (const faser of [undefined, ['PAAGAAR']]) {
      const below = per === 'BEDRIFT' ? '910712217' : undefined;
      const found = await plan(figuresQuery({ groupings: [per], unit: 'DELTAKERE', faser, days: ['NAA'], below }));
      expect(found).toMatch(/statistikk_pkey/);
      expect(found).not.toMatch(/Seq Scan on statistikk |avtale/);
    }
  }
});

test('only the columns of the answer are read', () => {
  expect(
    tiltakQuery(idents, { fields: ['stillingprosent'], withLinks: false, gjeldendePer: undefined }).statement.text,
  ).toMatch(
    /^select nr, deltaker_fnr, deltaker_id, avtale_id, tiltakstype, start_dato, slutt_dato, stillingprosent, har_vaert/,
  );
  expect(searchQuery({}, ['avtaleId', 'startDato'], page).statement.text).toMatch(/^select avtale_id, start_dato from/);
});

test('hovedenhet is looked up by the key of virksomheter, and not at all for who does not ask for it', async () => {
  const asked = searchQuery({ personidenter: idents }, GRANTABLE_FIELDS, page);
  expect(await plan(asked)).toMatch(/Index (Only )?Scan using virksomhet_pkey/);
  for (const filter of [{}, { personidenter: idents }, { bedriftsnumre: ['910000001'] }])
    expect(await plan(searchQuery(filter, WHOLE_AVTALE, page))).not.toContain('virksomhet');
});
