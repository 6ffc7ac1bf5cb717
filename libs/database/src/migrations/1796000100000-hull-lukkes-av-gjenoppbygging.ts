import type { MigrationInterface, QueryRunner } from 'typeorm';
import { step } from '../migration-steps.ts';

/** What a topic has lost is made up for by a rebuild too, when the source has published all of it again (ADR 72). */
export class HullLukkesAvGjenoppbygging1796000100000 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(
      db,
      'gaps closed by a rebuild',
      `alter table gjenoppbygging add column lukker_hull boolean not null default false;
       comment on column gjenoppbygging.lukker_hull is
         'Of a resource: who began it said that the source has published all of it again, since the gaps were found';
       comment on table konsum_hull is 'What the topic removed before it was read. Open until something has made up for it';
       comment on column konsum_hull.lukket_av is 'The reconciliation, full sync or rebuild, or who closed it';`,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'gaps closed by reconciliation only',
      `alter table gjenoppbygging drop column lukker_hull;
       comment on table konsum_hull is
         'What the topic removed before it was read. Open until a reconciliation with the source''s list has made up for it';
       comment on column konsum_hull.lukket_av is 'The reconciliation, or who closed it';`,
    );
  }
}
