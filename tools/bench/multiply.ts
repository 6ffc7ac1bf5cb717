import type pg from 'pg';
import { deltakerIdOf } from '../e2e/system.ts';
import { NUMBER_STEP, YEARS, type Copies } from './copies.ts';
import { withClient } from './servers.ts';

/**
 * More copies of the original by SQL: what the ingestor made of one of the first `YEARS`, under the ids, persons and employers
 * of another. `requireSameAsIngested` holds some of it against the ingestor.
 */
export async function multiply(
  url: string,
  copies: Copies,
  { first, avtaler }: { first: number; avtaler: number },
): Promise<{ next: number; partial: number | undefined }> {
  return withClient(url, async (db) => {
    await db.query(FAST);
    await stage(db, copies);
    const indexes = await dropIndexes(db);
    const sql = await statements(db);
    const makeCopy = (nr: number, wanted?: number[]): Promise<void> => copyOf(db, copies, sql, { nr, wanted });
    let [nr, left] = [first, avtaler];
    for (; left >= copies.ids.length; nr++, left -= copies.ids.length) {
      await makeCopy(nr);
      if (nr % 10 === 0) console.error(`  copy ${String(nr)}, ${String(left)} avtaler left`);
    }
    const partial = left > 0 ? nr++ : undefined;
    if (partial !== undefined) await makeCopy(partial, wholePersons(copies, left));
    await makeIndexes(db, indexes);
    await db.query(`drop schema vekst cascade; ${USUAL}`);
    return { next: nr, partial };
  });
}

/** Nobody misses the data if the machine stops meanwhile. Triggers tell subscribers and check versions of writers: there are none. */
const FAST = `
  set session_replication_role = replica; set synchronous_commit = off; set maintenance_work_mem = '512MB'; set work_mem = '128MB';
  set max_parallel_maintenance_workers = 2; set datestyle = iso; set timezone = utc; set jit = off`;
const SETTINGS = ['fsync', 'full_page_writes', 'autovacuum'];
const USUAL = 'reset all';

/** What the first copies came to, with the numbers that avtale, person and employer have in the original. */
async function stage(db: pg.Client, copies: Copies): Promise<void> {
  for (const name of SETTINGS) await db.query(`alter system set ${name} = off`);
  await db.query('select pg_reload_conf()');
  await db.query(STAGE);
  const numbers = (map: ReadonlyMap<string, number>): number[] => [...map.values()];
  for (let nr = 0; nr < YEARS; nr++) {
    const persons = numbers(copies.persons);
    const fnr = persons.map((n) => copies.personOf(nr, n));
    const ids = copies.ids.map((key) => copies.idOf(nr, key));
    await db.query('insert into vekst.id select $1, unnest($2::int[]), unnest($3::uuid[])', [
      nr,
      ids.map((_, i) => i),
      ids,
    ]);
    await db.query('insert into vekst.person select $1, unnest($2::int[]), unnest($3::text[]), unnest($4::uuid[])', [
      nr,
      persons,
      fnr,
      fnr.map(deltakerIdOf),
    ]);
    const employers = numbers(copies.employers);
    await db.query('insert into vekst.bedrift select $1, unnest($2::int[]), unnest($3::text[])', [
      nr,
      employers,
      employers.map((n) => copies.employerOf(nr, n)),
    ]);
  }
  await db.query(STAGED);
  await requireKnownFingerprints(db);
}

const STAGE = `
  create schema vekst;
  create unlogged table vekst.id (kopi int, id_nr int, avtale_id uuid);
  create unlogged table vekst.person (kopi int, person_nr int, fnr text, deltaker_id uuid);
  create unlogged table vekst.bedrift (kopi int, bedrift_nr int, orgnr text);
  create temp table ny_person (person_nr int, fnr text, deltaker_id uuid);
  create temp table ny_bedrift (bedrift_nr int, orgnr text);
  create function vekst.ny_id(id uuid, steg int) returns uuid language sql immutable parallel safe as $$
    select (left(id::text, 9) || lpad(to_hex((('x' || substr(id::text, 10, 4))::bit(16)::int + steg) & 65535), 4, '0')
      || substr(id::text, 14))::uuid $$`;

