import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { indexClosedMonths, LOCKS } from '@tiltak/database';
import { ROOT } from '@tiltak/testing';
import { Ajv } from 'ajv';
import pg from 'pg';
import { readKonsumenter } from '../access/konsumenter.ts';
import { readProducts } from '../analysis/products.ts';
import schema from '../insight/innsyn.schema.json' with { type: 'json' };
import { Askers } from '../insight/askers.ts';
import { insightJson } from '../insight/json.ts';
import { insightPdf } from '../insight/pdf.ts';
import { dayOf, Summary } from '../insight/report.ts';
import { deltakerId, startTestApi, type TestApi } from '../testing/test-api.ts';
import { Archive } from './archive.ts';
import { confirmMonth, closedMonths, exportMonth } from './export-month.ts';
import { monthsOf } from './months.ts';
import { recordReading } from './reading.ts';
import {
  BEGIN,
  BY_BITMAPS,
  BY_INDEXES,
  LOOKUPS,
  NAMELESS_DAYS,
  NAMELESS_LINES,
  NAMELESS_SUMS,
  whoHasSeen,
  whoHasSeenByDay,
  whoHasSeenInSum,
  type SeenDto,
} from './who-has-seen.ts';

const PERSON = '1'.repeat(11);
const ID = deltakerId(PERSON);
const ALL = { fra: '0001-01-01', til: '9999-12-31', konsument: null };
const directory = mkdtempSync(join(tmpdir(), 'arkiv-'));

let api: TestApi;
/** as an auditor: with no other rights than those of datadeling_revisor */
let db: pg.Pool;
beforeAll(async () => {
  api = await startTestApi();
  await api.setFreshness(new Date());
  const { host, port, database } = api.database;
  const auditor = `${database}_revisor`;
  const owner = new pg.Client({ connectionString: api.database.url });
  await owner.connect();
  await owner.query(`create role ${auditor} login password 'x' in role datadeling_revisor`);
  await owner.query(`grant connect on database ${database} to ${auditor}`);
  await owner.end();
  db = new pg.Pool({ host, port, database, user: auditor, password: 'x', max: 2 });
  // As it is a while after the table that was there before has gone.
  await api.owner.query(`
    do $$ begin execute format('drop table %s', (select partisjon from partisjoner_av('oppslagslinje') where fra is null and til is not null)); end $$;
    select lag_partisjoner();
    create table oppslagslinje_202501 partition of oppslagslinje for values from ('2025-01-01Z') to ('2025-02-01Z');
    create table oppslagslinje_202502 partition of oppslagslinje for values from ('2025-02-01Z') to ('2025-03-01Z');
    insert into konsumentbruk_tidsrom (kjent_fra, kjent_til) values ('2025-01-01', now())`);
});
afterAll(async () => {
  await db.end();
  const owner = new pg.Client({ connectionString: api.database.url.replace(/\/[^/]*$/, '/postgres') });
  const auditor = `${api.database.database}_revisor`;
  await api.stop();
  await owner.connect();
  await owner.query(`drop role ${auditor}`);
  await owner.end();
  rmSync(directory, { recursive: true });
});

const insertMonth = (month: string): Promise<unknown> =>
  api.owner.query(
    `insert into oppslagslinje (id, tidspunkt, form, person, personer, antall_treff, tillatt, call_uuid, posisjon, utvalg)
     overriding system value
     select n, $1::timestamptz + n * interval '1 minute', oppslagsform_nr('alt', 'B0', 'sokAvtaler', '{avtaleId,sluttDato}'),
       case n % 3 when 0 then $2::uuid end, case n % 3 when 1 then array[gen_random_uuid(), $2::uuid] end, 1, n <> 3,
       gen_random_uuid(), case n % 3 when 2 then 'p' end, case n % 3 when 2 then '{"alle": true}'::jsonb end
     from generate_series(1, 30) n
     union all
     select n, $1::timestamptz + n * interval '1 minute', oppslagsform_nr('alt', 'B0', 'sokAvtaler', '{avtaleId}'),
       gen_random_uuid(), null, 1, true, gen_random_uuid(), null, null from generate_series(31, 1000) n`,
    [`${month}-03T00:00:00Z`, ID],
  );

const askers = (): Askers =>
  new Askers(readKonsumenter(api.registry), readProducts(join(ROOT, 'tools', 'local', 'analyse.yaml')));

const seen = (archive?: Archive): Promise<SeenDto[]> => rowsIn(ALL, archive);

async function rowsIn(selected: typeof ALL, archive?: Archive): Promise<SeenDto[]> {
  const rows: SeenDto[] = [];
  for await (const row of whoHasSeen(db, ID, selected, archive)) rows.push(row);
  return rows;
}

