import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Syncs that are long over are removed, and their pages with them. */
export class Synkopprydding1763900700000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query('grant delete on synk to datadeling_skriver');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('revoke delete on synk from datadeling_skriver');
  }
}
