import { setTimeout as wait } from 'node:timers/promises';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The audit of look-ups in partitions by month, what has been exported of it, and who has read it and why (ADR 56). The
 * table that was there becomes the first partition, as it lies: nothing is copied, and look-ups wait for milliseconds.
 */
export class Oppslagsmaaneder1795730467194 implements MigrationInterface {
  /** Interrupted, it goes on where it was. */
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    if (!(await isPartitioned(db))) {
      await db.query('set statement_timeout = 0');
      const end = await boundOf(db);
      await db.query('alter table oppslagslinje validate constraint oppslagslinje_foer_check');
      await makeIndex(db);
      // Else the partitioned table would take this one for its own.
      await db.query('drop index concurrently if exists oppslagslinje_person');
      await shortly(db, partition(end));
    }
    // One of a transaction of its own: it waits for a default partition that somebody writes to.
    await shortly(db, 'select lag_partisjoner()');
  }

  async down(db: QueryRunner): Promise<void> {
    const [row] = (await db.query(
      "select partisjon::text as name from partisjoner_av('oppslagslinje') where fra is null and til is not null",
    )) as { name: string }[];
    await shortly(db, whole(row?.name ?? ''));
  }
}

async function isPartitioned(db: QueryRunner): Promise<boolean> {
  const rows: unknown[] = await db.query(
    "select from pg_class where oid = 'oppslagslinje'::regclass and relkind = 'p'",
  );
  return rows.length > 0;
}

/** Where the first partition ends: not so soon that lines could come meanwhile that are later. */
async function boundOf(db: QueryRunner): Promise<string> {
  const [{ til } = { til: '' }] = (await db.query(
    "select (date_trunc('month', now() at time zone 'UTC' + interval '5 days') + interval '1 month')::date::text as til",
  )) as { til: string }[];
  const [known] = (await db.query(
    `select substring(pg_get_constraintdef(oid) from '(\\d{4}-\\d\\d-\\d\\d)') as til from pg_constraint
     where conrelid = 'oppslagslinje'::regclass and conname = 'oppslagslinje_foer_check'`,
  )) as { til: string }[];
  if (known) return known.til;
  await shortly(
    db,
    `alter table oppslagslinje
       add constraint oppslagslinje_foer_check check (tidspunkt < timestamptz '${til} 00:00:00+00') not valid`,
  );
  return til;
}

/** As the partitioned table has it; attached without it, it would be made under a lock. */
async function makeIndex(db: QueryRunner): Promise<void> {
  const [old] = (await db.query(
    "select indisvalid as whole from pg_index where indexrelid = to_regclass('oppslagslinje_maaned_person')",
  )) as { whole: boolean }[];
  if (old?.whole) return;
  if (old) await db.query('drop index concurrently oppslagslinje_maaned_person');
  await db.query(`create index concurrently oppslagslinje_maaned_person on oppslagslinje ${BY_PERSON}`);
}

const PATIENCE_MS = 10 * 60_000;

/** All of it at once, by whoever comes first: given up and tried again rather than let look-ups wait behind it. */
async function shortly(db: QueryRunner, sql: string): Promise<void> {
  if (db.isTransactionActive) return void (await db.query(sql));
  for (const began = performance.now(); ; await wait(500)) {
    await db.startTransaction();
    try {
      await db.query("set local lock_timeout = '200ms'");
      await db.query(sql);
      return await db.commitTransaction();
    } catch (error) {
      await db.rollbackTransaction();
      const isLocked = error instanceof Error && 'code' in error && error.code === '55P03';
      if (!isLocked || performance.now() - began > PATIENCE_MS) throw error;
    }
  }
}

/**
 * A range of 32 pages has some 2,500 persons, and the filter is made for so many: made for a tenth of them, as it is
 * unless told, it let a third of all pages through.
 */
const BY_PERSON = `using brin (person uuid_bloom_ops (n_distinct_per_range = 2500, false_positive_rate = 0.002))
  with (pages_per_range = 32, autosummarize = on)`;

const CONTENT = `konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id, posisjon, utvalg,
  avslag, antall_kall, form, call_uuid, person`;

const COMMENTS = `
comment on table oppslagslinje is 'Audit: who asked for which persons, why, and what they got. Read it through oppslag';
comment on column oppslagslinje.posisjon is 'Place in the change feed of what was read, as consumers get it';
comment on column oppslagslinje.utvalg is 'The part of all avtaler that was told of, without persons';
comment on column oppslagslinje.avslag is 'Why it was refused: a code of the catalogue of errors';
comment on column oppslagslinje.antall_kall is 'Requests that the line stands for, when they are counted by the minute; null: one';
comment on column oppslagslinje.form is 'oppslagsform.nr; without it the line has consumer, purpose, operation and fields itself';
comment on column oppslagslinje.call_uuid is 'The call id, when it is a UUID in its usual form; else it is in call_id';
comment on column oppslagslinje.person is 'The only person; several are in personer. Opaque ids (deltaker_id)';`;

