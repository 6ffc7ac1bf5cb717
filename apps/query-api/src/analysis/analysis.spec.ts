import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createWorkDir, freePort, ROOT, startPostgres, waitUntil } from '@tiltak/testing';
import fc from 'fast-check';
import pg from 'pg';
import { whoHasSeen } from '../audit/who-has-seen.ts';
import { startTestAnalysis, type LifeOf, type TestAnalysis } from '../testing/test-analysis.ts';
import { deltakerId, KEY, startTestApi, type TestApi } from '../testing/test-api.ts';
import { columnsRead } from './columns.ts';
import { writeFiles } from './files.ts';
import { productKeys, registerKey } from './keys.ts';
import { withOwnDirectory } from './own-directory.ts';
import { continueSeries } from './series.ts';
import { copyToTable, publicationName, TableError } from './table.ts';

const DAY = '2026-11-27';
const IDENTS = ['1', '2', '3', '4'].map((digit) => digit.repeat(11));
const idOf = (nr: number): string => `00000000-0000-4000-8000-0000000000${String(nr).padStart(2, '0')}`;

let api: TestApi;
let analysis: TestAnalysis;
beforeAll(async () => {
  api = await startTestApi();
  analysis = await startTestAnalysis(api, deltakerId);
  await api.setFreshness(new Date());
}, 60_000);
afterAll(async () => {
  await analysis.stop();
  await api.stop();
}, 60_000);
beforeEach(() => api.owner.query('truncate avtale, avtale_versjon, endring, oppslagslinje'));

const day = fc.constantFrom(
  null,
  '1999-12-31',
  '2026-10-31',
  '2026-11-01',
  '2026-11-26',
  DAY,
  '2026-11-28',
  '2027-02-01',
);
const moment = fc.constantFrom(null, '2026-10-01T10:00:00.123456Z', '2026-11-20T23:30:00Z');
const life: fc.Arbitrary<LifeOf> = fc.record({
  status: fc.constantFrom(null, 'GJENNOMFØRES', 'AVSLUTTET', 'ANNULLERT', 'NOE NYTT'),
  ...{ start: day, end: day, entered: moment, annulled: moment },
  ...{ wasEntered: fc.boolean(), neverBegan: fc.boolean() },
  kind: fc.constantFrom(null, 'MENTOR', 'SOMMERJOBB', 'ARBEIDSTRENING'),
  person: fc.constantFrom(null, ...IDENTS),
  percent: fc.constantFrom(null, 0, 33.3, 100, 37.123456),
});
const ON_A_MEASURE: LifeOf = {
  ...{
    status: 'GJENNOMFØRES',
    start: '2026-11-01',
    end: null,
    entered: '2026-10-01T10:00:00.123456Z',
    wasEntered: true,
  },
  ...{ annulled: null, neverBegan: false, kind: 'MENTOR', person: IDENTS[0] ?? null, percent: 37.5 },
};
const put = fc.record({ nr: fc.nat(5), what: life });
const removal = fc.record({ nr: fc.nat(5), what: fc.constantFrom('SLETTET' as const, 'FEILREGISTRERT' as const) });
const changes = fc.array(fc.oneof({ weight: 3, arbitrary: put }, { weight: 1, arbitrary: removal }), { maxLength: 6 });

async function apply(todo: readonly { nr: number; what: LifeOf | 'SLETTET' | 'FEILREGISTRERT' }[]): Promise<void> {
  for (const { nr, what } of todo)
    await (typeof what === 'string' ? analysis.remove(idOf(nr), what) : analysis.put(idOf(nr), what));
  await api.feedSeen();
}

/** The statements of docs/analyse.md, which a reader copies. */
const [LATEST = '', FIRST_QUESTION = ''] = [
  ...readFileSync(join(ROOT, 'docs', 'analyse.md'), 'utf8').matchAll(/```sql\n([^]*?)```/g),
].map(([, sql]) => sql);

async function latestIn(series: string): Promise<Record<string, unknown>[]> {
  await analysis.duck(LATEST.replaceAll('SERIE', join(analysis.directory, series)));
  return analysis.duck('select * from siste order by avtaleNoekkel');
}

let nr = 0;
const seriesOf = (name: string): Parameters<typeof continueSeries>[1] => ({
  ...analysis.writing(name),
  ...{ series: join(analysis.directory, name), allEveryDays: 30 },
});

