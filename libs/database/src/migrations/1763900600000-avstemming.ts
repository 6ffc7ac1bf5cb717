import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reports of reconciliation, each with the avtaler that differ. */
export class Avstemming1763900600000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table avstemming (
        id bigint generated always as identity primary key,
        kilde text not null check (kilde in ('LISTE', 'TOPIC')),
        per timestamptz(6) not null,
        startet_av text not null,
        avsluttet timestamptz(6) not null default clock_timestamp(),
        antall_hos_kilden integer not null
      );
      comment on column avstemming.per is 'The moment that the source is compared as of';

      create table avstemming_differanse (
        avstemming bigint not null references avstemming on delete cascade,
        type text not null check (type in ('MANGLER', 'UTDATERT', 'FREMMED', 'NYERE')),
        fersk boolean not null,
        avtale_id uuid not null,
        sist_endret_hos_kilden timestamptz(6),
        sist_endret_her timestamptz(6),
        partisjon integer,
        kafka_offset bigint,
        rettet timestamptz(6),
        primary key (avstemming, type, avtale_id)
      );
      comment on column avstemming_differanse.fersk is
        'Changed so shortly before the moment, or since, that the two sides need not agree yet';
      comment on column avstemming_differanse.kafka_offset is 'Of the message that decided what was stored here';

      grant select, insert, delete on avstemming, avstemming_differanse to datadeling_skriver;
      grant update (rettet) on avstemming_differanse to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table avstemming_differanse, avstemming');
  }
}