test('a look-up of one person takes at most 120 bytes of the table', async () => {
  const count = 400;
  for (let i = 0; i < count; i += 50) {
    const calls = Array.from({ length: 50 }, () =>
      api.call('POST', '/api/v1/personer/tiltaksstatus', {
        body: { personidenter: [PERSON] },
        headers: { 'nav-call-id': crypto.randomUUID() },
      }),
    );
    expect((await Promise.all(calls)).every(({ status }) => status === 200)).toBe(true);
  }
  // Of few lines, how many pages there are depends on how many wrote at once: fifty times as many, by one.
  await api.owner.query('create table tett as select l.* from oppslagslinje l, generate_series(1, 50)');
  const [{ table = 0, lines = 0, largest = 0 } = {}] = await api.owner.query<Record<string, number>[]>(`
    select pg_relation_size('tett')::float8 as table, count(*)::int as lines, max(pg_column_size(l.*)) as largest from tett l`);
  await api.owner.query('drop table tett; truncate oppslagslinje');
  expect(lines).toBe(50 * count);
  expect(largest).toBeLessThanOrEqual(120);
  expect(table / lines).toBeLessThanOrEqual(120);
}, 60_000);

test('months in files are told as they were told in the database, and only from files that are as they were', async () => {
  await insertMonth('2025-01');
  await insertMonth('2025-02');
  const before = await seen();
  expect(
    Object.entries(Object.groupBy(before, ({ hvordan }) => hvordan)).map(([how, rows]) => [how, rows.length]),
  ).toEqual(
    expect.arrayContaining([
      ['FIKK', 38],
      ['AVSLAG', 2],
      ['KAN_HA_FATT', 20],
    ]),
  );
  const drop = (month: string): Promise<unknown> =>
    api.owner.query(`select fjern_partisjon('oppslagslinje', $1)`, [month]);
  await expect(drop('202501')).rejects.toThrow('it has not been exported and verified');

  // Of one that was killed: it bears no name that is read, and is gone afterwards.
  for (const name of ['ndjson.gz', 'json']) writeFileSync(join(directory, `oppslag-202501.${name}.uferdig`), 'halv');
  const months = await closedMonths(db);
  expect(months.map(({ maaned }) => maaned)).toEqual(['202501', '202502']);
  for (const month of months) expect(await exportMonth(db, directory, 'nav', month)).toMatchObject({ rader: 1000 });
  expect(readdirSync(directory).sort()).toEqual(
    ['202501', '202502'].flatMap((month) => [`oppslag-${month}.json`, `oppslag-${month}.ndjson.gz`]),
  );
  // What is in both is told once.
  expect(await seen(new Archive(directory, 'nav'))).toEqual(before);
  await drop('202501');
  // What the database had is told of by the file, or nothing is.
  await expect(seen()).rejects.toThrow('202501 has left the database, and no archive was named');
  const file = new Archive(directory, 'nav');
  expect(await seen(file)).toEqual(before);
  expect(() => new Archive(directory, 'fylke')).toThrow('is not of fylke, but of nav');
  const empty = mkdtempSync(join(tmpdir(), 'arkiv-'));
  await expect(seen(new Archive(empty, 'nav'))).rejects.toThrow('202501 has left the database, and its file is not');
  rmSync(empty, { recursive: true });
  expect(await rowsIn({ ...ALL, fra: '2025-02-01' })).toHaveLength(30);

  await api.owner.query(`delete from oppslagslinje where id = 1 and tidspunkt < '2025-03-01'`);
  await expect(confirmMonth(db, directory, '202502')).rejects.toThrow('has 1000 lines, and the database 999');
  appendFileSync(join(directory, 'oppslag-202501.ndjson.gz'), ' ');
  await expect(seen(new Archive(directory, 'nav'))).rejects.toThrow(
    'oppslag-202501.ndjson.gz is not as its manifest says',
  );
}, 60_000);

test('a month that leaves while files are read is missed, and reading files takes longer than a transaction may', async () => {
  const archive = new Archive(directory, 'nav');
  const fra = '2025-02-01';
  archive.linesOf = async function* () {
    const { rows } = await db.query<{ state: string }>(
      `select state from pg_stat_activity
       where usename = current_user and query like '%innsyn_avtale%' and pid <> pg_backend_pid()`,
    );
    expect(rows).toEqual([{ state: 'idle' }]);
    await api.owner.query('alter table oppslagslinje detach partition oppslagslinje_202502');
    yield [];
  };
  try {
    await expect(rowsIn({ ...ALL, fra }, archive)).rejects.toThrow('202502 left the database while files were read');
  } finally {
    await api.owner.query(
      `alter table oppslagslinje attach partition oppslagslinje_202502 for values from ('2025-02-01Z') to ('2025-03-01Z')`,
    );
  }
});

