import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the change feed has been told of on the trigger topic. */
export class TriggerPosisjon1795718029419 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table trigger_posisjon (
        topic text primary key,
        epoke uuid not null,
        tx xid8 not null,
        lopenr bigint not null,
        flyttet timestamptz(6) not null default clock_timestamp(),
        hull timestamptz(6)
      );
      comment on table trigger_posisjon is
        'The last line of the change feed that is on the trigger topic: what comes after it may be there already, after a kill';
      comment on column trigger_posisjon.epoke is 'Of the change feed, when the position was set';
      comment on column trigger_posisjon.hull is 'When the feed was last found to lack lines that had not been published';
      grant select, insert, update on trigger_posisjon to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table trigger_posisjon');
  }
}
