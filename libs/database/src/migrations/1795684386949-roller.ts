import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who may do what (ADR 23). The owner's login is the migration job's alone. The ingestor's has the rows that it writes:
 * its tables on the way in are made by functions of the owner, so that it needs no right to make any. Of an audit a
 * writer gives the content only; number and time are the database's, and nothing of it can be changed.
 */
export class Roller1795684386949 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- That they may see whether the schema is at their version.
      grant select on migrations to datadeling_skriver, datadeling_leser;

      revoke insert on oppslag from datadeling_leser;
      grant insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id)
        on oppslag to datadeling_leser;
      revoke insert, update (antall) on driftshandling from datadeling_skriver;
      grant insert (hvem, klient, handling, gjelder, antall, call_id) on driftshandling to datadeling_skriver;

      -- Never used.
      revoke delete on avtale, konsum_status, avstemming_differanse, gjenoppbygging_usett from datadeling_skriver;
    `);
    await db.query(FUNCTIONS);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop function klargjoer_innlasting(), klargjoer_avstemming(), fullfoer_driftshandling(bigint, integer);
      grant delete on avtale, konsum_status, avstemming_differanse, gjenoppbygging_usett to datadeling_skriver;
      revoke insert (hvem, klient, handling, gjelder, antall, call_id) on driftshandling from datadeling_skriver;
      grant insert, update (antall) on driftshandling to datadeling_skriver;
      revoke insert (konsument, behandlingsgrunnlag, operasjon, felter, personer, antall_treff, tillatt, call_id)
        on oppslag from datadeling_leser;
      grant insert on oppslag to datadeling_leser;
      revoke select on migrations from datadeling_skriver, datadeling_leser;
    `);
  }
}

/**
 * They run as the owner, whatever the session has set: each names its search path, with what is temporary last, where
 * nothing can stand before a table of the schema.
 */
const FUNCTIONS = `
create function klargjoer_innlasting() returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  if to_regclass('pg_temp.inn') is not null then return; end if;
  -- Without the constraints of avtale: what it would refuse, the update shall refuse.
  create temp table inn on commit delete rows as
    select *, kilde_partisjon as kjent_partisjon, kilde_offset as kjent_offset from public.avtale with no data;
  grant select, insert, delete on pg_temp.inn to datadeling_skriver;
end $$;
comment on function klargjoer_innlasting() is
  'Makes pg_temp.inn, where rows that replace stored avtaler lie until the transaction ends';

create function klargjoer_avstemming() returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  create temp table hos_kilden (avtale_id uuid not null, sist_endret timestamptz(6) not null);
  create temp table topicstand (avtale_id uuid primary key, sist_endret timestamptz(6), slettet text,
    partisjon integer not null, kafka_offset bigint not null);
  grant select, insert, maintain on pg_temp.hos_kilden to datadeling_skriver;
  grant select, insert, update on pg_temp.topicstand to datadeling_skriver;
end $$;
comment on function klargjoer_avstemming() is
  'Makes pg_temp.hos_kilden and pg_temp.topicstand, once for a connection, which is closed after the reconciliation';

create function fullfoer_driftshandling(handling_id bigint, utfoert integer) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  if utfoert is null or utfoert < 0 then
    raise exception 'utfoert must be a number of at least 0' using errcode = 'invalid_parameter_value';
  end if;
  update public.driftshandling set antall = utfoert where id = handling_id and antall is null;
end $$;
comment on function fullfoer_driftshandling(bigint, integer) is
  'Says once of how many an action came to be, when that was not known before it was done';

revoke execute on function klargjoer_innlasting(), klargjoer_avstemming(), fullfoer_driftshandling(bigint, integer)
  from public;
grant execute on function klargjoer_innlasting(), klargjoer_avstemming(), fullfoer_driftshandling(bigint, integer)
  to datadeling_skriver;
`;