test('whatever happens to avtaler: everything and then what changed comes to what everything anew does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { minLength: 2, maxLength: 4 }), async (rounds) => {
      await api.owner.query('truncate avtale, endring');
      await analysis.put(idOf(99), ON_A_MEASURE);
      const [copied, anew] = [`serie-${String(++nr)}`, `anew-${String(nr)}`];
      const kinds: string[] = [];
      for (const round of rounds) {
        await apply(round);
        kinds.push((await continueSeries(analysis.db, seriesOf(copied))).manifest.slag);
      }
      expect(kinds).toEqual(['ALT', ...rounds.slice(1).map(() => 'ENDRINGER')]);
      await continueSeries(analysis.db, seriesOf(anew));
      expect(await latestIn(copied)).toEqual(await latestIn(anew));
      const [{ n } = { n: 0 }] = await api.owner.query<{ n: number }[]>('select count(*)::int n from avtale_synlig');
      expect(await latestIn(copied)).toHaveLength(n);
    }),
    { numRuns: 8 },
  );
}, 120_000);

test('the first question of the terms of use: one statement on the files answers as the API does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(put, { minLength: 5, maxLength: 30 }), async (puts) => {
      await api.owner.query('truncate avtale, endring');
      await apply(puts.map(({ what }, i) => ({ nr: i, what })));
      const series = `spm-${String(++nr)}`;
      await continueSeries(analysis.db, seriesOf(series));
      await latestIn(series);
      const answer = await analysis.duck(FIRST_QUESTION.replaceAll('2026-11-27', DAY));
      const { body } = await api.call('POST', '/api/v1/personer/tiltaksstatus', {
        body: { personidenter: IDENTS, dato: DAY },
      });
      const persons = body.personer as { tiltak: { tiltakstype: string | null; startDato: string }[] }[];
      const kinds = persons.flatMap(({ tiltak }, person) => tiltak.map((one) => ({ ...one, person })));
      const perKind = [...Map.groupBy(kinds, ({ tiltakstype }) => tiltakstype ?? null)].map(([tiltakstype, all]) => ({
        tiltakstype,
        personer: String(new Set(all.map(({ person }) => person)).size),
        avtaler: String(all.length),
        lengstSiden: all.map(({ startDato }) => startDato).sort()[0],
      }));
      const byKind = (a: object, b: object): number => JSON.stringify(a).localeCompare(JSON.stringify(b));
      expect(answer.sort(byKind)).toEqual(perKind.sort(byKind));
    }),
    { numRuns: 10 },
  );
}, 120_000);

test('DuckDB reads times with microseconds in UTC, days, decimals and nothing where there is nothing', async () => {
  await analysis.put(idOf(1), ON_A_MEASURE);
  await analysis.put(idOf(2), { ...ON_A_MEASURE, start: null, percent: null, person: null, status: 'NOE NYTT' });
  await api.owner.query(`update avtale set sist_endret = '2026-01-02T03:04:05.678901+01:00'`);
  const manifest = await writeFiles(analysis.db, analysis.writing('typer'));
  expect(manifest).toMatchObject({ slag: 'ALT', siden: null, rader: 2, fjernet: 0, maanedAv: 'startDato' });
  expect(manifest.filer.map(({ fil, maaned, rader }) => [fil, maaned, rader])).toEqual([
    ['avtaler-2026-11.parquet', '2026-11', 1],
    ['avtaler-uten.parquet', null, 1],
    ['fjernet.parquet', null, 0],
  ]);
  const files = `read_parquet('${join(analysis.directory, 'typer')}/avtaler-*.parquet')`;
  const types = await analysis.duck(`select column_name, column_type from (describe from ${files})`);
  expect(Object.fromEntries(types.map((row) => [row['column_name'], row['column_type']]))).toEqual({
    ...{ avtaleNoekkel: 'VARCHAR', deltakerNoekkel: 'VARCHAR', bedriftNoekkel: 'VARCHAR', tiltakstype: 'VARCHAR' },
    ...{ avtaleStatus: 'VARCHAR', startDato: 'DATE', sluttDato: 'DATE', tellerFra: 'DATE', tellerTil: 'DATE' },
    ...{ usikkerGrunn: 'VARCHAR', stillingprosent: 'DECIMAL(18,6)', godkjentPaaVegneAv: 'BOOLEAN' },
    ...{ versjon: 'INTEGER', sistEndret: 'TIMESTAMP WITH TIME ZONE' },
  });
  const rows = await analysis.duck(
    `select stillingprosent, startDato, sluttDato, avtaleStatus, deltakerNoekkel is null as uten, epoch_us(sistEndret) as us from ${files} order by startDato nulls last`,
  );
  const us = '1767319445678901';
  expect(rows).toEqual([
    {
      stillingprosent: '37.500000',
      startDato: '2026-11-01',
      sluttDato: null,
      avtaleStatus: 'GJENNOMFORES',
      uten: false,
      us,
    },
    { stillingprosent: null, startDato: null, sluttDato: null, avtaleStatus: 'UKJENT', uten: true, us },
  ]);
});

