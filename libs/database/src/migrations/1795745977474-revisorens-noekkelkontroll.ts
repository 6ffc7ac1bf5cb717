import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whoever reads the audit by a national ident makes sure of the key first: another one finds nobody, without an error. */
export class RevisorensNoekkelkontroll1795745977474 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('grant select (noekkelkontroll) on instans to datadeling_revisor');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('revoke select (noekkelkontroll) on instans from datadeling_revisor');
  }
}
