import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A transaction that is sent as a whole can't look at its answers before it commits: what it expects, the database
 * demands. The SQLSTATE is its own, so that nobody takes it for something said of the data (ADR 43).
 */
export class KravIBasen1795706869892 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create function krev_som_ventet(er_som_ventet boolean, hva text) returns void language plpgsql as $$ begin
        if er_som_ventet is not true then raise exception '% is not as it was read', hva using errcode = 'TD001'; end if;
      end $$;
      comment on function krev_som_ventet(boolean, text) is
        'Fails with SQLSTATE TD001 when somebody else has changed what a group of messages was read against';
      revoke execute on function krev_som_ventet(boolean, text) from public;
      grant execute on function krev_som_ventet(boolean, text) to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop function krev_som_ventet(boolean, text)');
  }
}
