import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rebuilding from the topic: positions of its own, so that those of the stream are left alone. */
export class Gjenoppbygging1763900300001 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table gjenoppbygging (
        id bigint generated always as identity primary key,
        topic text not null,
        tilstand text not null default 'KJORER' check (tilstand in ('KJORER', 'STOPPET', 'FERDIG')),
        startet timestamptz(6) not null default now(),
        startet_av text not null,
        avsluttet timestamptz(6),
        rettet bigint not null default 0
      );
      comment on column gjenoppbygging.rettet is 'Rows that were not what their message says';
      create unique index gjenoppbygging_en_om_gangen on gjenoppbygging (topic) where tilstand = 'KJORER';

      create table gjenoppbygging_partisjon (
        gjenoppbygging bigint not null references gjenoppbygging,
        partisjon integer not null,
        start_offset bigint not null,
        neste_offset bigint not null,
        slutt_offset bigint not null,
        primary key (gjenoppbygging, partisjon)
      );

      create table gjenoppbygging_sett (
        gjenoppbygging bigint not null references gjenoppbygging,
        avtale_id uuid not null,
        primary key (gjenoppbygging, avtale_id)
      );
      comment on table gjenoppbygging_sett is 'Avtaler that the topic still tells of; emptied when it is finished';

      create table gjenoppbygging_usett (
        gjenoppbygging bigint not null references gjenoppbygging,
        avtale_id uuid not null,
        primary key (gjenoppbygging, avtale_id)
      );
      comment on table gjenoppbygging_usett is 'Avtaler that are stored, and that the topic does not tell of any more';

      grant select, insert, update on gjenoppbygging, gjenoppbygging_partisjon to datadeling_skriver;
      grant select, insert, delete on gjenoppbygging_sett, gjenoppbygging_usett to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table gjenoppbygging_usett, gjenoppbygging_sett, gjenoppbygging_partisjon, gjenoppbygging');
  }
}