const staged = (table: string): string => `
  create unlogged table vekst.${table} as
    select a.*, i.kopi as vekst_kopi, i.id_nr as vekst_id, p.person_nr as vekst_person, b.bedrift_nr as vekst_bedrift
    from public.${table} a join vekst.id i using (avtale_id)
    left join vekst.person p on p.kopi = i.kopi and p.fnr = a.deltaker_fnr
    left join vekst.bedrift b on b.kopi = i.kopi and b.orgnr = a.bedrift_nr`;

const STAGED = `
  analyze vekst.id, vekst.person, vekst.bedrift;
  ${staged('avtale')};
  ${staged('avtale_versjon')} order by i.kopi, a.lopenr;
  create unlogged table vekst.relasjon as
    select r.*, i.kopi as vekst_kopi, i.id_nr as vekst_id, p.person_nr as vekst_person
    from public.relasjon r join vekst.id i on i.avtale_id = r.fra
    join vekst.person p on p.kopi = i.kopi and p.deltaker_id = r.deltaker_id;
  create unlogged table vekst.endring as
    select e.avtale_id, e.type, e.aarsak, i.kopi as vekst_kopi, i.id_nr as vekst_id
    from public.endring e join vekst.id i using (avtale_id) order by e.tx, e.lopenr;
  create index on vekst.avtale (vekst_kopi);
  create index on vekst.avtale_versjon (vekst_kopi);
  create index on vekst.relasjon (vekst_kopi);
  create index on vekst.endring (vekst_kopi);
  analyze vekst.avtale, vekst.avtale_versjon, vekst.relasjon, vekst.endring`;

/** Columns beside the content of an avtale; what is not here is content, and part of its fingerprint. */
const NOT_CONTENT = new Set(
  'deltaker_id slettet kilde_partisjon kilde_offset avtrykk mottatt har_vaert_inngaatt aldri_begynt fra_arena kilde_epoke kilde_skrevet kilde_slett_foer kilde_minne'.split(
    ' ',
  ),
);

interface Column {
  name: string;
  type: string;
}

async function columnsOf(db: pg.Client, table: string): Promise<Column[]> {
  const { rows } = await db.query<Column>(
    `select attname as name, atttypid::regtype::text as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attidentity = '' and attgenerated = '' order by attnum`,
    [`public.${table}`],
  );
  return rows;
}

/** The ingestor's: of the row as COPY text, in the order of its fields. */
function fingerprint(columns: readonly Column[]): string {
  const content = columns.filter(({ name }) => !NOT_CONTENT.has(name));
  const texts = [...content, { name: 'deltaker_id', type: 'uuid' }].map(
    ({ name, type }) => `coalesce(${asCopyText(name, type)}, '\\N')`,
  );
  return `left(encode(sha256(convert_to(${texts.join(` || E'\\t' || `)}, 'UTF8')), 'hex'), 32)::uuid`;
}

