import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A parked message keeps the time it was written, which a replay is judged by; the contract of an adapter can be released. */
export class KontraktOgSkrevet1795684192471 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      alter table parkert_melding add column skrevet timestamptz(6);
      comment on column parkert_melding.skrevet is
        'Timestamp of its record; null when it had none, and for those parked before this was kept';
      grant delete on adapter to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      revoke delete on adapter from datadeling_skriver;
      alter table parkert_melding drop column skrevet;
    `);
  }
}
