import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, inBatches, step, type Batches } from '../migration-steps.ts';

/**
 * Parked messages in bounded space, and actions on all of those with a reason. And avtaler that a change from the future
 * pinned before such changes were parked: they can be replaced again.
 */
export class ParkerteSamlet1795696912850 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(
      db,
      'parked',
      `
      alter table parkert_melding add column utelatt boolean not null default false, add column lengde integer,
        add column slett_foer bigint;
      comment on column parkert_melding.utelatt is
        'Its bytes are left on the topic, which a replay reads: they were too many, or too many had the same reason';
      comment on column parkert_melding.verdi is
        'As it came, or packed: see ingest/parked-bytes.ts. The ids of avtaler stand in it in clear text either way';
      comment on column parkert_melding.lengde is 'Of verdi when it is unpacked, in bytes; null: as it stands';
      comment on column parkert_melding.slett_foer is
        'Of a tombstone of a full sync: the offset of its partition that it does not delete beyond';

      create table parkert_handling (
        id bigint generated always as identity primary key,
        handling text not null check (handling in ('SPILL_AV', 'FORKAST')),
        kode text,
        felt text,
        begrunnelse text,
        hvem text not null,
        klient text not null,
        driftshandling bigint not null,
        tilstand text not null default 'KJORER' check (tilstand in ('KJORER', 'FERDIG', 'STOPPET', 'FEILET')),
        til_id bigint not null,
        siste_id bigint not null default 0,
        antall integer not null,
        utfoert integer not null default 0,
        fortsatt_parkert integer not null default 0,
        aarsak text,
        startet timestamptz(6) not null default now(),
        avsluttet timestamptz(6),
        arbeider uuid,
        fornyet timestamptz(6)
      );
      comment on table parkert_handling is
        'Actions on many parked messages at once: done piece by piece, by whichever ingestor is there';
      comment on column parkert_handling.til_id is 'The newest message when it was asked for: none after it is touched';
      comment on column parkert_handling.siste_id is 'The last message that it is done with';
      comment on column parkert_handling.arbeider is 'The process that does it, until fornyet is too old';
      create unique index parkert_handling_en_om_gangen on parkert_handling ((true)) where tilstand = 'KJORER';
      grant select, insert, update on parkert_handling to datadeling_skriver;
    `,
    );
    for (const [name, on] of INDEXES) await createIndexConcurrently(db, name, `parkert_melding ${on}`);
    await inBatches(db, UNPIN);
  }

  /** What is packed can't be read by what was there before: its bytes go, and the topic has them. */
  async down(db: QueryRunner): Promise<void> {
    await inBatches(db, PACKED);
    await step(
      db,
      'parked',
      `
      drop table parkert_handling;
      drop index parkert_melding_aarsak, parkert_melding_med_innhold, parkert_melding_utelatt;
      comment on column parkert_melding.verdi is null;
      alter table parkert_melding drop column utelatt, drop column lengde, drop column slett_foer;
    `,
    );
  }
}

const INDEXES = [
  ['parkert_melding_aarsak', `(kode, felt, id) where tilstand = 'PARKERT'`],
  ['parkert_melding_med_innhold', `(kode) where tilstand = 'PARKERT' and innhold_fjernet is null and not utelatt`],
  [
    'parkert_melding_utelatt',
    `(topic, partisjon, kafka_offset) where tilstand = 'PARKERT' and innhold_fjernet is null and utelatt`,
  ],
] as const;

const PACKED: Batches = {
  name: 'what is packed',
  table: 'parkert_melding',
  key: 'id',
  sql: (range) => `
    update parkert_melding set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'FRIST'
    where ${range('id')} and innhold_fjernet is null
      and (utelatt or substring(verdi from 1 for 7) = '\\x005a4c49423100'::bytea)`,
};

/**
 * No change is from more than a day after it was received. One that was taken for such before that was a rule wins over
 * all that come; from now on it counts as made when it was received, and what changed since replaces it: the next message
 * by itself, one that has come and lost when the topic is read again.
 */
const UNPIN: Batches = {
  name: 'pinned by the future',
  table: 'avtale',
  key: 'avtale_id',
  sql: (range) => `
with festet as (
  update avtale set sist_endret = mottatt, avtrykk = null
  where ${range('avtale_id')} and sist_endret > mottatt + interval '24 hours'
  returning avtale_id, slettet, feilregistrert, mottatt
), versjoner as (
  update avtale_versjon v set sist_endret = v.laert from festet
  where v.avtale_id = festet.avtale_id and v.sist_endret > v.laert + interval '24 hours'
)
insert into endring (avtale_id, type)
select avtale_id, 'ENDRET' from festet where slettet is null and not feilregistrert`,
};