function asCopyText(name: string, type: string): string {
  if (type === 'timestamp with time zone')
    return `to_char(${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  if (type !== 'text') return `${name}::text`;
  return `replace(replace(${name}, '\\', '\\\\'), E'\\t', '\\t')`;
}

/** Else a message that is sent again would count as a change. */
async function requireKnownFingerprints(db: pg.Client): Promise<void> {
  const columns = await columnsOf(db, 'avtale');
  const { rows } = await db.query<{ n: number; all: number }>(
    `select count(*) filter (where avtrykk is distinct from ${fingerprint(columns)})::int as n, count(*)::int as all
     from vekst.avtale where ${HAS_FINGERPRINT}`,
  );
  if (!rows[0]?.all || rows[0].n > 0)
    throw new Error('The fingerprint of an avtale is another than SQL makes of its row');
}

const HAS_FINGERPRINT = 'slettet is null and avtrykk is not null';

/** One in forty lies in the change feed: it keeps 90 days of ten years. */
const FEED_EVERY = 40;

async function copyOf(
  db: pg.Client,
  copies: Copies,
  sql: readonly string[],
  { nr, wanted }: { nr: number; wanted: number[] | undefined },
): Promise<void> {
  const from = nr % YEARS;
  const persons = [...copies.persons.values()];
  const fnr = persons.map((n) => copies.personOf(nr, n));
  const employers = [...copies.employers.values()];
  await db.query('begin; truncate ny_person, ny_bedrift');
  await db.query('insert into ny_person select unnest($1::int[]), unnest($2::text[]), unnest($3::uuid[])', [
    persons,
    fnr,
    fnr.map(deltakerIdOf),
  ]);
  await db.query('insert into ny_bedrift select unnest($1::int[]), unnest($2::text[])', [
    employers,
    employers.map((n) => copies.employerOf(nr, n)),
  ]);
  const values = [from, nr - from, wanted ?? null];
  for (const statement of sql) await db.query(statement, values);
  if (nr % FEED_EVERY === 0) await db.query(FEED, values);
  await db.query('commit');
}

const OF_COPY = 'vekst_kopi = $1 and ($3::int[] is null or vekst_id = any($3))';
const NEW_PARTIES = `left join ny_person p on p.person_nr = a.vekst_person left join ny_bedrift b on b.bedrift_nr = a.vekst_bedrift`;

const NEW_VALUE: Record<string, string> = {
  avtale_id: 'vekst.ny_id(a.avtale_id, $2)',
  avtale_nr: `a.avtale_nr + $2 * ${String(NUMBER_STEP)}`,
  deltaker_fnr: 'coalesce(p.fnr, a.deltaker_fnr)',
  deltaker_id: 'coalesce(p.deltaker_id, a.deltaker_id)',
  bedrift_nr: 'coalesce(b.orgnr, a.bedrift_nr)',
};

async function statements(db: pg.Client): Promise<string[]> {
  const [avtale, version] = [await columnsOf(db, 'avtale'), await columnsOf(db, 'avtale_versjon')];
  const names = (columns: Column[]): string => columns.map(({ name }) => name).join(', ');
  const values = (columns: Column[]): string =>
    columns.map(({ name }) => `${NEW_VALUE[name] ?? `a.${name}`} as ${name}`).join(', ');
  const withFingerprint = avtale.map(({ name }) =>
    name === 'avtrykk' ? `case when ${HAS_FINGERPRINT} then ${fingerprint(avtale)} else avtrykk end` : name,
  );
  return [
    `insert into avtale (${names(avtale)}) select ${withFingerprint.join(', ')}
     from (select ${values(avtale)} from vekst.avtale a ${NEW_PARTIES} where ${OF_COPY}) ny`,
    `insert into avtale_versjon (${names(version)}) select ${values(version)}
     from vekst.avtale_versjon a ${NEW_PARTIES} where ${OF_COPY} order by a.lopenr`,
    `insert into relasjon (deltaker_id, fra, relasjon, til)
     select p.deltaker_id, vekst.ny_id(a.fra, $2), a.relasjon, vekst.ny_id(a.til, $2)
     from vekst.relasjon a join ny_person p on p.person_nr = a.vekst_person where ${OF_COPY}`,
  ];
}

const FEED = `insert into endring (avtale_id, type, aarsak)
  select vekst.ny_id(avtale_id, $2), type, aarsak from vekst.endring where ${OF_COPY}`;

/** So many avtaler that nobody has one of them and lacks another: links are between those of one person. */
function wholePersons(copies: Copies, count: number): number[] {
  const groups = copies.avtalerOfPersons();
  const chosen: number[] = [];
  for (const group of groups.sort((a, b) => b.length - a.length))
    if (chosen.length + group.length <= count) chosen.push(...group);
  if (chosen.length !== count) throw new Error(`There are no persons with ${String(count)} avtaler together`);
  return chosen;
}

interface Index {
  drop: string;
  make: string;
}

/** All of a table that grows: they are made again when it is full, which is much quicker. */
async function dropIndexes(db: pg.Client): Promise<Index[]> {
  const { rows } = await db.query<Index>(
    `select case when c.oid is null then format('drop index %s', i.indexrelid::regclass)
         else format('alter table %s drop constraint %I', i.indrelid::regclass, c.conname) end as drop,
       case when c.oid is null then pg_get_indexdef(i.indexrelid)
         else format('alter table %s add constraint %I %s', i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) end as make
     from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
     where i.indrelid = any ('{avtale,avtale_versjon,relasjon}'::regclass[]) order by c.oid is null, i.indexrelid`,
  );
  for (const { drop } of rows) await db.query(drop);
  return rows;
}

async function makeIndexes(db: pg.Client, indexes: readonly Index[]): Promise<void> {
  for (const { make } of indexes) await db.query(make);
  for (const name of SETTINGS) await db.query(`alter system reset ${name}`);
  await db.query('select pg_reload_conf()');
}
