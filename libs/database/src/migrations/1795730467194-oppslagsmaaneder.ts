import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, dropIndexConcurrently, repeatable } from '../migration-steps.ts';
import { partitionByMonth, unpartition, type MonthlyTable } from '../partitioning.ts';

/**
 * The audit of look-ups in partitions by month, what has been exported of it, and who has read it and why (ADR 56). The
 * table that was there becomes the first partition, as it lies: nothing is copied, and look-ups wait for milliseconds.
 */
export class Oppslagsmaaneder1795730467194 implements MigrationInterface {
  /** Interrupted, it goes on where it was. */
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await partitionByMonth(db, OPPSLAGSLINJE);
  }

  async down(db: QueryRunner): Promise<void> {
    await unpartition(db, OPPSLAGSLINJE);
    const [old] = (await db.query(
      "select from pg_indexes where indexname = 'oppslagslinje_person' and indexdef not like '%n_distinct_per_range%'",
    )) as object[];
    if (old) return;
    await createIndexConcurrently(
      db,
      'oppslagslinje_tabell_person',
      'oppslagslinje using brin (person uuid_bloom_ops) with (pages_per_range = 32, autosummarize = on)',
    );
    await dropIndexConcurrently(db, 'oppslagslinje_person');
    await repeatable(db, 'index', 'alter index oppslagslinje_tabell_person rename to oppslagslinje_person');
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

/** Numbers go on where they were: no two lines have the same. */
const REMEMBER = `select set_config('tiltak.neste', nextval(pg_get_serial_sequence('$table', 'id'))::text, true);`;
const GO_ON = `select setval(pg_get_serial_sequence('oppslagslinje', 'id'), current_setting('tiltak.neste')::bigint, false);`;

const OPPSLAGSLINJE: MonthlyTable = {
  table: 'oppslagslinje',
  column: 'tidspunkt',
  key: 'tidspunkt, id',
  plainKey: 'tidspunkt, id',
  minDays: 365,
  condition: 'hindring_oppslag',
  indexes: { oppslagslinje_person: BY_PERSON, oppslagslinje_personer: PERSONS, oppslagslinje_uten_navn: NAMELESS },
  /** Attached without the index of the months, one would be made under a lock; with another, that would be taken for it. */
  prepare: async (db) => {
    await createIndexConcurrently(db, 'oppslagslinje_maaned_person', `oppslagslinje ${BY_PERSON}`);
    await dropIndexConcurrently(db, 'oppslagslinje_person');
  },
  yield: `
    ${REMEMBER.replace('$table', () => '$old')}
    alter table $old alter id drop identity;
    alter index oppslagslinje_maaned_person rename to oppslagslinje_person;`,
  create: `
    create table oppslagslinje (
      id bigint generated always as identity,
      tidspunkt timestamptz(6) default clock_timestamp() not null,
      konsument text,
      behandlingsgrunnlag text,
      operasjon text,
      felter text[],
      personer uuid[],
      antall_treff integer,
      tillatt boolean not null,
      call_id text,
      posisjon text,
      utvalg jsonb,
      avslag text,
      antall_kall integer,
      form bigint,
      call_uuid uuid,
      person uuid,
      constraint oppslagslinje_call_check check (num_nonnulls(call_id, call_uuid) = 1),
      constraint oppslagslinje_form_check check (form is not null or num_nulls(konsument, operasjon, felter) = 0),
      constraint oppslagslinje_person_check check (person is null or personer is null)
    ) partition by range (tidspunkt);
    ${GO_ON} ${COMMENTS} ${GRANTS} ${VIEW} ${ARCHIVE} ${READ}`,
  remember: `
    ${REMEMBER.replace('$table', 'oppslagslinje')}
    create or replace view oppslag as
      select id, tidspunkt, konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id,
        posisjon, utvalg, avslag, antall_kall from $old;`,
  restore: `
    alter table oppslagslinje alter id add generated always as identity;
    ${GO_ON} ${COMMENTS} ${GRANTS} ${VIEW}
    drop function hindring_oppslag(regclass, timestamptz);
    drop function bekreft_oppslagsarkiv(text, bigint, text, text);
    drop table oppslagsarkiv;
    drop table oppslagsinnsyn;`,
};