test('two products have no key in common, and no product the key of another, or of the API', async () => {
  const [one, other] = [productKeys('0a'.repeat(32)), productKeys('0b'.repeat(32))];
  for (const value of [deltakerId(IDENTS[0] ?? ''), idOf(1), '910825518']) {
    const made = [one.of('NOKKEL', value), other.of('NOKKEL', value), one.of('VIRKSOMHET', value), value];
    expect(new Set(made).size).toBe(4);
    expect(one.of('NOKKEL', value)).toBe(productKeys('0a'.repeat(32)).of('NOKKEL', value));
  }
  await registerKey(analysis.db, 'en', one);
  await registerKey(analysis.db, 'en', one);
  await expect(registerKey(analysis.db, 'en', other)).rejects.toThrow('differs from the key');
  await expect(registerKey(analysis.db, 'to', one)).rejects.toThrow('is the key of another product');
  await expect(registerKey(analysis.db, 'tre', productKeys(KEY))).rejects.toThrow('opaque ids are derived with');
});

test('it is audited before anything is written, and who has seen a person finds it, unless the feed rules it out', async () => {
  await analysis.put(idOf(1), ON_A_MEASURE);
  await analysis.put(idOf(2), { ...ON_A_MEASURE, person: IDENTS[1] ?? null });
  await api.owner
    .query(`insert into avtale_versjon (avtale_id, deltaker_id, feilregistrert, kilde_partisjon, kilde_offset, avtrykk)
    select avtale_id, deltaker_id, false, 0, 0, gen_random_uuid() from avtale`);
  await api.feedSeen();
  const all = await writeFiles(analysis.db, analysis.writing('revidert'));
  await analysis.put(idOf(2), { ...ON_A_MEASURE, person: IDENTS[1] ?? null, percent: 1 });
  await api.feedSeen();
  await writeFiles(analysis.db, { ...analysis.writing('revidert-2'), since: all });
  const [first, second, ...more] = await api.audit(2);
  expect(more).toEqual([]);
  expect(first).toMatchObject({
    ...{ konsument: 'analyse:tiltaksdeltakelse', behandlingsgrunnlag: 'LOKAL-ANALYSE', operasjon: 'analyse' },
    ...{ tillatt: true, antall_treff: 2, posisjon: all.posisjon, utvalg: { alle: true } },
  });
  expect(second).toMatchObject({ antall_treff: 1, utvalg: { etter: all.posisjon } });
  const seen = async (ident = ''): Promise<string[]> => {
    const owner = new pg.Pool({ connectionString: api.database.url, max: 1 });
    const found: string[] = [];
    const selected = { fra: '2000-01-01', til: '2999-12-31', konsument: null };
    for await (const row of whoHasSeen(owner, deltakerId(ident), selected))
      found.push(`${row.operasjon} ${row.hvordan}`);
    await owner.end();
    return found;
  };
  expect(await seen(IDENTS[0])).toEqual(['analyse KAN_HA_FATT']);
  expect(await seen(IDENTS[1])).toEqual(['analyse KAN_HA_FATT', 'analyse KAN_HA_FATT']);

  await api.owner.query(
    'revoke insert on oppslagslinje from datadeling_analyse; revoke execute on function oppslagsform_nr(text, text, text, text[]) from datadeling_analyse',
  );
  await expect(writeFiles(analysis.db, analysis.writing('uten-revisjon'))).rejects.toMatchObject({ code: '42501' });
  expect(readdirSync(join(analysis.directory, 'uten-revisjon'))).toEqual([]);
  await api.owner.query(`grant execute on function oppslagsform_nr(text, text, text, text[]) to datadeling_analyse;
    grant insert (konsument, behandlingsgrunnlag, operasjon, felter, antall_treff, tillatt, posisjon, utvalg, form, call_uuid) on oppslagslinje to datadeling_analyse`);
});