const GRANTS = `
grant insert (${CONTENT}) on oppslagslinje to datadeling_leser;
grant select on oppslagslinje to datadeling_revisor;`;

const PERSONS = "(tidspunkt, id) where personer <> '{}'";
const NAMELESS = `(tidspunkt, id)
  where posisjon is not null or operasjon in ('eksporterAvtaler', 'hentEndringer', 'hentStatistikk')`;

const VIEW = `
create or replace view oppslag as
  select l.id, l.tidspunkt,
    coalesce(f.konsument, l.konsument) as konsument,
    coalesce(f.behandlingsgrunnlag, l.behandlingsgrunnlag) as behandlingsgrunnlag,
    coalesce(f.operasjon, l.operasjon) as operasjon,
    coalesce(f.felter, l.felter) as felter,
    case when l.person is null then coalesce(l.personer, '{}') else array[l.person] end as personer,
    l.antall_treff, l.tillatt,
    coalesce(l.call_id, l.call_uuid::text) as call_id,
    l.posisjon, l.utvalg, l.avslag,
    coalesce(l.antall_kall, 1) as antall_kall
  from oppslagslinje l left join oppslagsform f on f.nr = l.form;`;

/** @param end of the first partition, a day that a month begins with */
const partition = (end: string): string => `
do $$
declare
  -- By its last month, as all that were a whole table.
  eldre text := 'oppslagslinje_' || to_char(date '${end}' - 1, 'YYYYMM');
  neste bigint;
  indeks record;
begin
  lock table oppslagslinje in access exclusive mode;
  select nextval(pg_get_serial_sequence('oppslagslinje', 'id')) into neste;
  alter table oppslagslinje alter column id drop identity;
  revoke insert (${CONTENT}) on oppslagslinje from datadeling_leser;
  revoke select on oppslagslinje from datadeling_revisor;
  execute format('alter table oppslagslinje rename to %I', eldre);
  for indeks in select unnest(array['pkey', 'personer', 'uten_navn']) as navn loop
    execute format('alter index %I rename to %I', 'oppslagslinje_' || indeks.navn, eldre || '_' || indeks.navn);
  end loop;
  execute format('alter index oppslagslinje_maaned_person rename to %I', eldre || '_person');
  execute format('create table oppslagslinje (like %I including defaults including constraints, primary key (tidspunkt, id))
    partition by range (tidspunkt)', eldre);
  alter table oppslagslinje drop constraint oppslagslinje_foer_check;
  execute format('alter table oppslagslinje alter column id add generated always as identity (start with %s)', neste);
  create index oppslagslinje_person on oppslagslinje ${BY_PERSON};
  create index oppslagslinje_personer on oppslagslinje ${PERSONS};
  create index oppslagslinje_uten_navn on oppslagslinje ${NAMELESS};
  execute format('alter table oppslagslinje attach partition %I for values from (minvalue) to (%L)', eldre,
    timestamptz '${end} 00:00:00+00');
  execute format('alter table %I drop constraint oppslagslinje_foer_check', eldre);
  create table oppslagslinje_default partition of oppslagslinje default;
end $$;
${COMMENTS}${GRANTS}${VIEW}${ARCHIVE}${READ}
insert into partisjonering (tabell, kolonne, minst_dager, vilkaar)
  values ('oppslagslinje', 'tidspunkt', 365, 'hindring_oppslag');`;

