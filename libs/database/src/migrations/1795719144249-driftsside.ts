import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the page of those on duty shows of the last hours, and reports of checks of the relations (ADR 52). */
export class Driftsside1795719144249 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table driftsmaaling (
        tidspunkt timestamptz(6) primary key,
        etterslep bigint not null,
        alder_sekunder real,
        lest bigint not null
      );
      comment on table driftsmaaling is 'How it went each half minute of the last day, by whichever ingestor measured first';
      comment on column driftsmaaling.etterslep is 'Offsets between what is stored and the ends of the partitions';
      comment on column driftsmaaling.alder_sekunder is 'Of the data; null before the first load is done';
      comment on column driftsmaaling.lest is 'The sum of the positions: what was read between two measurements is the difference';
      grant select, insert, delete on driftsmaaling to datadeling_skriver;

      create table relasjonskontroll (
        id bigint generated always as identity primary key,
        bestilt timestamptz(6) not null default clock_timestamp(),
        startet timestamptz(6),
        avsluttet timestamptz(6),
        startet_av text not null,
        rett boolean not null,
        deltakere integer not null default 0,
        mangler integer not null default 0,
        overfloedige integer not null default 0,
        avvik jsonb not null default '[]'
      );
      comment on table relasjonskontroll is 'Checks of the stored relations against those that follow from the avtaler';
      comment on column relasjonskontroll.rett is 'What differed was put right';
      comment on column relasjonskontroll.avvik is 'The first thousand that differed';
      grant select, insert, delete on relasjonskontroll to datadeling_skriver;
      grant update (startet, avsluttet, deltakere, mangler, overfloedige, avvik) on relasjonskontroll to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table driftsmaaling, relasjonskontroll');
  }
}
