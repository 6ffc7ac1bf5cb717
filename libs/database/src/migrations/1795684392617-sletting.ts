import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createIndexConcurrently, inBatches, setNotNull, step, type Batches } from '../migration-steps.ts';

/**
 * What is deleted is gone: the bytes of parked messages go when they are of no more use, and an ident that the source
 * has corrected can leave the history. From now on a version has no fingerprint: one can be tried against every ident
 * there is, and nothing asks for it.
 */
export class Sletting1795684392617 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await inBatches(db, BYTES_FROM_BEFORE);
    // It is written anew, so that a column can be worked out of its bytes.
    await step(db, 'parked', PARKED, { isLong: true });
    await createIndexConcurrently(
      db,
      'parkert_melding_avtaler',
      'parkert_melding using gin (avtaler) where innhold_fjernet is null',
    );
    await step(db, 'retention', RETENTION);
    await inBatches(db, PARKED_FROM_BEFORE);
    await step(db, 'rydd parkerte', 'select rydd_parkerte()', { isLong: true });
    await step(
      db,
      'versions',
      `
      alter table avtale_versjon alter avtrykk drop not null;
      comment on column avtale_versjon.avtrykk is 'No longer used';
      grant update (deltaker_fnr, deltaker_id, avtrykk) on avtale_versjon to datadeling_skriver;
    `,
    );
    await inBatches(db, fingerprints('null', 'avtrykk is not null'));
  }

  /** The bytes are gone; the fingerprints are made up, and nothing reads them. */
  async down(db: QueryRunner): Promise<void> {
    await inBatches(db, fingerprints('gen_random_uuid()', 'avtrykk is null'));
    await setNotNull(db, 'avtale_versjon', ['avtrykk']);
    await step(
      db,
      'versions',
      `
      revoke update (deltaker_fnr, deltaker_id, avtrykk) on avtale_versjon from datadeling_skriver;
      comment on column avtale_versjon.avtrykk is null;
      drop function rydd_parkerte();
      alter table parkert_melding drop column avtaler, drop column innhold_fjernet,
        drop column innhold_fjernet_aarsak;
      drop function parkerte_avtaler(bytea, bytea);
      comment on table parkert_melding is 'Messages that could not be used, with the raw bytes: nothing is lost';
      comment on column parkert_melding.begrunnelse is 'Why it was discarded, in the words of who did it';
    `,
    );
  }
}

const fingerprints = (value: string, which: string): Batches => ({
  name: 'fingerprints of versions',
  table: 'avtale_versjon',
  key: 'avtale_id',
  sql: (range) => `update avtale_versjon set avtrykk = ${value} where ${range('avtale_id')} and ${which}`,
});

const UUID = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}';

/** In the database, so that it is told of every message, whichever version of the ingestor has parked it. */
const PARKED = `
create function parkerte_avtaler(nokkel bytea, verdi bytea) returns uuid[]
language sql immutable parallel safe set search_path = pg_catalog as $$
  select array(
    select id::uuid from (
      select substring(encode(nokkel, 'escape') from '^(${UUID})$') as id
      union
      select (regexp_matches(encode(verdi, 'escape'), '"avtaleId"\\s*:\\s*"(${UUID})"', 'g'))[1]
    ) funnet where id is not null order by 1)
$$;
comment on function parkerte_avtaler(bytea, bytea) is
  'The avtaler that a message names, by key or content, also when it is neither JSON nor UTF-8';

alter table parkert_melding
  add column avtaler uuid[] generated always as (parkerte_avtaler(nokkel, verdi)) stored,
  add column innhold_fjernet timestamptz(6),
  add column innhold_fjernet_aarsak text
    check (innhold_fjernet_aarsak in ('SPILT_AV', 'FORKASTET', 'AVTALE_SLETTET', 'FRIST'));
comment on table parkert_melding is 'Messages that could not be used; with the raw bytes for as long as these are of use';
comment on column parkert_melding.avtaler is 'Those that the bytes name: their deletion takes the bytes too';
comment on column parkert_melding.innhold_fjernet is 'When the bytes went; place, reason and fingerprint stay';
comment on column parkert_melding.begrunnelse is 'Why it was discarded: one of a list';
`;

const RETENTION = `
create function rydd_parkerte() returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$ begin
  delete from public.parkert_melding where tilstand <> 'PARKERT' and behandlet < now() - interval '90 days';
  -- A version from before this one keeps the bytes of what it resolves.
  update public.parkert_melding
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = tilstand
  where tilstand <> 'PARKERT' and innhold_fjernet is null;
  -- Parked once more after it was deleted, or in two partitions at the same time.
  update public.parkert_melding p
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'AVTALE_SLETTET',
    tilstand = 'FORKASTET', behandlet = now(), begrunnelse = 'AVTALE_SLETTET'
  from public.avtale a
  where p.innhold_fjernet is null and a.avtale_id = any (p.avtaler) and a.slettet is not null
    and (p.partisjon <> a.kilde_partisjon or p.kafka_offset < a.kilde_offset);
  update public.parkert_melding
  set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = 'FRIST'
  where tilstand = 'PARKERT' and innhold_fjernet is null and parkert < now() - interval '1 year';
end $$;
comment on function rydd_parkerte() is
  'Resolved messages go after 90 days; of those that nobody has resolved in a year, or whose avtale is deleted, the bytes do';
revoke execute on function rydd_parkerte() from public;
grant execute on function rydd_parkerte() to datadeling_skriver;
`;

/** First, so that there is less to write anew. */
const BYTES_FROM_BEFORE: Batches = {
  name: 'bytes of resolved messages',
  table: 'parkert_melding',
  key: 'id',
  sql: (range) => `
    update parkert_melding set nokkel = null, verdi = null
    where ${range('id')} and tilstand <> 'PARKERT' and num_nonnulls(nokkel, verdi) > 0`,
};

const PARKED_FROM_BEFORE: Batches = {
  name: 'resolved messages',
  table: 'parkert_melding',
  key: 'id',
  sql: (range) => `
    update parkert_melding set nokkel = null, verdi = null, innhold_fjernet = now(), innhold_fjernet_aarsak = tilstand,
      begrunnelse = case when begrunnelse is not null then 'ANNET' end
    where ${range('id')} and tilstand <> 'PARKERT' and innhold_fjernet is null`,
};