/** What may go, and who says so. A line says that a month is in a file that was read again, or why it may go without. */
const ARCHIVE = `
create table oppslagsarkiv (
  nr bigint generated always as identity primary key,
  maaned text not null,
  tidspunkt timestamptz(6) default clock_timestamp() not null,
  hvem text default session_user not null,
  rader bigint,
  sha256 text,
  begrunnelse text,
  constraint oppslagsarkiv_maaned_check check (maaned ~ '^[0-9]{6}$'),
  constraint oppslagsarkiv_fil_check check (num_nonnulls(rader, sha256) = 2 or (num_nonnulls(rader, sha256) = 0 and
    length(begrunnelse) >= 10))
);
comment on table oppslagsarkiv is 'Months of the audit that may go when they are old enough: they are in a file that was verified, or there is a reason. Nothing is changed or removed: the last line of a month counts';
comment on column oppslagsarkiv.sha256 is 'Of the file, compressed';
grant select on oppslagsarkiv to datadeling_revisor;

create function bekreft_oppslagsarkiv(maaneden text, antall bigint, kontrollsum text, hvorfor text) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  denne record;
  funnet bigint;
begin
  select * into denne from public.partisjoner_av('oppslagslinje') p where p.maaned = maaneden;
  if not found or denne.til > now() - interval '1 hour' then
    raise exception '% is no month of the audit that is over', maaneden using errcode = 'invalid_parameter_value';
  end if;
  if kontrollsum is not null then
    execute format('select count(*) from %s', denne.partisjon) into funnet;
    if funnet is distinct from antall then return funnet; end if;
  elsif exists (select from public.oppslagsarkiv where maaned = maaneden and sha256 is not null) then
    raise exception '% is in a file already', maaneden using errcode = 'invalid_parameter_value';
  end if;
  insert into public.oppslagsarkiv (maaned, rader, sha256, begrunnelse) values (maaneden, antall, kontrollsum, hvorfor);
  return antall;
end $$;
comment on function bekreft_oppslagsarkiv(text, bigint, text, text) is
  'Says that a month of the audit is in a file, or why it may go without one; answers with the lines that it has, and notes nothing when the file has others';
revoke execute on function bekreft_oppslagsarkiv(text, bigint, text, text) from public;
grant execute on function bekreft_oppslagsarkiv(text, bigint, text, text) to datadeling_revisor;

create function hindring_oppslag(denne regclass, slutt timestamptz) returns text
language sql stable security definer set search_path = pg_catalog, public, pg_temp set timezone = 'UTC' as $$
  select case
    when not exists (select from public.oppslagsarkiv where maaned = to_char(slutt - interval '1 month', 'YYYYMM'))
      then 'it has not been exported and verified (oppslagsarkiv)'
    when coalesce((select kjent_til from public.konsumentbruk_tidsrom) < slutt, true)
      then 'what consumers used has not been summed up' end
$$;
comment on function hindring_oppslag(regclass, timestamptz) is 'What keeps a month of the audit from going';
revoke execute on function hindring_oppslag(regclass, timestamptz) from public;
`;

const READ = `
create table oppslagsinnsyn (
  id bigint generated always as identity,
  tidspunkt timestamptz(6) default clock_timestamp() not null,
  hvem text not null,
  innlogging text default session_user not null,
  hva text not null,
  begrunnelse text not null,
  person uuid not null,
  fra date,
  til date,
  call_id text,
  constraint oppslagsinnsyn_pkey primary key (id),
  constraint oppslagsinnsyn_begrunnelse_check check (length(begrunnelse) between 10 and 1000 and begrunnelse !~ '[0-9]{11}')
);
comment on table oppslagsinnsyn is 'Audit of the audit: who has read who has seen a person, and why; written before anything is shown';
comment on column oppslagsinnsyn.person is 'Opaque id (deltaker_id)';
comment on column oppslagsinnsyn.innlogging is 'The login of the database';
grant select on oppslagsinnsyn to datadeling_revisor;
grant insert (hvem, hva, begrunnelse, person, fra, til, call_id) on oppslagsinnsyn to datadeling_revisor;`;

/** @param oldest the partition that was the whole table, which only the lines since have to be copied to */
const whole = (oldest: string): string => `
do $$
declare
  neste bigint;
begin
  lock table oppslagslinje in access exclusive mode;
  select nextval(pg_get_serial_sequence('oppslagslinje', 'id')) into neste;
  alter table oppslagslinje detach partition ${oldest};
  insert into ${oldest} select * from oppslagslinje;
  create or replace view oppslag as
    select id, tidspunkt, konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id,
      posisjon, utvalg, avslag, antall_kall from ${oldest};
  drop table oppslagslinje;
  alter table ${oldest} rename to oppslagslinje;
  alter index ${oldest}_pkey rename to oppslagslinje_pkey;
  alter index ${oldest}_personer rename to oppslagslinje_personer;
  alter index ${oldest}_uten_navn rename to oppslagslinje_uten_navn;
  drop index ${oldest}_person;
  create index oppslagslinje_person on oppslagslinje using brin (person uuid_bloom_ops)
    with (pages_per_range = 32, autosummarize = on);
  execute format('alter table oppslagslinje alter column id add generated always as identity (start with %s)', neste);
end $$;
${COMMENTS}${GRANTS}${VIEW}
delete from partisjonering where tabell = 'oppslagslinje';
drop function hindring_oppslag(regclass, timestamptz);
drop function bekreft_oppslagsarkiv(text, bigint, text, text);
drop table oppslagsarkiv;
drop table oppslagsinnsyn;`;