test('what is noted of a month stays: a reason takes no file away, and the last file counts', async () => {
  const note = (values: unknown[]): Promise<unknown> =>
    db.query('select bekreft_oppslagsarkiv($1, $2, $3, $4)', values);
  await expect(note(['202502', null, null, 'Den er borte vekk'])).rejects.toThrow('202502 is in a file already');
  await note(['202502', 999, 'b'.repeat(64), null]);
  const { rows } = await db.query<{ rader: string }>(
    `select rader from oppslagsarkiv where maaned = '202502' order by nr`,
  );
  expect(rows.map(({ rader }) => Number(rader))).toEqual([1000, 999]);
  await api.owner.query(`insert into oppslagsarkiv (maaned, begrunnelse) values ('202412', 'Ingen oppslag før det')`);
  const { lost } = await monthsOf(db, ALL, new Archive(directory, 'nav'));
  expect(lost).toEqual([{ maaned: '202412', isFirst: true }]);
  const of = { organisasjon: 'nav', person: ID, fra: undefined, til: undefined, madeAt: new Date(), lost };
  const none = Readable.from([]) as AsyncIterable<SeenDto>;
  expect(await text(Readable.from(insightJson(none, new Summary(askers()), of)))).toContain('til og med 12.2024');
});

test('in a month that is over a person is found by indexes of the lines that are theirs', async () => {
  const other = new pg.Client({ connectionString: api.database.url });
  await other.connect();
  await other.query(`select pg_advisory_lock(${LOCKS.MIGRATION})`);
  expect(await indexClosedMonths(api.owner)).toEqual([]);
  await other.query('select pg_advisory_unlock_all()');
  await other.end();
  expect(await indexClosedMonths(api.owner)).toEqual(
    expect.arrayContaining(['oppslagslinje_202502_avsluttet_person', 'oppslagslinje_202502_avsluttet_personer']),
  );
  expect(await indexClosedMonths(api.owner)).toEqual([]);
  await api.owner.query('analyze oppslagslinje');
  const ofOther = [ALL.fra, ALL.til, null, [deltakerId('7'.repeat(11))], [null]];
  const read = (await nodesOf(LOOKUPS, ofOther, BY_BITMAPS)).map((node) => node['Index Name']);
  for (const index of ['avsluttet_person', 'avsluttet_personer'])
    expect(read).toContain(`oppslagslinje_202502_${index}`);
}, 60_000);

interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Rows Removed by Filter'?: number;
  'Heap Fetches'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

async function nodesOf(statement: string, values: unknown[], plan: string): Promise<PlanNode[]> {
  const session = await db.connect();
  try {
    await session.query(BEGIN);
    await session.query(plan);
    const { rows } = await session.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `explain (analyze, buffers, format json) ${statement}`,
      values,
    );
    const all = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)];
    return rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan }) => all(Plan)));
  } finally {
    await session.query('rollback').finally(() => session.release());
  }
}

