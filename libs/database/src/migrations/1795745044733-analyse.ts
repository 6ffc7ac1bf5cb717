import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What analysis may read, by a login of its own (ADR 62): no ident of a person but the opaque one, which leaves as a key of
 * the product, no name and no free text, whatever a product's file asks for.
 */
export class Analyse1795745044733 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      do $$ begin
        if not exists (select from pg_roles where rolname = 'datadeling_analyse') then
          create role datadeling_analyse nologin;
        end if;
        -- Of a subscriber, in the database that is replicated; nothing here is for it.
        if not exists (select from pg_roles where rolname = 'datadeling_replikering') then
          create role datadeling_replikering nologin;
        end if;
      end $$;
      create table analyseprodukt (
        produkt text primary key,
        noekkelkontroll uuid not null unique,
        registrert timestamptz(6) not null default now()
      );
      comment on table analyseprodukt is
        'A check value of the key that each product for analysis is made with: no two have the same, and none that of deltaker_id';
      create view avtale_analyse as select ${COLUMNS.join(', ')} from avtale_synlig;
      comment on view avtale_analyse is 'What a product for analysis may be made of';
    `);
    await db.query(FUNCTIONS);
    await db.query(`
      grant usage on schema public to datadeling_analyse;
      grant select on avtale_analyse to datadeling_analyse;
      grant select (tx, lopenr, avtale_id) on endring to datadeling_analyse;
      grant select (epoke, tidslinje, beskaaret_til) on instans to datadeling_analyse;
      grant insert (konsument, behandlingsgrunnlag, operasjon, felter, antall_treff, tillatt, posisjon, utvalg, form, call_uuid)
        on oppslagslinje to datadeling_analyse;
      grant execute on function oppslagsform_nr(text, text, text, text[]) to datadeling_analyse;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      drop view avtale_analyse;
      drop function registrer_analyseprodukt(text, uuid);
      drop table analyseprodukt;
      revoke select (tx, lopenr, avtale_id) on endring from datadeling_analyse;
      revoke select (epoke, tidslinje, beskaaret_til) on instans from datadeling_analyse;
      revoke insert (konsument, behandlingsgrunnlag, operasjon, felter, antall_treff, tillatt, posisjon, utvalg, form, call_uuid)
        on oppslagslinje from datadeling_analyse;
      revoke execute on function oppslagsform_nr(text, text, text, text[]) from datadeling_analyse;
      revoke usage on schema public from datadeling_analyse;
    `);
  }
}

const COLUMNS = [
  ...[
    'avtale_id',
    'deltaker_id',
    'bedrift_nr',
    'hovedenhet',
    'tiltakstype',
    'versjon',
    'avtale_status',
    'avtale_inngaatt',
  ],
  ...['start_dato', 'slutt_dato', 'stillingprosent', 'antall_dager_per_uke', 'stillingstype'],
  ...['godkjent_av_deltaker', 'godkjent_av_arbeidsgiver', 'godkjent_av_veileder', 'godkjent_av_beslutter'],
  ...['godkjent_paa_vegne_av', 'godkjent_paa_vegne_av_arbeidsgiver', 'opphav', 'opprettet_tidspunkt'],
  ...[
    'annullert_tidspunkt',
    'sist_endret',
    'har_vaert_inngaatt',
    'annullert',
    'annullert_dag',
    'aldri_begynt',
    'fra_arena',
  ],
];

/** The first use of a product's key is noted; the same check as that of deltaker_id tells that it is another key. */
const FUNCTIONS = `
create function registrer_analyseprodukt(hva text, kontroll uuid) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  kjent uuid;
begin
  if kontroll = (select noekkelkontroll from public.instans) then return 'DELTAKER_ID'; end if;
  insert into public.analyseprodukt (produkt, noekkelkontroll) values (hva, kontroll) on conflict do nothing;
  select noekkelkontroll into kjent from public.analyseprodukt where produkt = hva;
  return case when kjent is null then 'ANNET_PRODUKT' when kjent <> kontroll then 'ANNEN_NOEKKEL' end;
end $$;
comment on function registrer_analyseprodukt(text, uuid) is
  'Notes the key of a product for analysis; null, or why the key can not be used';
revoke execute on function registrer_analyseprodukt(text, uuid) from public;
grant execute on function registrer_analyseprodukt(text, uuid) to datadeling_analyse;
`;
