import type { MigrationInterface, QueryRunner } from 'typeorm';
import { inBatches, step, type Batches } from '../migration-steps.ts';

const COLUMNS = `
        avtale_id, avtale_nr, deltaker_fnr, deltaker_id, bedrift_nr, bedrift_navn, veileder_nav_ident,
          tiltakstype, versjon, avtale_status, avtale_inngaatt, start_dato, slutt_dato, stillingprosent,
          antall_dager_per_uke, stillingstype, godkjent_av_deltaker, godkjent_av_arbeidsgiver, godkjent_av_veileder,
          godkjent_av_beslutter, godkjent_av_nav_ident, godkjent_av_beslutter_nav_ident, godkjent_paa_vegne_av,
          godkjent_paa_vegne_av_arbeidsgiver, opphav, opprettet_tidspunkt, annullert_tidspunkt, sist_endret`;

/** Read by consumers' phases only: what they are worked out of, put so that the rule is short. */
const FACTS = `
        har_vaert_inngaatt or avtale_inngaatt is not null as har_vaert_inngaatt,
        annullert_tidspunkt is not null or coalesce(avtale_status in ('ANNULLERT', 'AVBRUTT'), false) as annullert,
        (annullert_tidspunkt at time zone 'Europe/Oslo')::date as annullert_dag,
        (har_vaert_inngaatt or avtale_inngaatt is not null)
          and coalesce((annullert_tidspunkt at time zone 'Europe/Oslo')::date > start_dato, false)
          and not coalesce(aldri_begynt, false) as annullert_underveis,
        coalesce(aldri_begynt, false) as aldri_begynt,
        coalesce(fra_arena, opphav = 'ARENA', false) as fra_arena`;

/**
 * The phase of an avtale on a day (docs/fase.md). What it needs beside the reduced avtale is unknown for what is stored
 * already, until a rebuild has read it; that it was entered into is known of the versions.
 */
export class Fase1795684156196 implements MigrationInterface {
  readonly transaction = false;

  async up(db: QueryRunner): Promise<void> {
    await step(
      db,
      'avtale',
      `
      alter table avtale add har_vaert_inngaatt boolean not null default false,
        add aldri_begynt boolean, add fra_arena boolean;
      comment on column avtale.har_vaert_inngaatt is 'In this version or one before it; false again when it is erased';
      comment on column avtale.aldri_begynt is 'The reason for its annulment says that it never began; null: not read yet';
      comment on column avtale.fra_arena is 'By opphav, or by a flag of an approval on behalf; null: not read yet';
    `,
    );
    await step(
      db,
      'avtale_versjon',
      `
      alter table avtale_versjon add har_vaert_inngaatt boolean not null default false,
        add aldri_begynt boolean, add fra_arena boolean;
      grant update (aldri_begynt, fra_arena) on avtale_versjon to datadeling_skriver;
    `,
    );
    await inBatches(db, VERSIONS_ENTERED);
    await inBatches(db, AVTALER_ENTERED);
    await step(
      db,
      'phase',
      `
      create or replace view avtale_synlig as
        select ${COLUMNS}, mottatt, ${FACTS}
        from avtale where slettet is null and not feilregistrert;
      create or replace view avtale_versjon_synlig as
        select ${COLUMNS}, feilregistrert, laert, lopenr, ${FACTS}
        from avtale_versjon v
        where exists (
          select from avtale a where a.avtale_id = v.avtale_id and a.slettet is null and not a.feilregistrert);

      create function fase(dag date, start_dato date, slutt_dato date, inngaatt boolean, har_vaert_inngaatt boolean,
        annullert boolean, annullert_dag date, annullert_underveis boolean, fra_arena boolean) returns text
      language sql immutable as $$
        select case
          when annullert and not annullert_underveis then 'ANNULLERT'
          when annullert and dag < start_dato then 'PLANLAGT'
          when annullert and dag < annullert_dag and (slutt_dato is null or dag <= slutt_dato) then 'PAAGAAR'
          when annullert then 'AVSLUTTET'
          when inngaatt and slutt_dato < dag then 'AVSLUTTET'
          when inngaatt and start_dato <= dag then 'PAAGAAR'
          when inngaatt then 'PLANLAGT'
          when (har_vaert_inngaatt or fra_arena) and start_dato <= dag and dag <= slutt_dato then 'IKKE_INNGAATT_PAA_NYTT'
          when har_vaert_inngaatt and slutt_dato < dag then 'AVSLUTTET'
          else 'UTKAST'
        end
      $$;
      comment on function fase(date, date, date, boolean, boolean, boolean, date, boolean, boolean) is
        'Where in its life an avtale is on a day: the rule of libs/avtale/src/phase.ts, for searching';
    `,
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await step(
      db,
      'phase',
      `
      drop function fase(date, date, date, boolean, boolean, boolean, date, boolean, boolean);
      drop view avtale_synlig, relasjon_synlig, avtale_versjon_synlig;
      create view avtale_synlig as
        select ${COLUMNS}, mottatt from avtale where slettet is null and not feilregistrert;
      comment on view avtale_synlig is 'What consumers may see';
      grant select on avtale_synlig to datadeling_leser;
      create view relasjon_synlig as
        select deltaker_id, fra, relasjon, til from relasjon r
        where exists (select from avtale a where a.avtale_id = r.til and a.slettet is null and not a.feilregistrert);
      comment on view relasjon_synlig is 'Links that lead to something consumers may see';
      grant select on relasjon_synlig to datadeling_leser;
      create view avtale_versjon_synlig as
        select ${COLUMNS}, feilregistrert, laert, lopenr
        from avtale_versjon v
        where exists (
          select from avtale a where a.avtale_id = v.avtale_id and a.slettet is null and not a.feilregistrert);
      comment on view avtale_versjon_synlig is
        'Versions of the avtaler that consumers may see now; of one with feilregistrert, only that it was hidden then';
      grant select on avtale_versjon_synlig to datadeling_leser;
      revoke update (aldri_begynt, fra_arena) on avtale_versjon from datadeling_skriver;
    `,
    );
    await step(db, 'avtale', 'alter table avtale drop har_vaert_inngaatt, drop aldri_begynt, drop fra_arena');
    await step(
      db,
      'avtale_versjon',
      `alter table avtale_versjon drop har_vaert_inngaatt, drop aldri_begynt, drop fra_arena`,
    );
  }
}

const VERSIONS_ENTERED: Batches = {
  name: 'versions that were entered into',
  table: 'avtale_versjon',
  key: 'avtale_id',
  sql: (range) => `
    update avtale_versjon v set har_vaert_inngaatt = true
    from (select avtale_id, min(lopenr) as foerste from avtale_versjon
          where avtale_inngaatt is not null and ${range('avtale_id')} group by avtale_id) inngaatt
    where inngaatt.avtale_id = v.avtale_id and v.lopenr >= inngaatt.foerste and not v.har_vaert_inngaatt`,
};

const AVTALER_ENTERED: Batches = {
  name: 'avtaler that were entered into',
  table: 'avtale',
  key: 'avtale_id',
  sql: (range) => `
    update avtale a set har_vaert_inngaatt = true
    where ${range('a.avtale_id')} and slettet is null and not har_vaert_inngaatt and (avtale_inngaatt is not null
      or exists (select from avtale_versjon v where v.avtale_id = a.avtale_id and v.har_vaert_inngaatt))`,
};
