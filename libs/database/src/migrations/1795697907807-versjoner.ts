import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which versions may write side by side (ADR 36). Whoever writes says by which contract it does, in a setting of its
 * session; one that is older than `instans.kontrakt_minst` is refused by the database, also 1.0.0, which says nothing.
 */
export class Versjoner1795697907807 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table instans
        add column kontrakt_minst integer not null default 1,
        add column relasjoner_kontrollert text,
        add column tidligere_identer_kom bigint not null default 1,
        add column tidligere_identer_gikk bigint not null default 0;
      comment on column instans.kontrakt_minst is 'Who writes by an older contract is refused; set by the migration job';
      comment on column instans.relasjoner_kontrollert is 'The build of the ingestor that last checked all relations';
      comment on column instans.tidligere_identer_kom is 'How often a history may have got an ident that the source has corrected';
      comment on column instans.tidligere_identer_gikk is 'How many of those had been when all such idents were last removed';
      grant update (relasjoner_kontrollert, tidligere_identer_kom, tidligere_identer_gikk) on instans to datadeling_skriver;

      create unlogged table ingestor_i_drift (
        prosess uuid primary key,
        bygg text not null,
        kontrakt integer not null,
        sett timestamptz(6) not null
      );
      comment on table ingestor_i_drift is 'A row for each ingestor, as it last told: its build, and the contract that it writes by';
      grant select on ingestor_i_drift to datadeling_skriver;
    `);
    await db.query(FUNCTIONS);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop trigger krev_kontrakt on konsum_offset;
      drop trigger krev_kontrakt on avtale;
      drop trigger krev_kontrakt on endring;
      drop trigger krev_kontrakt on relasjon;
      drop function krev_kontrakt(), meld_ingestor(uuid, text, integer);
      drop table ingestor_i_drift;
      revoke update (relasjoner_kontrollert, tidligere_identer_kom, tidligere_identer_gikk) on instans from datadeling_skriver;
      alter table instans drop column kontrakt_minst, drop column relasjoner_kontrollert,
        drop column tidligere_identer_kom, drop column tidligere_identer_gikk;
    `);
  }
}

/**
 * The SQLSTATE is of a class that every version waits out: nothing is parked, and nothing stored. The owner, and whoever
 * may be it, mends by hand.
 */
const FUNCTIONS = `
create function krev_kontrakt() returns trigger language plpgsql as $$
declare
  skriver integer := coalesce(nullif(current_setting('datadeling.kontrakt', true), '')::integer, 1);
  minst integer := (select kontrakt_minst from public.instans);
begin
  if skriver >= minst then return null; end if;
  if pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'usage') then return null; end if;
  raise exception 'This version of the ingestor writes by contract %, and the database takes % and newer: it is too old to run beside or after the version that migrated it',
    skriver, minst using errcode = '57D01';
end $$;
comment on function krev_kontrakt() is 'Refuses the statement of a version that writes by too old a contract';
create trigger krev_kontrakt before insert or update on konsum_offset for each statement execute function krev_kontrakt();
create trigger krev_kontrakt before insert or update or delete on avtale for each statement execute function krev_kontrakt();
create trigger krev_kontrakt before insert on endring for each statement execute function krev_kontrakt();
create trigger krev_kontrakt before insert or delete on relasjon for each statement execute function krev_kontrakt();

create function meld_ingestor(denne uuid, dens_bygg text, dens_kontrakt integer) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  insert into public.ingestor_i_drift values (denne, dens_bygg, dens_kontrakt, clock_timestamp())
    on conflict (prosess) do update set sett = excluded.sett;
  delete from public.ingestor_i_drift where prosess in (
    select prosess from public.ingestor_i_drift where sett < clock_timestamp() - interval '10 minutes' for update skip locked);
end $$;
comment on function meld_ingestor(uuid, text, integer) is 'Tells that an ingestor lives';
revoke execute on function meld_ingestor(uuid, text, integer) from public;
grant execute on function meld_ingestor(uuid, text, integer) to datadeling_skriver;
`;
