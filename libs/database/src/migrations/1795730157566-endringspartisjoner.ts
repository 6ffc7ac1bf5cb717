import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, dropIndexConcurrently, repeatable } from '../migration-steps.ts';
import { partitionByMonth, unpartition, type MonthlyTable } from '../partitioning.ts';

/**
 * The change feed, and what is written of it for subscriptions, in partitions by month: what is old is dropped, and not
 * deleted line by line (ADR 55). Both are read by transaction, over all partitions that there are.
 */
export class Endringspartisjoner1795730157566 implements MigrationInterface {
  /** Neither table is copied, nor locked for longer than a moment. Interrupted, it goes on where it was. */
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await repeatable(db, 'condition', CONDITION);
    // A feed that is partitioned needs no such index: the month is the partition.
    await dropIndexConcurrently(db, 'endring_tidspunkt');
    for (const table of TABLES) await partitionByMonth(db, table);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await unpartition(db, table);
    await createIndexConcurrently(db, 'endring_tidspunkt', 'endring using brin (tidspunkt)');
    await repeatable(
      db,
      'no condition',
      `drop function if exists beskjaering_hindrer(regclass, timestamptz);
       alter table instans drop column if exists beskaaret_tidspunkt`,
    );
  }
}

/**
 * A partition has gone by the time that whoever reads from before its end is told so: the horizon is committed first. And
 * what is behind the horizon is written by nobody any more. A snapshot that is older than its locks, as that of an answer to
 * Minst-Posisjon, lives for seconds: a minute after the horizon there is none that finds the partition gone and not told.
 */
const CONDITION = `
alter table instans add column if not exists beskaaret_tidspunkt timestamptz;
comment on column instans.beskaaret_tidspunkt is 'When beskaaret_til was set';
grant update (beskaaret_tidspunkt) on instans to datadeling_skriver;

create or replace function beskjaering_hindrer(partisjon regclass, slutt timestamptz) returns text
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  siste xid8;
  grense xid8;
  satt timestamptz;
begin
  execute format('select tx from %s order by tx desc limit 1', partisjon) into siste;
  select beskaaret_til, beskaaret_tidspunkt into strict grense, satt from public.instans;
  if siste >= grense then return 'it has lines that the feed still tells of'; end if;
  if siste >= pg_snapshot_xmin(pg_current_snapshot()) then return 'a transaction that is open may still write to it'; end if;
  if satt > now() - interval '1 minute' then return 'the feed has been cut for less than a minute'; end if;
  return null;
end $$;
comment on function beskjaering_hindrer(regclass, timestamptz) is 'What keeps a partition of the change feed from going';
revoke execute on function beskjaering_hindrer(regclass, timestamptz) from public;
`;

/** Replaces a piece of a function. Within a transaction the time of its lines is one, so keys with it are as narrow as before. */
const rewrite = (name: string, from: string, to: string): string => `
  do $rewrite$ declare
    before text := pg_get_functiondef('${name}'::regproc);
    after text := replace(before, '${from}', '${to}');
  begin
    if after = before then raise exception '${name} is not as it was'; end if;
    execute after;
  end $rewrite$;`;

const CONFLICT = [
  'avtale_endring_endret',
  'on conflict (tx, avtale_id) do',
  'on conflict (tx, avtale_id, tidspunkt) do',
] as const;
const TOLD = 'where r.tx = pg_current_xact_id() and r.avtale_id = n.avtale_id)';
const LINKS = ['avtale_endring_lenker', TOLD, TOLD.replace(/\)$/, ' and r.tidspunkt = now())')] as const;

const TRIGGERS = `
  create trigger avtale_endring_lenker after insert on endring referencing new table as ny
    for each statement execute function avtale_endring_lenker();
  create trigger endring_tidslinje before insert on endring
    for each statement execute function endring_noter_tidslinje();
  create trigger krev_kontrakt before insert on endring for each statement execute function krev_kontrakt();`;

const ENDRING_RIGHTS = `
  grant select on endring to datadeling_leser;
  grant select, insert, delete on endring to datadeling_skriver;
  grant select (tx, lopenr, avtale_id) on endring to datadeling_revisor;`;

/** Numbers go on where they were: no two lines have the same. */
const REMEMBER = `select set_config('tiltak.neste', nextval(pg_get_serial_sequence('endring', 'lopenr'))::text, true);`;
const GO_ON = `select setval(pg_get_serial_sequence('endring', 'lopenr'), current_setting('tiltak.neste')::bigint, false);`;

