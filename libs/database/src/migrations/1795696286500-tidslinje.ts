import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The epoch of the change feed changes at once when a standby has taken over. What a server says of its timeline in
 * `pg_control_checkpoint` it says after a checkpoint, minutes later. A primary knows its timeline from its WAL. One that
 * follows another has no way to tell for whoever may ask here, so the timeline is also a value in the database: it is
 * written by the first that tells of a change on a new one, and comes to whoever follows before that line does.
 */
export class Tidslinje1795696286500 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table instans add column tidslinje integer not null default 0;
      comment on column instans.tidslinje is 'The timeline of the primary, for those who follow it: never behind the change feed';

      create function primaerens_tidslinje() returns integer language sql volatile as $$
        select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
      $$;
      comment on function primaerens_tidslinje is 'Of this server, which must not be following another';

      create or replace function endringsepoke() returns uuid language sql stable as $$
        select md5(concat_ws('/', i.epoke, s.system_identifier,
          case when pg_is_in_recovery() then (
            select greatest(i.tidslinje, c.timeline_id, r.min_recovery_end_timeline)
            from pg_control_checkpoint() c, pg_control_recovery() r)
          else primaerens_tidslinje() end))::uuid
        from instans i, pg_control_system() s
      $$;

      create function noter_tidslinje() returns void language plpgsql security definer
      set search_path = pg_catalog, public, pg_temp as $$ begin
        if exists (select from public.instans where tidslinje <> public.primaerens_tidslinje()) then
          update public.instans set tidslinje = public.primaerens_tidslinje();
        end if;
      end $$;
      comment on function noter_tidslinje is 'Tells those who follow this server which timeline it is on';
      revoke execute on function noter_tidslinje from public;
      grant execute on function noter_tidslinje to datadeling_skriver;

      create function endring_noter_tidslinje() returns trigger language plpgsql security definer
      set search_path = pg_catalog, public, pg_temp as $$ begin
        perform public.noter_tidslinje();
        return null;
      end $$;
      comment on function endring_noter_tidslinje is 'No line of the feed comes to a follower before the timeline that it is from';
      revoke execute on function endring_noter_tidslinje from public;
      create trigger endring_tidslinje before insert on endring
        for each statement execute function endring_noter_tidslinje();

      select noter_tidslinje();
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop trigger endring_tidslinje on endring;
      drop function endring_noter_tidslinje;
      drop function noter_tidslinje;
      create or replace function endringsepoke() returns uuid language sql stable as $$
        select md5(concat_ws('/', i.epoke, s.system_identifier, c.timeline_id))::uuid
        from instans i, pg_control_system() s, pg_control_checkpoint() c
      $$;
      drop function primaerens_tidslinje;
      alter table instans drop column tidslinje;
    `);
  }
}
