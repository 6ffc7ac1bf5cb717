import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A check of the relations that failed is over, and says so: else it would be begun again at once, for ever. */
export class RelasjonskontrollFeilet1795724443665 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table relasjonskontroll add column feilet boolean not null default false;
      comment on column relasjonskontroll.feilet is 'It ended without a result';
      grant update (feilet) on relasjonskontroll to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('alter table relasjonskontroll drop column feilet');
  }
}
