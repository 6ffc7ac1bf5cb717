import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What rebuilds and bulk actions leave behind is for those who look into them: the last of each stay, as of other reports. */
export class Rapportrydding1795731709496 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create function rydd_rapporter() returns void
      language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
      declare
        foerste bigint := (select id from public.gjenoppbygging order by id desc offset 49 limit 1);
      begin
        delete from public.gjenoppbygging_usett where gjenoppbygging < foerste;
        delete from public.gjenoppbygging_partisjon p using public.gjenoppbygging g
          where g.id = p.gjenoppbygging and g.id < foerste and g.tilstand <> 'KJORER';
        delete from public.gjenoppbygging g where g.id < foerste and g.tilstand <> 'KJORER'
          and not exists (select from public.gjenoppbygging_sett s where s.gjenoppbygging = g.id);
        delete from public.parkert_handling
          where tilstand <> 'KJORER' and id < (select id from public.parkert_handling order by id desc offset 999 limit 1);
      end $$;
      comment on function rydd_rapporter() is 'The last fifty rebuilds stay, and the last thousand bulk actions: who did them is in driftshandling';
      revoke execute on function rydd_rapporter() from public;
      grant execute on function rydd_rapporter() to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop function rydd_rapporter()');
  }
}
