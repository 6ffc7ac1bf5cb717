import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether few avtaler have dates in an area, found out at the price of few: the walk of a search asks it. */
export class AvtalerIDatoer1795736553726 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create function avtaler_i_datoer(omraade box, antall integer) returns setof uuid
      language plpgsql stable rows 200 set search_path = pg_catalog, public, pg_temp
      set enable_bitmapscan = off set enable_seqscan = off as $$ begin
        return query select a.avtale_id from public.avtale_synlig a
          where ${DATES} <@ omraade limit antall;
      end $$;
      comment on function avtaler_i_datoer(box, integer) is
        'So many avtaler at most with start and end in an area, days since 2000: read from the index one by one, never all of them first';
      revoke execute on function avtaler_i_datoer(box, integer) from public;
      grant execute on function avtaler_i_datoer(box, integer) to datadeling_leser;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop function avtaler_i_datoer(box, integer)');
  }
}

/** As the index avtale_datoer has it. */
const DATES = `point(coalesce(start_dato - date '2000-01-01', 10000000), coalesce(slutt_dato - date '2000-01-01', 10000000))`;