test('what failed on its way is nothing whole, and the next run begins clean', async () => {
  for (let i = 0; i < 20; i++)
    await analysis.put(idOf(i), { ...ON_A_MEASURE, start: i < 15 ? '2026-01-01' : '2026-02-01' });
  const { keys, ...writing } = analysis.writing('stanset');
  let count = 0;
  const failing = {
    ...keys,
    of: (...given: Parameters<typeof keys.of>) => {
      if (++count > 34) throw new Error('killed');
      return keys.of(...given);
    },
  };
  await expect(writeFiles(analysis.db, { ...writing, keys: failing })).rejects.toThrow('killed');
  expect(readdirSync(writing.directory).sort()).toEqual(['avtaler-2026-01.parquet', 'avtaler-2026-02.parquet.uferdig']);
  const manifest = await writeFiles(analysis.db, { ...writing, keys });
  expect(manifest.rader).toBe(20);
  expect(readdirSync(writing.directory).sort()).toEqual([...manifest.filer.map(({ fil }) => fil), 'manifest.json']);
  await expect(writeFiles(analysis.db, { ...writing, keys })).rejects.toThrow('has a whole analysis already');
  writeFileSync(join(analysis.directory, 'annet.txt'), '');
  await expect(writeFiles(analysis.db, { ...writing, keys, directory: analysis.directory })).rejects.toThrow(
    'something else',
  );
});

test('a series begins anew when the feed does not reach back, or the columns are others, and what was before goes', async () => {
  await analysis.put(idOf(1), ON_A_MEASURE);
  await api.feedSeen();
  const series = seriesOf('forfra');
  const runs = (): string[] => readdirSync(series.series).map((name) => name.replace(/^.*-/, ''));
  await continueSeries(analysis.db, series);
  await continueSeries(analysis.db, series);
  expect(runs()).toEqual(['alt', 'endringer']);
  const { columns } = series.product;
  const fewer = { ...series, product: { ...series.product, columns: columns.slice(0, -1) } };
  expect((await continueSeries(analysis.db, fewer)).instead).toBe('The columns of the product are others');
  expect(runs()).toEqual(['alt']);
  await api.owner.query('update instans set beskaaret_til = pg_snapshot_xmax(pg_current_snapshot())');
  expect((await continueSeries(analysis.db, fewer)).instead).toContain('older than what the feed tells of');
  await api.owner.query(`update instans set beskaaret_til = '0'`);
});

test('two runs never write in one directory, and what a killed one leaves is the next one’s', async () => {
  await analysis.put(idOf(1), ON_A_MEASURE);
  const [writing, series] = [analysis.writing('alene'), seriesOf('alene-serie')];
  for (const directory of [writing.directory, series.series]) mkdirSync(directory);
  const whileHeld = (directory: string, other: () => Promise<unknown>): Promise<void> =>
    withOwnDirectory(analysis.db, { directory, organisasjon: 'nav' }, () =>
      expect(other()).rejects.toThrow('Another run writes there'),
    );
  await whileHeld(writing.directory, () => writeFiles(analysis.db, writing));
  await whileHeld(series.series, () => continueSeries(analysis.db, series));

  const left = join(writing.directory, 'i-arbeid.json');
  writeFileSync(left, JSON.stringify({ organisasjon: 'annen', nr: 2 ** 34 }));
  await expect(writeFiles(analysis.db, writing)).rejects.toThrow('is of annen');
  writeFileSync(left, JSON.stringify({ organisasjon: 'nav', nr: 2 ** 34 }));
  const manifest = await writeFiles(analysis.db, writing);
  expect(readdirSync(writing.directory).sort()).toEqual([...manifest.filer.map(({ fil }) => fil), 'manifest.json']);

  await expect(
    withOwnDirectory(analysis.db, { directory: series.series, organisasjon: 'nav' }, async (requireOwned) => {
      rmSync(join(series.series, 'i-arbeid.json'));
      await requireOwned();
    }),
  ).rejects.toThrow('was taken from this run');
});

test.each(['', 'null', '5', '[]', '{"organisasjon":"nav"}', '{"organisasjon":"nav","nr":"x"}', '{"nr":8589934592}'])(
  'a file in the place of the one that says whose the directory is, and says %j, ends the run',
  async (text) => {
    const directory = mkdtempSync(join(analysis.directory, 'annet-'));
    writeFileSync(join(directory, 'i-arbeid.json'), text);
    await expect(writeFiles(analysis.db, { ...analysis.writing('-'), directory })).rejects.toThrow(
      'i-arbeid.json is not of a run of analyse',
    );
  },
);