test('in a month that is over, what names nobody is read from pages that grow with it, and not with all the rest', async () => {
  // One in a hundred names nobody, of a thousand lines and of thirty thousand; there, one in a thousand is a page of a subscription.
  await api.owner.query(`
    create table oppslagslinje_202503 partition of oppslagslinje for values from ('2025-03-01Z') to ('2025-04-01Z');
    insert into oppslagslinje (tidspunkt, form, person, personer, antall_treff, tillatt, call_uuid, posisjon, utvalg)
    select '2025-03-01Z'::timestamptz + n * interval '1 minute', oppslagsform_nr('alt', 'B0', 'eksporterAvtaler', '{avtaleId}'),
      case when n % 100 > 1 then gen_random_uuid() end,
      case when n % 100 = 1 then array[gen_random_uuid(), gen_random_uuid()] end, 1, true, gen_random_uuid(),
      case when n % 100 = 0 or n % 1000 = 1 then 'p' end,
      case when n % 100 = 0 then '{"alle": true}'::jsonb when n % 1000 = 1 then '{"abonnement": "mine", "etter": "p"}' end
    from generate_series(1, 30000) n`);
  const large = `insert into oppslagslinje (tidspunkt, form, antall_treff, tillatt, call_uuid, posisjon, utvalg)
    select '2025-03-02Z', oppslagsform_nr('alt', 'B0', 'eksporterAvtaler', '{avtaleId}'), 1, true, gen_random_uuid(), 'p',
      jsonb_build_object('mange', (select string_agg(gen_random_uuid()::text, '') from generate_series(1, 500)))`;
  await api.owner.query(large);
  // What does not fit in an index keeps nobody from deploying.
  const indexes = ['person', 'personer'].map((name) => `oppslagslinje_202503_avsluttet_${name}`);
  expect(await indexClosedMonths(api.owner)).toEqual(indexes);
  await api.owner.query(`delete from oppslagslinje where utvalg ? 'mange'`);
  expect(await indexClosedMonths(api.owner)).toEqual(['oppslagslinje_202503_avsluttet_uten_navn']);
  await api.owner.query('analyze oppslagslinje');

  const asked = [ALL.fra, ALL.til, null, '-infinity', []];
  const inSum = [...asked, 'infinity', 'infinity', '0'];
  for (const [statement, values] of [
    [NAMELESS_LINES, asked] as const,
    [NAMELESS_DAYS, inSum] as const,
    [NAMELESS_SUMS, inSum] as const,
  ]) {
    const nodes = await nodesOf(statement, [...values], BY_INDEXES);
    for (const [month, lines] of [['202502', 10] as const, ['202503', 300] as const]) {
      const node = nodes.find((one) => one['Index Name'] === `oppslagslinje_${month}_avsluttet_uten_navn`);
      expect(node).toMatchObject({ 'Node Type': 'Index Only Scan', 'Actual Rows': lines });
      // That of the line that was removed just now.
      expect(node?.['Heap Fetches']).toBeLessThanOrEqual(1);
      expect(node?.['Rows Removed by Filter'] ?? 0).toBe(0);
      const pages = (node?.['Shared Hit Blocks'] ?? 0) + (node?.['Shared Read Blocks'] ?? 0);
      expect(pages).toBeLessThanOrEqual(6 + lines / 40);
    }
  }
}, 60_000);

type Row = SeenDto & { antall?: number };

async function all(rows: AsyncIterable<unknown>): Promise<Row[]> {
  const found: Row[] = [];
  for await (const row of rows) found.push(row as Row);
  expect(found.map(({ tidspunkt }) => tidspunkt)).toEqual(found.map(({ tidspunkt }) => tidspunkt).sort(byTime));
  return found;
}

function countBy(rows: readonly Row[], keyOf: (row: Row) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[keyOf(row)] = (counts[keyOf(row)] ?? 0) + (row.antall ?? 1);
  return counts;
}

const kindOf = ({ konsument, operasjon, hvordan }: Row): string => [konsument, operasjon, hvordan].join(' ');

test('summed up, by day or all of it, it is as much as one by one, and the newest are told apart', async () => {
  // By an ident that is alone, and among others; told, and refused.
  await api.owner.query(
    `insert into oppslagslinje (tidspunkt, form, person, personer, antall_treff, tillatt, call_uuid)
     select '2025-03-10Z'::timestamptz + make_interval(hours => n), oppslagsform_nr('k' || n % 3, 'B0', 'sokAvtaler', '{avtaleId}'),
       case when n % 2 = 0 then $1::uuid end, case when n % 2 = 1 then array[$1::uuid, gen_random_uuid()] end,
       1, n % 5 <> 0, gen_random_uuid() from generate_series(1, 60) n`,
    [ID],
  );
  const each = await rowsIn(SINCE_FEBRUARY);
  const isNamed = ({ hvordan }: Row): boolean => hvordan !== 'KAN_HA_FATT';
  const [named, nameless] = [each.filter(isNamed), each.filter((row) => !isNamed(row))];
  expect([named.length >= 60, nameless.length > 300]).toEqual([true, true]);

  const daily = (row: Row): string => [dayOf(row.tidspunkt), kindOf(row)].join(' ');
  const byDay = await all(whoHasSeenByDay(db, ID, SINCE_FEBRUARY));
  expect(byDay.filter(isNamed)).toEqual(named);
  expect(byDay.filter((row) => !isNamed(row) && row.antall === undefined)).toEqual([]);
  expect(countBy(byDay, daily)).toEqual(countBy(each, daily));

  for (const newest of [0, 1, 7, named.length, nameless.length, 10_000]) {
    const rows = await all(whoHasSeenInSum(db, ID, SINCE_FEBRUARY, { newest }));
    const apart = rows.filter(({ antall }) => antall === undefined);
    for (const [found, of] of [
      [apart.filter(isNamed), named] as const,
      [apart.filter((row) => !isNamed(row)), nameless] as const,
    ])
      expect(found).toEqual(newest === 0 ? [] : of.slice(-newest));
    expect(countBy(rows, kindOf)).toEqual(countBy(each, kindOf));
    const kinds = new Set(each.map(kindOf));
    if (newest === 0) expect(rows).toHaveLength(kinds.size);
  }
  const ofOne = await all(whoHasSeenInSum(db, ID, { ...SINCE_FEBRUARY, konsument: 'k1' }, { newest: 5 }));
  expect(countBy(ofOne, ({ konsument, antall }) => `${konsument} ${antall ? 'sum' : 'alone'}`)).toEqual({
    'k1 sum': 15,
    'k1 alone': 5,
  });
}, 60_000);

