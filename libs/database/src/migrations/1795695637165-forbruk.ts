import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What each query-api has let through of each consumer, so that all of them share its limits (ADR 36). Not logged: after a
 * crash it is empty, and a second later whole again. The reader has no right to the table, only to the function.
 */
export class Forbruk1795695637165 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create unlogged table forbruk (
        prosess uuid primary key,
        sett timestamptz(6) not null,
        konsumenter jsonb not null
      );
      comment on table forbruk is 'A row for each query-api: what consumers have used of their limits there, as it last told';

      create function meld_forbruk(denne uuid, brukt jsonb) returns table (andre uuid, meldt double precision, bruk jsonb)
      language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
        insert into public.forbruk values (denne, clock_timestamp(), brukt)
          on conflict (prosess) do update set sett = excluded.sett, konsumenter = excluded.konsumenter;
        -- Skips what another is removing, so that nobody waits for anybody.
        delete from public.forbruk where prosess in (
          select prosess from public.forbruk where sett < clock_timestamp() - interval '1 minute' for update skip locked);
        return query select prosess, extract(epoch from sett)::double precision, konsumenter from public.forbruk
          where prosess <> denne and sett > clock_timestamp() - interval '5 seconds';
      end $$;
      comment on function meld_forbruk(uuid, jsonb) is
        'Tells what consumers have used at this query-api, and answers with what the others that live have told; meldt is in seconds';
      revoke execute on function meld_forbruk(uuid, jsonb) from public;
      grant execute on function meld_forbruk(uuid, jsonb) to datadeling_leser;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop function meld_forbruk(uuid, jsonb);
      drop table forbruk;
    `);
  }
}