test('what it can not write to is named, with why, and nothing there looks whole', async () => {
  const file = join(analysis.directory, 'ingen-mappe');
  writeFileSync(file, '');
  for (const directory of [file, join(file, 'under')])
    await expect(writeFiles(analysis.db, { ...analysis.writing('-'), directory })).rejects.toThrow(
      `${directory} can't be written to: it is not a directory`,
    );
});

// Where it is not Linux, there is none, and nothing may be made at the root.
test('a place that takes no directory, and says that there is none above it, ends the run', async () => {
  for (const directory of ['/proc/ingen', '/proc/ingen/under'])
    await expect(writeFiles(analysis.db, { ...analysis.writing('-'), directory })).rejects.toThrow(
      `${directory} can't be written to`,
    );
});

test('a directory is made with those above it', async () => {
  const directory = join(analysis.directory, 'paa', 'nye', 'steder');
  await writeFiles(analysis.db, { ...analysis.writing('-'), directory });
  expect(readdirSync(directory)).toContain('manifest.json');
});

test('a series is read from its last whole run of everything, whatever was killed after it, and whatever the clock says', async () => {
  const series = seriesOf('avbrutt');
  const at = (name = ''): string => join(series.series, name);
  const runs = (): string[] => readdirSync(series.series).sort();
  const kinds = (): string[] => runs().map((name) => name.replace(/^.*-/, ''));
  await analysis.put(idOf(1), ON_A_MEASURE);
  await analysis.put(idOf(2), ON_A_MEASURE);
  await api.feedSeen();
  await continueSeries(analysis.db, series);
  const [before = ''] = runs();
  cpSync(at(before), join(analysis.directory, 'kopi'), { recursive: true });
  await analysis.remove(idOf(2), 'SLETTET');
  await api.feedSeen();
  await continueSeries(analysis.db, { ...series, allEveryDays: 0 });
  // As when it was killed before it had taken away what was before it, and one after it before it was whole.
  cpSync(join(analysis.directory, 'kopi'), at(before), { recursive: true });
  cpSync(at(before), at('29991231T235959999Z-endringer'), { recursive: true });
  rmSync(at('29991231T235959999Z-endringer/manifest.json'));
  expect(await latestIn('avbrutt')).toHaveLength(1);
  await continueSeries(analysis.db, series);
  expect(kinds()).toEqual(['alt', 'endringer']);

  const [, last = ''] = runs();
  renameSync(at(last), at('29990101T000000000Z-endringer'));
  await analysis.put(idOf(1), { ...ON_A_MEASURE, kind: 'SOMMERJOBB' });
  await api.feedSeen();
  await continueSeries(analysis.db, series);
  expect(runs().at(-1)).toBe('29990101T000000001Z-endringer');
  expect(await latestIn('avbrutt')).toMatchObject([{ tiltakstype: 'SOMMERJOBB' }]);
});

test('the login has the view, the places of the feed and a line of the audit, and nothing more', async () => {
  const rights = await api.owner.query<{ what: string; columns: string[] }[]>(
    `select table_name || ' ' || privilege_type as what, array_agg(column_name::text order by column_name) as columns
     from information_schema.role_column_grants where grantee = 'datadeling_analyse' group by 1 order by 1`,
  );
  const [view, ...others] = rights;
  expect(view?.what).toBe('avtale_analyse SELECT');
  expect(view?.columns).toEqual(columnsRead());
  expect(others).toEqual([
    { what: 'endring SELECT', columns: ['avtale_id', 'lopenr', 'tx'] },
    { what: 'instans SELECT', columns: ['beskaaret_til', 'epoke', 'tidslinje'] },
    {
      what: 'oppslagslinje INSERT',
      columns: [
        ...['antall_treff', 'behandlingsgrunnlag', 'call_uuid', 'felter', 'form', 'konsument', 'operasjon', 'posisjon'],
        ...['tillatt', 'utvalg'],
      ],
    },
  ]);
  for (const name of ['deltaker_fnr', 'bedrift_navn', 'veileder_nav_ident'])
    await expect(analysis.db.query(`select ${name} from avtale`)).rejects.toMatchObject({ code: '42501' });
});