const byTime = (a: Date, b: Date): number => a.getTime() - b.getTime();

/** The month before is in files. */
const SINCE_FEBRUARY = { ...ALL, fra: '2025-02-01' };

test('the report of a person: JSON after its schema, and a PDF that can be read aloud', async () => {
  const of = { organisasjon: 'nav', person: ID, fra: undefined, til: undefined, madeAt: new Date(), lost: [] };
  await api.owner.query(
    `insert into oppslagslinje (tidspunkt, form, person, antall_treff, tillatt, call_uuid, organisasjoner, posisjon, utvalg)
     values ('2025-03-30Z', oppslagsform_nr('kommune', 'B0', 'sokAvtaler', '{avtaleId}'), $1, 1, true, gen_random_uuid(),
         '{310100005,310100013}', null, null),
       ('2025-03-31Z', oppslagsform_nr('analyse:tiltaksdeltakelse', 'LOKAL-ANALYSE', 'analyse', '{tiltakstype}'), null, 1, true,
         gen_random_uuid(), null, 'p', '{"alle": true}')`,
    [ID],
  );
  const summary = new Summary(askers());
  const report = JSON.parse(
    await text(Readable.from(insightJson(whoHasSeen(db, ID, SINCE_FEBRUARY), summary, of))),
  ) as {
    oppslag: { operasjon: string }[];
    sammendrag: {
      antall: unknown;
      parter: { produkt?: string; maater: { antall: number; dager: Record<string, number> }[] }[];
    };
  };
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
  expect([validate(report), validate.errors]).toEqual([true, null]);
  const ways = report.sammendrag.parter.flatMap(({ maater }) => maater);
  const sum = (counts: number[]): number => counts.reduce((all, count) => all + count, 0);
  const organisations = { organisasjonsnummer: '310100005', leverandoer: '310100013' };
  expect(report.oppslag.at(-2)).toMatchObject({ konsument: 'kommune', ...organisations });
  expect(report.oppslag.at(-1)).toMatchObject({ operasjon: 'analyse', organisasjonsnummer: null, leverandoer: null });
  const parties = report.sammendrag.parter;
  expect(parties).toContainEqual(expect.objectContaining({ konsument: 'kommune', ...organisations }));
  expect(parties.find(({ produkt }) => produkt !== undefined)).toMatchObject({
    ...{ konsument: 'analyse:tiltaksdeltakelse', produkt: 'tiltaksdeltakelse', behandlingsgrunnlag: 'LOKAL-ANALYSE' },
    visningsnavn: 'Analyse av tiltaksdeltakelse (lokalt)',
    ...{ formaal: expect.stringContaining('deltar på tiltak'), rettsgrunnlag: 'Bare oppdiktede personer' },
  });
  expect(report.oppslag).toHaveLength(sum(ways.map(({ antall }) => antall)));
  expect(sum(ways.flatMap(({ dager }) => Object.values(dager)))).toBe(report.oppslag.length);

  const pdf = (await buffer(insightPdf(summary.result(of)))).toString('latin1');
  expect(pdf).toMatch(/^%PDF-1\.7/);
  for (const part of ['/Lang (nb-NO)', '/Marked true', '/StructTreeRoot', '/DisplayDocTitle true', '/FontFile'])
    expect(pdf).toContain(part);
}, 60_000);

test('who reads the audit says why first, and can not take it back', async () => {
  const reading = { who: 'Z999999', what: 'OPPSLAG_PERSON', person: ID, fra: ALL.fra, til: ALL.til } as const;
  await recordReading(db, { ...reading, reason: 'Innsynskrav fra personen' });
  await expect(recordReading(db, { ...reading, reason: `Krav fra ${PERSON}` })).rejects.toThrow(/begrunnelse_check/);
  for (const change of [
    'delete from oppslagsinnsyn',
    `update oppslagsinnsyn set hvem = 'x'`,
    'delete from oppslagslinje',
  ])
    await expect(db.query(change)).rejects.toThrow(/permission denied/);
});
