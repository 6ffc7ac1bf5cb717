import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, step } from '../migration-steps.ts';

/**
 * Readers of the change feed. The epoch of a position holds as long as transaction ids mean the same: the function mixes
 * in which cluster this is and its timeline, so that a database restored from a backup, loaded into another cluster or
 * taken over by a replica answers with another epoch by itself.
 */
export class Endringsstrom1763900000000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await createIndexConcurrently(db, 'endring_tidspunkt', 'endring using brin (tidspunkt)');
    await step(
      db,
      'epoch',
      `
      alter table instans add column beskaaret_til xid8 not null default '0';
      comment on column instans.beskaaret_til is 'Changes of transactions before this one have been removed for age';

      create function endringsepoke() returns uuid language sql stable as $$
        select md5(concat_ws('/', i.epoke, s.system_identifier, c.timeline_id))::uuid
        from instans i, pg_control_system() s, pg_control_checkpoint() c
      $$;
      comment on function endringsepoke is 'A position in the change feed means something only within one epoch';

      grant select on endring to datadeling_leser;
      grant update (beskaaret_til) on instans to datadeling_skriver;
    `,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'epoch',
      `
      revoke select on endring from datadeling_leser;
      drop function endringsepoke;
      drop index endring_tidspunkt;
      alter table instans drop column beskaaret_til;
    `,
    );
  }
}