test('a subscriber gets the table of the product, its changes, and nothing else whatever it asks for', async () => {
  const { product, keys, callId } = analysis.writing('-');
  const copy = (): ReturnType<typeof copyToTable> =>
    copyToTable(analysis.db, analysis.target, { product, keys, callId });
  await analysis.put(idOf(1), ON_A_MEASURE);
  await analysis.put(idOf(2), ON_A_MEASURE);
  await api.feedSeen();
  expect(await copy()).toMatchObject({ slag: 'ALT', rader: 2, fjernet: 0 });

  const { directory, clean } = createWorkDir('abonnent');
  const warehouse = await startPostgres({
    ...{
      port: await freePort(),
      dataDir: join(directory, 'postgres'),
      logFile: join(directory, 'log'),
      throwaway: true,
    },
  });
  const there = new pg.Pool({ connectionString: warehouse.url, max: 2 }).on('error', () => undefined);
  try {
    const { host, port } = api.database;
    const { user, password } = analysis.replication;
    const { rows: columns } = await analysis.target.query<{ column: string }>(
      `select quote_ident(attname) || ' ' || format_type(atttypid, atttypmod) as column from pg_attribute
       where attrelid = 'produkter.tiltaksdeltakelse'::regclass and attnum > 0`,
    );
    await there.query(`create schema produkter; create schema intern; create table intern.tilstand (produkt text primary key);
      create table produkter.tiltaksdeltakelse (${columns.map(({ column }) => column).join(', ')}, ny_kolonne text, primary key ("avtaleNoekkel"))`);
    const source = `host=${host} port=${String(port)} dbname=${analysis.targetName} user=${user} password=${password}`;
    await there.query(`create subscription lager connection '${source}' publication ${publicationName(product)}`);
    const ask =
      'select "avtaleNoekkel", stillingprosent::float8 as percent, ny_kolonne from produkter.tiltaksdeltakelse order by 1';
    const keyOf = (n: number): string => keys.of('NOKKEL', idOf(n));
    const arrived = (wanted: [string, number][]): Promise<boolean> =>
      waitUntil(
        async () => {
          const { rows } = await there.query<{ avtaleNoekkel: string; percent: number; ny_kolonne: string | null }>(
            ask,
          );
          const sorted = wanted.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, n]) => [key, n, null]);
          const found = rows.map((row) => [row.avtaleNoekkel, row.percent, row.ny_kolonne]);
          return JSON.stringify(found) === JSON.stringify(sorted);
        },
        { what: 'the changes to come to the subscriber' },
      );
    await arrived([
      [keyOf(1), 37.5],
      [keyOf(2), 37.5],
    ]);

    // A column that comes to the table is not published, nor is a table beside it.
    await analysis.target.query(
      `alter table produkter.tiltaksdeltakelse add column ny_kolonne text default 'hemmelig'`,
    );
    await analysis.target.query(`update produkter.tiltaksdeltakelse set ny_kolonne = 'hemmelig'`);
    await expect(copy()).rejects.toBeInstanceOf(TableError);
    await analysis.target.query('alter table produkter.tiltaksdeltakelse drop column ny_kolonne');
    await analysis.remove(idOf(1), 'SLETTET');
    await analysis.put(idOf(2), { ...ON_A_MEASURE, percent: 80 });
    await api.feedSeen();
    expect(await copy()).toMatchObject({ slag: 'ENDRINGER', rader: 1, fjernet: 1 });
    await arrived([[keyOf(2), 80]]);
    expect((await there.query('select srrelid::regclass::text as name from pg_subscription_rel')).rows).toEqual([
      { name: 'produkter.tiltaksdeltakelse' },
    ]);
    expect((await there.query('select from intern.tilstand')).rowCount).toBe(0);

    const replicator = new pg.Client({ host, port, database: analysis.targetName, user, password });
    await replicator.connect();
    await expect(replicator.query('select from intern.tilstand')).rejects.toMatchObject({ code: '42501' });
    // Whatever reads the log of changes there finds that database only: avtaler are in another.
    await replicator.query(`select pg_create_logical_replication_slot('alt_${analysis.targetName}', 'test_decoding')`);
    await analysis.put(idOf(3), ON_A_MEASURE);
    const { rows } = await replicator.query<{ data: string }>(
      `select data from pg_logical_slot_get_changes('alt_${analysis.targetName}', null, null)`,
    );
    expect(rows.filter(({ data }) => /avtale:|INSERT|UPDATE/.test(data))).toEqual([]);
    await replicator.query(`select pg_drop_replication_slot('alt_${analysis.targetName}')`);
    await replicator.end();
    const elsewhere = new pg.Client({ host, port, database: api.database.database, user, password });
    await expect(elsewhere.connect()).rejects.toMatchObject({ code: '42501' });
    await there.query('drop subscription lager');
  } finally {
    await there.end();
    await warehouse.stop();
    clean();
  }
  expect(existsSync(directory)).toBe(false);
}, 90_000);
