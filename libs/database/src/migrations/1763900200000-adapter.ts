import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Adapters that push over REST: the contract and heartbeat of the organisation's adapter, and its syncs. */
export class Adapter1763900200000 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      create table adapter (
        id boolean primary key default true check (id),
        adapter_id text not null,
        klient text not null,
        heartbeat_intervall_minutter integer not null,
        full_synk_intervall_dager integer not null,
        delta_synk text not null check (delta_synk in ('STRAKS', 'MINST_HVERT_15_MINUTT', 'INGEN')),
        ressurser text[] not null,
        opprettet timestamptz(6) not null default now(),
        endret timestamptz(6) not null default now(),
        hjerteslag timestamptz(6)
      );
      comment on table adapter is 'At most one row: the contract of the one adapter of this organisation';

      create table synk (
        synk_id text primary key,
        type text not null check (type in ('FULL', 'DELTA', 'SLETT')),
        tilstand text not null default 'MOTTAR' check (tilstand in
          ('MOTTAR', 'SLETTER', 'VENTER_PAA_BEKREFTELSE', 'FULLFOERT', 'ERSTATTET', 'UTLOEPT', 'FEILET')),
        antall_sider integer not null check (antall_sider > 0),
        antall_totalt integer not null check (antall_totalt >= 0),
        start_offset jsonb not null,
        startet timestamptz(6) not null default clock_timestamp(),
        avsluttet timestamptz(6),
        kjente integer,
        skal_slettes integer,
        bekreftet_av text
      );
      comment on column synk.start_offset is
        'End of each partition before anything of the sync was published: what lies before it was known when it began';
      create index synk_startet on synk (startet);
      create unique index synk_en_full on synk ((true))
        where type = 'FULL' and tilstand in ('MOTTAR', 'SLETTER', 'VENTER_PAA_BEKREFTELSE');

      create table synk_side (
        synk_id text not null references synk on delete cascade,
        side integer not null,
        avtrykk bytea not null,
        antall integer not null,
        mottatt timestamptz(6) not null default clock_timestamp(),
        primary key (synk_id, side)
      );
      comment on table synk_side is 'Pages that are on Kafka. avtrykk: SHA-256 of what was published';

      create table synk_avtale (
        synk_id text not null references synk on delete cascade,
        avtale_id uuid not null,
        primary key (synk_id, avtale_id)
      );
      comment on table synk_avtale is 'The avtaler of a full sync, until it has ended';

      grant select, insert, update on adapter, synk to datadeling_skriver;
      grant select, insert on synk_side to datadeling_skriver;
      grant select, insert, delete on synk_avtale to datadeling_skriver;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('drop table synk_avtale, synk_side, synk, adapter');
  }
}