const ENDRING: MonthlyTable = {
  table: 'endring',
  column: 'tidspunkt',
  key: 'tx, lopenr, tidspunkt',
  plainKey: 'tx, lopenr',
  minDays: 1,
  condition: 'beskjaering_hindrer',
  indexes: {},
  yield: `
    ${REMEMBER.replace("'endring'", "'$old'")}
    drop trigger avtale_endring_lenker on $old;
    drop trigger endring_tidslinje on $old;
    drop trigger krev_kontrakt on $old;
    alter table $old alter lopenr drop identity;`,
  create: `
    create table endring (
      tx xid8 default pg_current_xact_id() not null,
      lopenr bigint generated always as identity,
      avtale_id uuid not null,
      type text not null,
      aarsak text,
      tidspunkt timestamptz(6) default now() not null,
      constraint endring_aarsak_check check (aarsak in ('SLETTET', 'FEILREGISTRERT')),
      constraint endring_type_check check (type in ('ENDRET', 'SLETTET'))
    ) partition by range (tidspunkt);
    comment on table endring is 'Change feed. A sequence alone would skip what commits late: a reader pages on (tx, lopenr) below the snapshot''s xmin';
    ${GO_ON} ${TRIGGERS} ${ENDRING_RIGHTS}`,
  remember: REMEMBER,
  restore: `
    alter table endring alter lopenr add generated always as identity;
    ${GO_ON} ${TRIGGERS} ${ENDRING_RIGHTS}`,
};

const AVTALE_ENDRING_RIGHTS = `
  grant select on avtale_endring to datadeling_leser;
  grant select, delete on avtale_endring to datadeling_skriver;`;

const AVTALE_ENDRING: MonthlyTable = {
  table: 'avtale_endring',
  column: 'tidspunkt',
  key: 'tx, avtale_id, tidspunkt',
  plainKey: 'tx, avtale_id',
  minDays: 1,
  condition: 'beskjaering_hindrer',
  indexes: {
    avtale_endring_avtale: '(avtale_id, tx)',
    avtale_endring_foer_deltaker: '(foer_deltaker_id, tx) where foer_deltaker_id is distinct from deltaker_id',
    avtale_endring_foer_bedrift: '(foer_bedrift_nr, tx) where foer_bedrift_nr is distinct from bedrift_nr',
    avtale_endring_foer_tiltakstype: '(foer_tiltakstype, tx) where foer_tiltakstype is distinct from tiltakstype',
  },
  yield: '',
  create: `
    create table avtale_endring (
      tx xid8 default pg_current_xact_id() not null,
      avtale_id uuid not null,
      kun_lenker boolean default false not null,
      deltaker_id uuid,
      bedrift_nr text,
      tiltakstype text,
      aarsak text,
      var_synlig boolean default false not null,
      foer_deltaker_id uuid,
      foer_bedrift_nr text,
      foer_tiltakstype text,
      foer_versjon bigint,
      felter text[],
      tidspunkt timestamptz(6) default now() not null
    ) partition by range (tidspunkt);
    comment on table avtale_endring is 'What each transaction did to an avtale that consumers see or saw: whose it is and was, for subscriptions. As old as the change feed';
    comment on column avtale_endring.kun_lenker is 'Its links alone, or what no field tells: the content is as it was';
    comment on column avtale_endring.deltaker_id is 'Of the avtale as it is after it, like bedrift_nr and tiltakstype; null when it is not to be seen';
    comment on column avtale_endring.foer_deltaker_id is 'Of the avtale as it was before; null when it was not to be seen';
    comment on column avtale_endring.foer_versjon is 'avtale_versjon.lopenr of the content before; it may be erased';
    comment on column avtale_endring.felter is 'Columns that have another value than before, and fase when it is worked out of something else; null: there was nothing before';
    ${rewrite(...CONFLICT)} ${rewrite(...LINKS)} ${AVTALE_ENDRING_RIGHTS}`,
  remember: '',
  restore: `
    ${rewrite(CONFLICT[0], CONFLICT[2], CONFLICT[1])} ${rewrite(LINKS[0], LINKS[2], LINKS[1])}
    ${AVTALE_ENDRING_RIGHTS}`,
};

const TABLES = [ENDRING, AVTALE_ENDRING];
