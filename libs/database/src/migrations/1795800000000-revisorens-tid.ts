import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Since when the change feed goes back: what was told before that can't be held against it, and need not be. */
export class RevisorensTid1795800000000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('grant select (tidspunkt) on endring to datadeling_revisor');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('revoke select (tidspunkt) on endring from datadeling_revisor');
  }
}
